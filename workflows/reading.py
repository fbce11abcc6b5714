"""Read one step or trigger from JSON, collecting every problem instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from workflows.problems import Problem
from workflows.steps import (
    Branch,
    Condition,
    Exit,
    Happened,
    InSegment,
    ListChange,
    Send,
    Step,
    Update,
    Wait,
    WaitFor,
)

ID = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
EVENT = re.compile(r"[a-z0-9_.]{1,60}\Z")
UNITS = ("minutes", "hours", "days", "weeks")
LONGEST = timedelta(days=400)
UNUSABLE = timedelta(0)
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


def _wait_for(reader: Reader, node: str) -> Step:
    return WaitFor(
        id=node,
        event=reader.text("event", pattern=EVENT),
        of=reader.text("of", pattern=ID, optional=True),
        patience=reader.duration("up_to"),
        heard=_way(reader, "heard"),
        unheard=_way(reader, "unheard"),
    )


def _branch(reader: Reader, node: str) -> Step:
    return Branch(
        id=node,
        condition=_condition(reader),
        yes=_way(reader, "yes"),
        no=_way(reader, "no"),
    )


def _condition(reader: Reader) -> Condition:
    """Engagement with one of this workflow's own messages has `of`; all else is a segment."""
    value = reader.take("if")
    if not isinstance(value, dict) or not value:
        reader.missing("if", value, "a segment's conditions, or an event of one of the messages")
        return InSegment({})
    if "of" not in value:
        return InSegment(value)
    inner = Reader(value, node=reader.node, problems=reader.problems)
    happened = Happened(inner.text("event", pattern=EVENT), inner.text("of", pattern=ID))
    inner.leftover()
    return happened


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
    "wait_for": _wait_for,
    "branch": _branch,
    "update": _update,
    "list": _list,
    "exit": _exit,
}
