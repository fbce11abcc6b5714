"""What next? A pure function of the graph, a person's place in it, what is known, and the time.

`advance` goes on from step to step until it has to wait, is at the end, or needs to know something
that only the world can answer: whether a message was accepted, whether something happened, whether
the person is in a segment. The caller finds the answer and calls again from the place it was given.
The runner and the simulator call the same function; nothing here knows which it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from workflows import clock
from workflows.asks import (
    Answer,
    Ask,
    AskAdmission,
    AskCall,
    AskClock,
    AskFirst,
    AskForeseen,
    AskHappened,
    AskLot,
    AskSegment,
    AskSend,
    AskTask,
    CallIs,
    Chosen,
    Clock,
    Decision,
    Effect,
    Leave,
    Lot,
    Move,
    Outcome,
    Passed,
    Place,
    Stay,
    TaskIs,
    TurnedAway,
)
from workflows.graph import Graph
from workflows.steps import (
    ARMS,
    THENS,
    Branch,
    Choose,
    Exit,
    Foreseen,
    Goal,
    Happened,
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
    Webhook,
    WriteBack,
)

LOOK_AGAIN = timedelta(hours=1)
"""How often a wait for a condition is looked at, beside the events that wake it."""
SEGMENT_ENTERED, RECORD_CHANGED, TASK_ENDED = "segment.entered", "contact.updated", "task.ended"
CALL_ENDED = "call.ended"
BUDGET = 200  # steps that one enrolment may take; a checked graph has no more


def advance(graph: Graph, place: Place, *, now: datetime, answer: Answer = None) -> Outcome:
    """Go as far as is known from `place`; `answer` is to the question that was asked there."""
    passed: list[Passed] = []
    effects: list[Effect] = []
    place, answer, kept = _before(graph, place, passed, answer, now)
    if kept is not None:
        return Outcome(place, kept, tuple(passed))
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


def _before(
    graph: Graph, place: Place, passed: list[Passed], answer: Answer, now: datetime
) -> tuple[Place, Answer, Ask | Leave | None]:
    """Look at who has just come in, and at what was reached since anybody looked."""
    if place.fresh and graph.trigger.guards:
        if answer is None:
            return place, None, AskAdmission()
        if answer is False:
            return place, None, Leave("kept_out")
        place, answer = replace(place, fresh=False), None
    while place.reached:
        answer = None
        place, over = _reach(graph, place, passed, now)
        if over is not None:
            return place, None, over
    return place, answer, None


def _reach(
    graph: Graph, place: Place, passed: list[Passed], now: datetime
) -> tuple[Place, Leave | None]:
    """Count a goal, once; it also ends the way or goes on from there, unless that lies behind."""
    goal, rest = graph.steps.get(place.reached[0]), place.reached[1:]
    place = replace(place, reached=rest)
    if not isinstance(goal, Goal) or goal.id in place.path:
        return place, None
    behind = (*place.path, place.node)
    if goal.then == "exit":
        passed.append(Passed(place.node, "goal", place.arrived_at, now))
        return Place(goal.id, now, place.entered_at, behind), Leave(f"goal:{goal.id}")
    if goal.then == "count" or goal.next in behind:
        passed.append(Passed(goal.id, "reached", now, now))
        return replace(place, path=(*place.path, goal.id)), None
    passed.append(Passed(place.node, "goal", place.arrived_at, now))
    passed.append(Passed(goal.id, "next", now, now))
    return Place(goal.next, now, place.entered_at, (*behind, goal.id), rest), None


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


def _until(step: Until, place: Place, answer: Answer, now: datetime) -> Decision:
    """The date is looked up again each time: it may have been moved meanwhile."""
    if not isinstance(answer, Clock):
        return AskClock(step)
    due_at = clock.due(step, arrived_at=place.arrived_at, zones=answer.zones, known=answer.known)
    if due_at is None:
        return Move("late") if step.late else Leave("no_date")
    if due_at < place.arrived_at:
        return Move("late" if step.late else "next")
    return Move("next") if now >= due_at else Stay(due_at, RECORD_CHANGED if step.field else "")


def _wait_for(step: WaitFor, place: Place, answer: Answer, now: datetime) -> Decision:
    """What happened by the deadline counts, however late it is looked at."""
    deadline = place.arrived_at + step.patience
    if step.condition is not None:
        return _wait_for_condition(step.condition, deadline, answer, now)
    if answer is None:
        since = place.entered_at if step.of else place.arrived_at
        return AskHappened(step.happened, since, deadline)
    if answer is True:
        return Move("heard")
    return Move("unheard") if now >= deadline else Stay(deadline, waiting_for=step.event)


def _wait_for_condition(
    condition: InSegment, deadline: datetime, answer: Answer, now: datetime
) -> Decision:
    """Nobody can say what held by a deadline that is over, so only what holds now counts."""
    if answer is None:
        return AskSegment(condition)
    if answer is True:
        return Move("heard")
    if now >= deadline:
        return Move("unheard")
    return Stay(min(deadline, now + LOOK_AGAIN), waiting_for=SEGMENT_ENTERED)


def _choose(step: Choose, place: Place, answer: Answer, now: datetime) -> Decision:
    if not isinstance(answer, Chosen):
        return AskFirst(step.conditions, place.entered_at, now, place.arrived_at)
    return Move(THENS[answer.place] if answer.place >= 0 else "other")


def _split(step: Split, _place: Place, answer: Answer, _now: datetime) -> Decision:
    """The lot falls on the arm whose stretch of the whole it lies in."""
    if not isinstance(answer, Lot):
        return AskLot(step.id)
    arm = _arm(step, answer.drawn)
    return Move(answer.winner if answer.winner and arm != step.hold_out else arm)


def _arm(step: Split, drawn: float) -> str:
    left = drawn * sum(step.weights)
    for arm, weight in zip(ARMS, step.weights, strict=False):
        if left < weight:
            return arm
        left -= weight
    return ARMS[len(step.weights) - 1]


def _goal(step: Goal, *_: Any) -> Decision:
    """Who only walks by has not reached it; graphs lead no way here, but one may by hand."""
    return Move("next") if step.next else Leave("finished")


def _task(step: Task, place: Place, answer: Answer, now: datetime) -> Decision:
    deadline = place.arrived_at + step.patience
    if not isinstance(answer, TaskIs):
        return AskTask(step, place.arrived_at)
    if answer.state in ("done", "failed"):
        return Move(answer.state)
    return Move("overdue") if now >= deadline else Stay(deadline, waiting_for=TASK_ENDED)


def _webhook(step: Webhook, place: Place, answer: Answer, now: datetime) -> Decision:
    """An answer that came before anybody looked counts, however late that is."""
    deadline = place.arrived_at + step.patience
    if not isinstance(answer, CallIs):
        return AskCall(step, place.arrived_at)
    if answer.state == "answered":
        return Move(THENS[answer.reply - 1] if answer.reply else "answered")
    if answer.state == "failed" or now >= deadline:
        return Move("failed")
    return Stay(deadline, waiting_for=CALL_ENDED)


def _branch(step: Branch, place: Place, answer: Answer, now: datetime) -> Decision:
    if answer is None:
        if isinstance(step.condition, Happened):
            return AskHappened(step.condition, place.entered_at, now)
        if isinstance(step.condition, Foreseen):
            return AskForeseen(step.condition, place.arrived_at)
        return AskSegment(step.condition)
    return Move("yes" if answer is True else "no")


def _change(step: Effect, *_: Any) -> Decision:
    return Move("next", effect=step)


def _exit(step: Exit, *_: Any) -> Decision:
    return Leave("finished", exit=step)


_DECIDE: dict[type[Step], Callable[[Any, Place, Answer, datetime], Decision]] = {
    Send: _send,
    Wait: _wait,
    Until: _until,
    WaitFor: _wait_for,
    Branch: _branch,
    Choose: _choose,
    Split: _split,
    Goal: _goal,
    Task: _task,
    Webhook: _webhook,
    WriteBack: _change,
    Update: _change,
    ListChange: _change,
    Exit: _exit,
}
