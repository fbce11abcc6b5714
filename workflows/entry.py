"""What brings people into a workflow. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from workflows.problems import Problem
from workflows.reading import EVENT, Reader


@dataclass(frozen=True, slots=True)
class Trigger:
    """`segment` also takes in who is `present`; `event` may let a person in `again` for each."""

    kind: str
    segment: UUID | None = None
    present: bool = False
    event: str = ""
    each: bool = False

    @property
    def listens_to(self) -> str:
        """Return the kind of contact event that lets people in, if there is one."""
        return "segment.entered" if self.kind == "segment" else self.event


def read_trigger(raw: Any, *, problems: list[Problem]) -> Trigger:
    if not isinstance(raw, dict):
        problems.append(Problem("", "no_trigger", "trigger is missing: say what lets people in"))
        return Trigger("api")
    reader = Reader(raw, node="", problems=problems)
    kind = reader.take("kind")
    trigger = Trigger("api")
    if kind == "segment":
        trigger = Trigger("segment", segment=reader.id("segment"), present=_flag(reader, "present"))
    elif kind == "event":
        event = reader.text("event", pattern=EVENT)
        trigger = Trigger("event", event=event, each=_each(reader))
    elif kind != "api":
        reader.missing("trigger.kind", kind, "one of segment, event, api")
    reader.leftover()
    return trigger


def _flag(reader: Reader, key: str) -> bool:
    value = reader.take(key)
    if value is not None and not isinstance(value, bool):
        reader.problem("bad_value", f"{key} is not usable: say true or false")
    return value is True


def _each(reader: Reader) -> bool:
    value = reader.take("again")
    if value not in (None, "never", "each"):
        reader.problem("bad_value", 'again is not usable: say "never" or "each"')
    return bool(value == "each")
