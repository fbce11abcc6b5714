"""Read one step or trigger from JSON, collecting every problem instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

from consent.policy import Purpose
from messaging.protect import DEMANDS, FORESEEN
from workflows.problems import Problem
from workflows.reader import EVENT, FIELD, ID, NOBODY, NOTHING, Reader
from workflows.steps import (
    ARMS,
    THENS,
    Branch,
    Choose,
    Condition,
    Contest,
    Exit,
    Foreseen,
    Goal,
    Happened,
    Hours,
    InSegment,
    ListChange,
    Reply,
    Send,
    Split,
    Step,
    Task,
    Until,
    Update,
    Wait,
    WaitFor,
    Webhook,
    WriteBack,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
POINTER = re.compile(r"(/[^/\x00-\x1f]{1,60}){1,8}\Z")
"""A place in a JSON document (RFC 6901)."""
MOST_FIELDS = 40
PURPOSES = tuple(one.value for one in Purpose)
AMOUNT = re.compile(r"-?[0-9]{1,6}\Z")
CLOCKS = ("contact", "organisation")
GOALS = ("exit", "jump", "count")


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


def _send(reader: Reader, node: str) -> Step:
    return Send(
        id=node,
        template=reader.id("template"),
        next=reader.way("next"),
        refused=reader.way("refused", optional=True),
        stale_after=reader.duration("stale_after", default=timedelta(days=2)),
    )


def _wait(reader: Reader, node: str) -> Step:
    return Wait(id=node, patience=reader.duration("for"), next=reader.way("next"))


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
        heard=reader.way("heard"),
        unheard=reader.way("unheard"),
    )


def _branch(reader: Reader, node: str) -> Step:
    return Branch(
        id=node,
        condition=_condition(reader, "if"),
        yes=reader.way("yes"),
        no=reader.way("no"),
    )


def _condition(reader: Reader, key: str) -> Condition:
    """Engagement with one of this workflow's own messages has `of`; all else is a segment."""
    value = reader.take(key)
    if not isinstance(value, dict) or not value:
        reader.missing(key, value, "a segment's conditions, or an event of one of the messages")
        return InSegment({})
    if "forecast" in value:
        return _foreseen(Reader(value, node=reader.node, problems=reader.problems))
    if "of" not in value:
        return InSegment(value)
    inner = Reader(value, node=reader.node, problems=reader.problems)
    happened = Happened(inner.text("event", pattern=EVENT), inner.text("of", pattern=ID))
    inner.leftover()
    return happened


def _foreseen(reader: Reader) -> Foreseen:
    """{"forecast": ["portal", "blocked"], "purpose": "treatment", "classes": ["clinical"]}"""
    ways = _names(reader, "forecast", FORESEEN)
    purpose = reader.take("purpose")
    if not isinstance(purpose, str) or purpose not in PURPOSES:
        reader.missing("purpose", purpose, f"one of {', '.join(PURPOSES)}")
        purpose = ""
    classes = _names(reader, "classes", DEMANDS) if reader.has("classes") else frozenset()
    reader.leftover()
    return Foreseen(ways, str(purpose), classes)


def _names(reader: Reader, key: str, known: Collection[str]) -> frozenset[str]:
    value = reader.take(key)
    good = (
        isinstance(value, list)
        and value
        and all(isinstance(one, str) and one in known for one in value)
    )
    if not good:
        reader.missing(key, value, f"a list of {', '.join(known)}")
        return frozenset()
    return frozenset(value)


def _choose(reader: Reader, node: str) -> Step:
    """Cases are numbered from 1 without a gap: if1 leads to then1, if2 to then2."""
    asked, leads = [], {}
    for number, then in enumerate(THENS, start=1):
        if number > 1 and not reader.has(f"if{number}") and not reader.has(then):
            break
        asked.append(_condition(reader, f"if{number}"))
        leads[then] = reader.way(then)
    return Choose(id=node, conditions=tuple(asked), other=reader.way("other"), **leads)


def _split(reader: Reader, node: str) -> Step:
    weights, leads = [], {}
    for number, arm in enumerate(ARMS, start=1):
        if number > 2 and not reader.has(f"weight{number}") and not reader.has(arm):
            break
        weights.append(reader.count(f"weight{number}", most=10_000))
        leads[arm] = reader.way(arm)
    hold_out = reader.take("hold_out") or ""
    if hold_out and hold_out not in leads:
        reader.missing("hold_out", hold_out, f"one of {', '.join(leads)}")
        hold_out = ""
    return Split(
        id=node,
        weights=tuple(weights),
        hold_out=hold_out,
        contest=_contest(reader, len(weights) - bool(hold_out)),
        **leads,
    )


