"""What brings people into a workflow, who is kept out, and what takes them out again. Pure.

    {"kind": "segment", "segment": ID, "on": "left"}
    {"kind": "date", "field": "birth_date", "yearly": true, "before": {"days": 3}, "at": "09:00"}
    {"kind": "form", "form": ID, "while": ID}
    {"kind": "event", "event": "appointment.booked", "where": [...], "key": "ref", "date": "begins",
     "moved": ["appointment.moved"], "stops": ["appointment.cancelled"]}

`key` names the property that tells one business object from another: one enrolment for each, two
at once where a person has two; `date` names the property with the object's moment. An event of
`moved`, or the first kind again, moves the moment of whoever is inside for that object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from workflows import recurring
from workflows.problems import Problem
from workflows.reader import EVENT, FIELD, NOBODY, NOTHING, PROPERTY, Reader

NEVER, EACH, AFTER_LEAVING = "never", "each", "after_leaving"
FORM_COMPLETED = "form.completed"
MOST_PER_HOUR = 1_000_000
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trigger:
    """`segment` also takes in who is `present`; `each` lets a person in again for each event."""

    kind: str
    segment: UUID | None = None
    present: bool = False
    left: bool = False
    event: str = ""
    each: bool = False
    after_leaving: bool = False
    """Again, but not while inside."""
    after: timedelta = NOTHING
    """Again, once this long has passed since the last entry."""
    where: tuple[Any, ...] = ()
    """Conditions of the segment language on the event's properties."""
    key: str = ""
    date: str = ""
    moved: tuple[str, ...] = ()
    per_hour: int = 0
    """No more come in within one hour of the clock; the others wait for the next. 0: no limit."""
    only: UUID | None = None
    never: UUID | None = None
    stops: tuple[str, ...] = ()
    """Kinds of event that end the way of whoever is inside."""
    rule: str = ""
    """When everybody in the segment comes in: a rule of RFC 5545, on the organisation's clock."""
    first: datetime | None = None
    """The wall time from which the rule counts."""
    field: str = ""
    """The date of the contact on which people come in, or so many days before or after it."""
    days: int = 0
    """Below zero before the date."""
    at: time | None = None
    """The time of day at which they do, on the organisation's clock."""
    yearly: bool = False
    """On every anniversary of the date."""
    stays: bool = False
    """Who leaves the segment of the trigger leaves the workflow."""
    form: UUID | None = None
    """The form by whose completion people come in."""
    during: UUID | None = None
    """Who leaves this segment leaves the workflow, whatever let them in."""

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def listens_to(self) -> str:
        """Return the kind of contact event that lets people in, if there is one."""
        if self.kind in ("schedule", "date"):
            return ""
        if self.kind == "segment":
            return "segment.left" if self.left else "segment.entered"
        if self.kind == "form":
            return FORM_COMPLETED
        return self.event

    @property
    def listens_about(self) -> UUID | None:
        """Return the segment or the form that the event must be about."""
        return self.form or self.segment

    @property
    def guards(self) -> bool:
        """Who comes in is looked at before the first step."""
        return self.only is not None or self.never is not None

    @property
    def opens(self) -> bool:
        """An event has to be opened before it is known whom it lets in, and for which object."""
        return bool(self.where or self.key)


def read_trigger(raw: Any, *, problems: list[Problem]) -> Trigger:
    if not isinstance(raw, dict):
        problems.append(Problem("", "no_trigger", "trigger is missing: say what lets people in"))
        return Trigger("api")
    reader = Reader(raw, node="", problems=problems)
    kind = reader.take("kind")
    own: dict[str, Any] = {}
    if kind == "segment":
        own = _segment(reader)
    elif kind == "event":
        own = _event(reader)
    elif kind == "schedule":
        own = _schedule(reader)
    elif kind == "date":
        own = _date(reader)
    elif kind == "form":
        own = {"form": reader.id("form")}
    elif kind != "api":
        reader.missing("trigger.kind", kind, "one of segment, event, form, date, schedule, api")
        kind = "api"
    trigger = Trigger(str(kind), **own, **_again(reader, kind), **_rules(reader))
    reader.leftover()
    return trigger


