"""The kinds of step that a workflow is made of. Values only: no Django, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Happened:
    """Did this person do it? `of` names the send step whose message it must be about.

    Only what people did counts: what a mail scanner opened or clicked never answers yes.
    """

    event: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class InSegment:
    """Is the person in this segment? A saved one by id, or conditions written into the step."""

    definition: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash(repr(self.definition))


Condition = Happened | InSegment


@dataclass(frozen=True, slots=True)
class Send:
    """Ask for one message. A refused person goes the way `refused`, or leaves where there is none.

    A message that is not out `stale_after` it was due is not sent any more.
    """

    id: str
    template: UUID
    next: str
    refused: str = ""
    stale_after: timedelta = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Wait:
    id: str
    patience: timedelta
    next: str


@dataclass(frozen=True, slots=True)
class WaitFor:
    id: str
    event: str
    of: str
    patience: timedelta
    heard: str
    unheard: str

    @property
    def happened(self) -> Happened:
        return Happened(self.event, self.of)


@dataclass(frozen=True, slots=True)
class Branch:
    id: str
    condition: Condition
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Update:
    """Set fields of the contact, or clear them."""

    id: str
    next: str
    values: Mapping[str, Any] = field(default_factory=dict)
    clear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListChange:
    id: str
    next: str
    list_id: UUID
    add: bool


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of the way; `enter` names the workflow that takes the person on."""

    id: str
    enter: UUID | None = None


Step = Send | Wait | WaitFor | Branch | Update | ListChange | Exit

WAYS: Mapping[type, tuple[str, ...]] = {
    Send: ("next", "refused"),
    Wait: ("next",),
    WaitFor: ("heard", "unheard"),
    Branch: ("yes", "no"),
    Update: ("next",),
    ListChange: ("next",),
    Exit: (),
}


def ways(step: Step) -> dict[str, str]:
    """Return where a step leads: the name of each way and the step at its end."""
    return {way: there for way in WAYS[type(step)] if (there := getattr(step, way))}
