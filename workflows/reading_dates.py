"""Read the step that waits for a date or an hour of the clock."""

from __future__ import annotations

from workflows.reader import FIELD, NOTHING, Reader
from workflows.steps import Hours, Step, Until

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCKS = ("contact", "organisation")


def until(reader: Reader, node: str) -> Step:
    before = reader.duration("before", default=NOTHING)
    after = reader.duration("after", default=NOTHING)
    bases = [key for key in ("on", "field", "object") if reader.has(key)]
    if len(bases) > 1:
        reader.problem("bad_value", f"say one of {', '.join(bases)}, not several")
    if (before or after) and not bases:
        reader.problem("missing", "before and after need a date: give on, field or object")
    if before and after:
        reader.problem("bad_value", "say either before or after")
    step = Until(
        id=node,
        next=reader.way("next"),
        late=reader.way("late", optional=True),
        on=reader.wall_time("on"),
        field=reader.text("field", pattern=FIELD, optional=True),
        of_object=reader.flag("object"),
        offset=after - before,
        hours=_hours(reader),
        ours=_clock(reader) == "organisation",
    )
    if not step.dated and step.hours == Hours() and not bases:
        reader.problem("missing", "the step waits for nothing: give a date, a time or a window")
    return step


def _clock(reader: Reader) -> str:
    value = reader.take("clock") or "contact"
    if value not in CLOCKS:
        reader.missing("clock", value, f"one of {', '.join(CLOCKS)}")
    return str(value)


def _hours(reader: Reader) -> Hours:
    at, opens, closes = (reader.time_of_day(key) for key in ("at", "from", "to"))
    if (opens is None) != (closes is None):
        reader.problem("missing", "from and to belong together: give both, or neither")
    if at is not None and opens is not None:
        reader.problem("bad_value", "say either at, or from and to")
    if opens is not None and opens == closes:
        reader.problem("bad_value", "from and to are the same: the window is empty")
    return Hours(at, opens, closes, _weekdays(reader))


def _weekdays(reader: Reader) -> frozenset[int]:
    value = reader.take("weekdays")
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not value or not all(one in WEEKDAYS for one in value):
        reader.missing("weekdays", value, f"a list of {', '.join(WEEKDAYS)}")
        return frozenset()
    return frozenset(WEEKDAYS.index(one) for one in value)
