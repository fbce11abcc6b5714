"""Read one step or trigger from JSON, collecting every problem instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from workflows.problems import Problem
from workflows.steps import (
    ARMS,
    THENS,
    Branch,
    Choose,
    Condition,
    Exit,
    Goal,
    Happened,
    Hours,
    InSegment,
    ListChange,
    Send,
    Split,
    Step,
    Task,
    Until,
    Update,
    Wait,
    WaitFor,
)

ID = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
EVENT = re.compile(r"[a-z0-9_.]{1,60}\Z")
UNITS = ("minutes", "hours", "days", "weeks")
LONGEST = timedelta(days=400)
UNUSABLE = timedelta(0)
NOTHING = timedelta(0)
FIELD = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
PROPERTY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}\Z")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GOALS = ("exit", "jump", "count")
NOBODY = UUID(int=0)


class Reader:
    """One JSON object being read: typed access by key, and the problems met on the way."""

    def __init__(self, raw: Mapping[str, Any], *, node: str, problems: list[Problem]) -> None:
        self.raw, self.node, self.problems = raw, node, problems
        self.read: set[str] = set()

    def problem(self, code: str, message: str) -> None:
        self.problems.append(Problem(self.node, code, message))

    def has(self, key: str) -> bool:
        return key in self.raw

    def take(self, key: str) -> Any:
        self.read.add(key)
        return self.raw.get(key)

    def text(self, key: str, *, pattern: re.Pattern[str], optional: bool = False) -> str:
        value = self.take(key)
        if value is None and optional:
            return ""
        if isinstance(value, str) and pattern.match(value):
            return value
        self.missing(
            key, value, f"a name such as {'message.clicked' if key == 'event' else 'welcome'}"
        )
        return ""

    def id(self, key: str, *, optional: bool = False) -> UUID:
        value = self.take(key)
        if value is None and optional:
            return NOBODY
        try:
            return UUID(value if isinstance(value, str) else "")
        except ValueError:
            self.missing(key, value, "the id it has in its own page's address")
            return NOBODY

    def duration(self, key: str, *, default: timedelta | None = None) -> timedelta:
        value = self.take(key)
        if value is None and default is not None:
            return default
        amount = _duration(value)
        if amount is None:
            self.missing(key, value, 'a time such as {"days": 3} (minutes, hours, days, weeks)')
            return UNUSABLE
        if not timedelta(0) < amount <= LONGEST:
            self.problem("bad_duration", f"{key}: must be more than nothing and at most 400 days")
        return amount

    def wall_time(self, key: str) -> datetime | None:
        value = self.take(key)
        if value is None:
            return None
        try:
            given = datetime.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            given = None
        if given is None or given.tzinfo is not None or not 2000 <= given.year <= 2200:
            self.missing(key, value, "a date and time of day such as 2027-03-01T09:00")
            return None
        return given

    def flag(self, key: str) -> bool:
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.problem("bad_value", f"{key} is not usable: say true or false")
        return value is True

    def count(self, key: str, *, most: int, optional: bool = False) -> int:
        value = self.take(key)
        if value is None and optional:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            self.missing(key, value, f"a whole number from 1 to {most:,}")
            return 1
        return int(value)

    def missing(self, key: str, value: Any, wanted: str) -> None:
        code, said = ("missing", "is missing") if value is None else ("bad_value", "is not usable")
        self.problem(code, f"{key} {said}: give {wanted}")

    def leftover(self) -> None:
        for key in sorted(set(self.raw) - self.read):
            self.problem("unknown_key", f"{key} is not known here; remove it or mend its spelling")


def _duration(value: Any) -> timedelta | None:
    if not isinstance(value, dict) or not value or set(value) - set(UNITS):
        return None
    if any(isinstance(one, bool) or not isinstance(one, int) for one in value.values()):
        return None
    try:
        return timedelta(**value)
    except OverflowError:
        return LONGEST + timedelta(days=1)


def read_step(raw: Mapping[str, Any], *, problems: list[Problem], place: int) -> Step | None:
    """Return the step, or None where it cannot even be named or its kind is unknown."""
    named = raw.get("id")
    label = named if isinstance(named, str) and named else f"nodes[{place}]"
    reader = Reader(raw, node=label, problems=problems)
    node = reader.text("id", pattern=ID)
    kind = reader.take("kind")
    read = KINDS.get(kind) if isinstance(kind, str) else None
    if read is None:
        reader.missing("kind", kind, f"one of {', '.join(KINDS)}")
        return None
    step = read(reader, node or label)
    reader.leftover()
    return step


def _way(reader: Reader, key: str, *, optional: bool = False) -> str:
    value = reader.take(key)
    if value is None and optional:
        return ""
    if isinstance(value, str) and value:
        return value
    reader.problem("missing_next", f"{key} is missing: name the step that follows, or an exit")
    return ""


def _send(reader: Reader, node: str) -> Step:
    return Send(
        id=node,
        template=reader.id("template"),
        next=_way(reader, "next"),
        refused=_way(reader, "refused", optional=True),
        stale_after=reader.duration("stale_after", default=timedelta(days=2)),
    )


def _wait(reader: Reader, node: str) -> Step:
    return Wait(id=node, patience=reader.duration("for"), next=_way(reader, "next"))


def _until(reader: Reader, node: str) -> Step:
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
        next=_way(reader, "next"),
        late=_way(reader, "late", optional=True),
        on=reader.wall_time("on"),
        field=reader.text("field", pattern=FIELD, optional=True),
        of_object=reader.flag("object"),
        offset=after - before,
        hours=_hours(reader),
    )
    if not step.dated and step.hours == Hours() and not bases:
        reader.problem("missing", "the step waits for nothing: give a date, a time or a window")
    return step


def _hours(reader: Reader) -> Hours:
    at, opens, closes = (_time_of_day(reader, key) for key in ("at", "from", "to"))
    if (opens is None) != (closes is None):
        reader.problem("missing", "from and to belong together: give both, or neither")
    if at is not None and opens is not None:
        reader.problem("bad_value", "say either at, or from and to")
    if opens is not None and opens == closes:
        reader.problem("bad_value", "from and to are the same: the window is empty")
    return Hours(at, opens, closes, _weekdays(reader))


def _time_of_day(reader: Reader, key: str) -> time | None:
    value = reader.take(key)
    if value is None:
        return None
    if isinstance(value, str) and CLOCK.match(value):
        return time.fromisoformat(value)
    reader.missing(key, value, "a time of day such as 09:00")
    return None


def _weekdays(reader: Reader) -> frozenset[int]:
    value = reader.take("weekdays")
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not value or not all(one in WEEKDAYS for one in value):
        reader.missing("weekdays", value, f"a list of {', '.join(WEEKDAYS)}")
        return frozenset()
    return frozenset(WEEKDAYS.index(one) for one in value)


def _wait_for(reader: Reader, node: str) -> Step:
    condition = None
    if reader.has("if"):
        asked = _condition(reader, "if")
        if isinstance(asked, InSegment):
            condition = asked
        else:
            reader.problem("bad_value", "if asks a segment's conditions; an event stands in event")
        if reader.has("event") or reader.has("of"):
            reader.problem("bad_value", "say either event, or if: not both")
    return WaitFor(
        id=node,
        condition=condition,
        event=reader.text("event", pattern=EVENT, optional=reader.has("if")),
        of=reader.text("of", pattern=ID, optional=True),
        patience=reader.duration("up_to"),
        heard=_way(reader, "heard"),
        unheard=_way(reader, "unheard"),
    )


def _branch(reader: Reader, node: str) -> Step:
    return Branch(
        id=node,
        condition=_condition(reader, "if"),
        yes=_way(reader, "yes"),
        no=_way(reader, "no"),
    )


def _condition(reader: Reader, key: str) -> Condition:
    """Engagement with one of this workflow's own messages has `of`; all else is a segment."""
    value = reader.take(key)
    if not isinstance(value, dict) or not value:
        reader.missing(key, value, "a segment's conditions, or an event of one of the messages")
        return InSegment({})
    if "of" not in value:
        return InSegment(value)
    inner = Reader(value, node=reader.node, problems=reader.problems)
    happened = Happened(inner.text("event", pattern=EVENT), inner.text("of", pattern=ID))
    inner.leftover()
    return happened