def _contest(reader: Reader, arms: int) -> Contest | None:
    """One moment, set beforehand: who looks again and again finds a winner by chance."""
    keys = ("won_by", "won_within", "decided_after")
    if not any(reader.has(key) for key in keys):
        return None
    contest = Contest(
        event=reader.text("won_by", pattern=EVENT),
        within=reader.duration("won_within"),
        after=reader.duration("decided_after"),
    )
    if contest.within >= contest.after > NOTHING:
        reader.problem("bad_value", "decided_after must be longer than won_within")
    if arms < 2:
        reader.problem("bad_value", "won_by needs two arms that are not held out")
    return contest


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
        next=reader.way("next") if then == "jump" else "",
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
        done=reader.way("done"),
        failed=reader.way("failed"),
        overdue=reader.way("overdue"),
    )


def _webhook(reader: Reader, node: str) -> Step:
    """Replies are numbered from 1 without a gap, and the first that fits decides."""
    replies, leads = [], {}
    for number, then in enumerate(THENS, start=1):
        if not reader.has(f"reply{number}") and not reader.has(then):
            break
        replies.append(_reply(reader, f"reply{number}"))
        leads[then] = reader.way(then)
    fields = reader.names("fields", pattern=FIELD, wanted='a list of fields such as ["plan"]')
    if len(fields) > MOST_FIELDS:
        reader.problem("bad_value", f"fields names more than {MOST_FIELDS}")
    return Webhook(
        id=node,
        endpoint=reader.id("endpoint"),
        patience=reader.duration("up_to"),
        fields=fields,
        replies=tuple(replies),
        writes=_writes(reader),
        answered=reader.way("answered"),
        failed=reader.way("failed"),
        **leads,
    )


def _reply(reader: Reader, key: str) -> Reply:
    value = reader.take(key)
    if not isinstance(value, dict) or not value:
        reader.missing(key, value, 'what the answer says, {"at": "/eligible", "is": true}')
        return Reply()
    inner = Reader(value, node=reader.node, problems=reader.problems)
    status = inner.count("status", most=599, optional=True)
    at, told = inner.take("at"), inner.take("is")
    if at is not None and not (isinstance(at, str) and POINTER.match(at)):
        inner.missing("at", at, "a place in the answer such as /plan/name")
        at = None
    if (at is None) != (told is None) or isinstance(told, list | dict):
        inner.problem("bad_value", f"{key}: at and is belong together, and is is one value")
        told = None
    if at is None and not status:
        inner.problem("missing", f"{key} asks nothing: give status, or at and is")
    inner.leftover()
    return Reply(status, at, told)


def _writes(reader: Reader) -> dict[str, str]:
    value = reader.take("write")
    if value is None:
        return {}
    good = isinstance(value, dict) and all(
        FIELD.match(key) and isinstance(at, str) and POINTER.match(at) for key, at in value.items()
    )
    if not good or len(value) > MOST_FIELDS:
        reader.missing("write", value, 'fields with places in the answer, {"plan": "/plan/name"}')
        return {}
    return dict(value)


def _write_back(reader: Reader, node: str) -> Step:
    return WriteBack(
        id=node,
        next=reader.way("next"),
        event=reader.text("event", pattern=EVENT),
        about=reader.text("about", pattern=ID, optional=True),
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
    add = _added(reader)
    if not values and not clear and not add:
        reader.problem("missing", "the step changes nothing: give set, clear, or add")
    if add.keys() & {*values, *clear}:
        reader.problem("bad_value", "a field is set or cleared, or added to: not both")
    return Update(id=node, next=reader.way("next"), values=values, clear=tuple(clear), add=add)


def _added(reader: Reader) -> dict[str, int]:
    """A whole number, or one written as text: the editor's fields hold texts."""
    value = reader.take("add")
    if value is None:
        return {}
    held = value if isinstance(value, dict) else {}
    found = {key: int(one) for key, one in held.items() if AMOUNT.match(str(one))}
    if len(found) != len(held) or not found or not all(found.values()):
        reader.missing("add", value, 'numbers with what is added to them, {"score": 5}')
        return {}
    return found


def _list(reader: Reader, node: str) -> Step:
    add = reader.has("add")
    if add == reader.has("remove"):
        reader.problem("bad_value", "say either add or remove, with the id of one list")
        reader.read |= {"add", "remove"}
        return ListChange(id=node, next=reader.way("next"), list_id=NOBODY, add=add)
    list_id = reader.id("add" if add else "remove")
    return ListChange(id=node, next=reader.way("next"), list_id=list_id, add=add)


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
    "webhook": _webhook,
    "write_back": _write_back,
    "update": _update,
    "list": _list,
    "exit": _exit,
}
