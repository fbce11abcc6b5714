"""What next? A pure function of the graph, a person's place in it, what is known, and the time.

`advance` goes on from step to step until it has to wait, is at the end, or needs to know something
that only the world can answer: whether a message was accepted, whether something happened, whether
the person is in a segment. The caller finds the answer and calls again from the place it was given.
The runner and the simulator call the same function; nothing here knows which it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.graph import Graph
from workflows.steps import (
    Branch,
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

BUDGET = 200  # steps that one enrolment may take; a checked graph has no more


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is: the step, since when, since when inside, and the steps left behind."""

    node: str
    arrived_at: datetime
    entered_at: datetime
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """One step left behind: by which way, from when to when."""

    node: str
    way: str
    arrived_at: datetime
    left_at: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """Nothing to do until `due_at`, or until `waiting_for` is heard."""

    due_at: datetime
    waiting_for: str = ""


@dataclass(frozen=True, slots=True)
class AskSend:
    """Have this message accepted. Answer: True, or TurnedAway."""

    step: Send


@dataclass(frozen=True, slots=True)
class AskHappened:
    """Did a person do this between the two moments, both included? Answer: True or False."""

    happened: Happened
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class AskSegment:
    """Is the person in the segment now? Answer: True or False."""

    condition: InSegment


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The message was refused, with the gate's code."""

    code: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The end: `finished`, or why the person left before it, and perhaps where to go on."""

    outcome: str
    exit: Exit | None = None


Ask = AskSend | AskHappened | AskSegment
Answer = bool | TurnedAway | None
Effect = Update | ListChange


@dataclass(frozen=True, slots=True)
class Move:
    way: str
    effect: Effect | None = None


Decision = Move | Stay | AskSend | AskHappened | AskSegment | Leave


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far it went: the steps passed, what to do for them, and where and why it stopped."""

    place: Place
    stopped: Stay | AskSend | AskHappened | AskSegment | Leave
    passed: tuple[Passed, ...] = ()
    effects: tuple[Effect, ...] = ()


def advance(graph: Graph, place: Place, *, now: datetime, answer: Answer = None) -> Outcome:
    """Go as far as is known from `place`; `answer` is to the question that was asked there."""
    passed: list[Passed] = []
    effects: list[Effect] = []
    while True:
        stopped = _next(graph, place, answer, now)
        if not isinstance(stopped, Move):
            return Outcome(place, stopped, tuple(passed), tuple(effects))
        if stopped.effect is not None:
            effects.append(stopped.effect)
        passed.append(Passed(place.node, stopped.way, place.arrived_at, now))
        there = getattr(graph.steps[place.node], stopped.way)
        place = Place(there, now, place.entered_at, (*place.path, place.node))
        answer = None


def _next(graph: Graph, place: Place, answer: Answer, now: datetime) -> Decision:
    """Decide at one step, after what a check of the graph can miss: going round, going on."""
    if place.node in place.path:
        return Leave("step_twice")
    if len(place.path) >= BUDGET:
        return Leave("budget_spent")
    step = graph.steps.get(place.node)
    if step is None:
        return Leave("no_such_step")
    return _DECIDE[type(step)](step, place, answer, now)


def _send(step: Send, _place: Place, answer: Answer, _now: datetime) -> Decision:
    if answer is None:
        return AskSend(step)
    if isinstance(answer, TurnedAway):
        return Move("refused") if step.refused else Leave(f"refused:{answer.code}")
    return Move("next")


def _wait(step: Wait, place: Place, _answer: Answer, now: datetime) -> Decision:
    due_at = place.arrived_at + step.patience
    return Move("next") if now >= due_at else Stay(due_at)


def _wait_for(step: WaitFor, place: Place, answer: Answer, now: datetime) -> Decision:
    """What happened by the deadline counts, however late it is looked at."""
    deadline = place.arrived_at + step.patience
    if answer is None:
        since = place.entered_at if step.of else place.arrived_at
        return AskHappened(step.happened, since, deadline)
    if answer is True:
        return Move("heard")
    return Move("unheard") if now >= deadline else Stay(deadline, waiting_for=step.event)


def _branch(step: Branch, place: Place, answer: Answer, now: datetime) -> Decision:
    if answer is None:
        if isinstance(step.condition, Happened):
            return AskHappened(step.condition, place.entered_at, now)
        return AskSegment(step.condition)
    return Move("yes" if answer is True else "no")


def _change(step: Update | ListChange, *_: Any) -> Decision:
    return Move("next", effect=step)


def _exit(step: Exit, *_: Any) -> Decision:
    return Leave("finished", exit=step)


_DECIDE: dict[type[Step], Callable[[Any, Place, Answer, datetime], Decision]] = {
    Send: _send,
    Wait: _wait,
    WaitFor: _wait_for,
    Branch: _branch,
    Update: _change,
    ListChange: _change,
    Exit: _exit,
}