def _choose(reader: Reader, node: str) -> Step:
    """Cases are numbered from 1 without a gap: if1 leads to then1, if2 to then2."""
    asked, leads = [], {}
    for number, then in enumerate(THENS, start=1):
        if number > 1 and not reader.has(f"if{number}") and not reader.has(then):
            break
        asked.append(_condition(reader, f"if{number}"))
        leads[then] = _way(reader, then)
    return Choose(id=node, conditions=tuple(asked), other=_way(reader, "other"), **leads)


def _split(reader: Reader, node: str) -> Step:
    weights, leads = [], {}
    for number, arm in enumerate(ARMS, start=1):
        if number > 2 and not reader.has(f"weight{number}") and not reader.has(arm):
            break
        weights.append(reader.count(f"weight{number}", most=10_000))
        leads[arm] = _way(reader, arm)
    hold_out = reader.take("hold_out") or ""
    if hold_out and hold_out not in leads:
        reader.missing("hold_out", hold_out, f"one of {', '.join(leads)}")
        hold_out = ""
    return Split(id=node, weights=tuple(weights), hold_out=hold_out, **leads)


def _goal(reader: Reader, node: str) -> Step:
    then = reader.take("then")
    if then not in GOALS:
        reader.missing("then", then, f"one of {', '.join(GOALS)}")
        then = "count"
    segment = reader.id("segment", optional=True)
    return Goal(
        id=node,
        event=reader.text("event", pattern=EVENT),
        then=str(then),
        segment=None if segment == NOBODY else segment,
        next=_way(reader, "next") if then == "jump" else "",
    )


