"""The kinds of step that a workflow is made of. Values only: no Django, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
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


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Would a message of this purpose, which says this of a person, reach them by one of these
    ways? The names of ways are those of `messaging.protect.FORESEEN`."""

    ways: frozenset[str]
    purpose: str
    classes: frozenset[str] = frozenset()


Condition = Happened | InSegment | Foreseen


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
class Hours:
    """When on the wall clock: at `at`, or within [opens, closes), on these weekdays (0 Monday).

    A window whose end is not after its beginning crosses midnight. No weekday named means each.
    """

    at: time | None = None
    opens: time | None = None
    closes: time | None = None
    weekdays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Until:
    """Wait for a moment: of the calendar (`on`), of a date that the contact or the keyed object
    has, or of the clock alone. Who has no such date, or whose date lies behind, goes `late`."""

    id: str
    next: str
    late: str = ""
    on: datetime | None = None
    """Wall time without a zone."""
    field: str = ""
    of_object: bool = False
    offset: timedelta = timedelta(0)
    hours: Hours = Hours()
    ours: bool = False
    """By the organisation's clock; else by the person's, where it is known."""

    @property
    def dated(self) -> bool:
        return bool(self.on or self.field or self.of_object)


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Wait for an event or, where there is a `condition`, for that to become true."""

    id: str
    event: str
    of: str
    patience: timedelta
    heard: str
    unheard: str
    condition: InSegment | None = None

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
class Choose:
    """Ask in order; the first yes decides, and `other` takes who was never a yes."""

    id: str
    conditions: tuple[Condition, ...]
    other: str
    then1: str = ""
    then2: str = ""
    then3: str = ""
    then4: str = ""
    then5: str = ""
    then6: str = ""
    then7: str = ""
    then8: str = ""


@dataclass(frozen=True, slots=True)
class Contest:
    """What decides between the arms of a split, once, `after` the version goes live: in whose arm
    more people have the event `within` that time of being drawn. The arm that is held out does
    not take part, and keeps its share."""

    event: str
    within: timedelta
    after: timedelta


@dataclass(frozen=True, slots=True)
class Split:
    """Send people on by lot, in these proportions; the same person always draws the same lot.

    `hold_out` names the arm that is compared against.
    """

    id: str
    weights: tuple[int, ...]
    hold_out: str = ""
    contest: Contest | None = None
    arm1: str = ""
    arm2: str = ""
    arm3: str = ""
    arm4: str = ""
    arm5: str = ""
    arm6: str = ""
    arm7: str = ""
    arm8: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """Reached from anywhere as soon as the event is heard: it ends the way, goes on from here
    (`jump`), or only counts. An event about a segment may name which."""

    id: str
    event: str
    then: str
    segment: UUID | None = None
    next: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Have staff do something; what they say became of it decides the way, or that time is over."""

    id: str
    title: str
    patience: timedelta
    done: str
    failed: str
    overdue: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answer of another system may say: a status of HTTP, a value at a place of its JSON
    (RFC 6901), or both."""

    status: int = 0
    at: str | None = None
    value: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Call an endpoint of the organisation with these fields of the contact, and wait for what it
    answers: the first reply that fits decides, `answered` takes every other good answer."""

    id: str
    endpoint: UUID
    patience: timedelta
    answered: str
    failed: str
    fields: tuple[str, ...] = ()
    replies: tuple[Reply, ...] = ()
    writes: Mapping[str, str] = field(default_factory=dict)
    """Fields of the contact that a good answer sets, each with its place in the answer."""
    then1: str = ""
    then2: str = ""
    then3: str = ""
    then4: str = ""
    then5: str = ""
    then6: str = ""
    then7: str = ""
    then8: str = ""

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True, slots=True)
class WriteBack:
    """Tell the record of care, as an event that other systems read; `about` names a send step."""

    id: str
    next: str
    event: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """Set fields of the contact, clear them, or add to numbers such as a score."""

    id: str
    next: str
    values: Mapping[str, Any] = field(default_factory=dict)
    clear: tuple[str, ...] = ()
    add: Mapping[str, int] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(repr(self))


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


Step = (
    Send
    | Wait
    | Until
    | WaitFor
    | Branch
    | Choose
    | Split
    | Goal
    | Task
    | Webhook
    | WriteBack
    | Update
    | ListChange
    | Exit
)
MOST_WAYS = 8
THENS = tuple(f"then{number}" for number in range(1, MOST_WAYS + 1))
ARMS = tuple(f"arm{number}" for number in range(1, MOST_WAYS + 1))

WAYS: Mapping[type, tuple[str, ...]] = {
    Send: ("next", "refused"),
    Wait: ("next",),
    Until: ("next", "late"),
    WaitFor: ("heard", "unheard"),
    Branch: ("yes", "no"),
    Choose: (*THENS, "other"),
    Split: ARMS,
    Goal: ("next",),
    Task: ("done", "failed", "overdue"),
    Webhook: (*THENS, "answered", "failed"),
    WriteBack: ("next",),
    Update: ("next",),
    ListChange: ("next",),
    Exit: (),
}


def ways(step: Step) -> dict[str, str]:
    """Return where a step leads: the name of each way and the step at its end."""
    return {way: there for way in WAYS[type(step)] if (there := getattr(step, way))}


def conditions(step: Step) -> tuple[Condition, ...]:
    """Return everything that the step asks of a person, in its order."""
    if isinstance(step, Branch):
        return (step.condition,)
    if isinstance(step, Choose):
        return step.conditions
    if isinstance(step, WaitFor):
        return (step.condition or step.happened,)
    return ()


def forecasts(step: Step) -> tuple[Foreseen, ...]:
    return tuple(one for one in conditions(step) if isinstance(one, Foreseen))


def segments(step: Step) -> tuple[InSegment, ...]:
    return tuple(one for one in conditions(step) if isinstance(one, InSegment))
