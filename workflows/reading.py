"""Read one step or trigger from JSON, collecting every problem instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from workflows import reading_calls, reading_changes, reading_conditions, reading_dates
from workflows.problems import Problem
from workflows.reader import EVENT, ID, NOBODY, Reader
from workflows.steps import (
    Branch,
    Exit,
    Goal,
    InSegment,
    ListChange,
    Send,
    Step,
    Task,
    Wait,
    WaitFor,
    WriteBack,
)

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


def _wait_for(reader: Reader, node: str) -> Step:
    condition = None
    if reader.has("if"):
        asked = reading_conditions.condition(reader, "if")
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
        condition=reading_conditions.condition(reader, "if"),
        yes=reader.way("yes"),
        no=reader.way("no"),
    )


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


def _write_back(reader: Reader, node: str) -> Step:
    return WriteBack(
        id=node,
        next=reader.way("next"),
        event=reader.text("event", pattern=EVENT),
        about=reader.text("about", pattern=ID, optional=True),
    )


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
    "until": reading_dates.until,
    "wait_for": _wait_for,
    "branch": _branch,
    "choose": reading_conditions.choose,
    "split": reading_conditions.split,
    "goal": _goal,
    "task": _task,
    "webhook": reading_calls.webhook,
    "write_back": _write_back,
    "update": reading_changes.update,
    "list": _list,
    "exit": _exit,
}