def _task(reader: Reader, node: str) -> Step:
    title = reader.take("title")
    if not isinstance(title, str) or not 0 < len(title.strip()) <= 120:
        reader.missing("title", title, "what staff should do, in at most 120 characters")
        title = ""
    return Task(
        id=node,
        title=title.strip(),
        patience=reader.duration("due"),
        done=_way(reader, "done"),
        failed=_way(reader, "failed"),
        overdue=_way(reader, "overdue"),
    )


def _update(reader: Reader, node: str) -> Step:
    values, clear = reader.take("set"), reader.take("clear")
    values = {} if values is None else values
    clear = [] if clear is None else clear
    if not isinstance(values, dict):
        reader.problem(
            "bad_value", 'set is not usable: give fields with their values, {"plan": "A"}'
        )
        values = {}
    if not isinstance(clear, list) or not all(isinstance(one, str) for one in clear):
        reader.problem("bad_value", "clear is not usable: give a list of field names")
        clear = []
    if not values and not clear:
        reader.problem("missing", "the step changes nothing: give set, clear, or both")
    return Update(id=node, next=_way(reader, "next"), values=values, clear=tuple(clear))


def _list(reader: Reader, node: str) -> Step:
    add = reader.has("add")
    if add == reader.has("remove"):
        reader.problem("bad_value", "say either add or remove, with the id of one list")
        reader.read |= {"add", "remove"}
        return ListChange(id=node, next=_way(reader, "next"), list_id=NOBODY, add=add)
    list_id = reader.id("add" if add else "remove")
    return ListChange(id=node, next=_way(reader, "next"), list_id=list_id, add=add)


def _exit(reader: Reader, node: str) -> Step:
    enter = reader.id("enter", optional=True)
    return Exit(id=node, enter=None if enter == NOBODY else enter)


KINDS: Mapping[str, Callable[[Reader, str], Step]] = {
    "send": _send,
    "wait": _wait,
    "until": _until,
    "wait_for": _wait_for,
    "branch": _branch,
    "choose": _choose,
    "split": _split,
    "goal": _goal,
    "task": _task,
    "update": _update,
    "list": _list,
    "exit": _exit,
}