def _segment(reader: Reader) -> dict[str, Any]:
    on = reader.take("on")
    if on not in (None, "entered", "left"):
        reader.problem("bad_value", 'on is not usable: say "entered" or "left"')
    read = {
        "segment": reader.id("segment"),
        "present": reader.flag("present"),
        "left": on == "left",
        "stays": reader.flag("stays"),
    }
    if read["left"] and (read["present"] or read["stays"]):
        reader.problem("bad_value", "who comes in by leaving is not in it: drop present and stays")
    return read


def _schedule(reader: Reader) -> dict[str, Any]:
    first, rule = reader.wall_time("first"), reader.take("rule")
    if first is None and reader.raw.get("first") is None:
        reader.missing("first", None, "a date and time of day such as 2027-03-01T09:00")
    if not isinstance(rule, str) or len(rule) > 200:
        reader.missing("rule", rule, "a rule such as FREQ=WEEKLY;BYDAY=MO")
        rule = ""
    elif first is not None:
        try:
            if recurring.read(rule) is None:
                raise recurring.RuleRefused("give a rule such as FREQ=WEEKLY;BYDAY=MO")
        except recurring.RuleRefused as wrong:
            reader.problem("bad_value", f"rule is not usable: {wrong}")
    return {"segment": reader.id("segment"), "rule": rule, "first": first}


def _date(reader: Reader) -> dict[str, Any]:
    """Whole days only: the time of day is said by itself, so that it survives a clock change."""
    before = reader.duration("before", default=NOTHING)
    after = reader.duration("after", default=NOTHING)
    if before and after:
        reader.problem("bad_value", "say either before or after")
    if (after - before) % DAY:
        reader.problem("bad_duration", "before and after are whole days; give the time in at")
    at = reader.time_of_day("at")
    if at is None and reader.raw.get("at") is None:
        reader.missing("at", None, "the time of day at which people come in, such as 09:00")
    return {
        "field": reader.text("field", pattern=FIELD),
        "days": (after - before) // DAY,
        "at": at,
        "yearly": reader.flag("yearly"),
    }


def _event(reader: Reader) -> dict[str, Any]:
    key = reader.text("key", pattern=PROPERTY, optional=True)
    read = {
        "event": reader.text("event", pattern=EVENT),
        "where": _where(reader),
        "key": key,
        "date": reader.text("date", pattern=PROPERTY, optional=True),
        "moved": _kinds(reader, "moved"),
    }
    if not key and (read["date"] or read["moved"]):
        reader.problem("missing", "date and moved belong to an object: give key, its property")
    if key and reader.has("again"):
        reader.problem("bad_value", "key lets a person in once for each object: drop again")
    return read


def _where(reader: Reader) -> tuple[Any, ...]:
    value = reader.take("where")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        reader.missing("where", value, "a list of conditions on the event's properties")
        return ()
    return tuple(value)


def _kinds(reader: Reader, key: str) -> tuple[str, ...]:
    value = reader.take(key)
    if value is None:
        return ()
    good = isinstance(value, list) and all(
        isinstance(one, str) and EVENT.match(one) for one in value
    )
    if not good:
        reader.missing(key, value, 'a list of events such as ["appointment.cancelled"]')
        return ()
    return tuple(dict.fromkeys(value))


def _again(reader: Reader, kind: Any) -> dict[str, Any]:
    value = reader.take("again")
    if value is None or value == NEVER:
        return {}
    if value == EACH and kind in ("event", "form", "schedule"):
        return {"each": True}
    if value == AFTER_LEAVING and kind in ("event", "form", "segment"):
        return {"after_leaving": True}
    if isinstance(value, Mapping) and kind in ("event", "form", "segment"):
        return {"after": reader.duration("again")}
    wanted = (
        '"never", "each" (events and schedules), "after_leaving", or a time such as {"days": 30}'
    )
    reader.problem("bad_value", f"again is not usable: say {wanted}")
    return {}


def _rules(reader: Reader) -> dict[str, Any]:
    found = [reader.id(key, optional=True) for key in ("only", "never", "while")]
    only, never, during = (None if one == NOBODY else one for one in found)
    return {
        "per_hour": reader.count("per_hour", most=MOST_PER_HOUR, optional=True),
        "only": only,
        "never": never,
        "during": during,
        "stops": _kinds(reader, "stops"),
    }
