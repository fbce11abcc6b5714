"""Whatever legal graph, whatever answers: nobody is lost, no step comes twice, everybody ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import NOON
from tests.workflows.graphs import EDUCATION, once_only
from workflows.asks import (
    AskCall,
    AskClock,
    AskFirst,
    AskLot,
    AskSend,
    AskTask,
    CallIs,
    Chosen,
    Clock,
    Leave,
    Lot,
    Place,
    Stay,
    TaskIs,
    TurnedAway,
)
from workflows.engine import advance
from workflows.graph import Graph, parse
from workflows.problems import GraphInvalid
from workflows.steps import WAYS

WHERE = {"field": "gender", "op": "equals", "value": "female"}
KINDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "send": ({"template": EDUCATION}, ("next", "refused")),
    "wait": ({"for": {"days": 2}}, ("next",)),
    "until": ({"field": "last_visit", "after": {"days": 5}, "at": "09:00"}, ("next", "late")),
    "wait_for": ({"event": "order.placed", "up_to": {"days": 3}}, ("heard", "unheard")),
    "branch": ({"if": WHERE}, ("yes", "no")),
    "choose": ({"if1": WHERE, "if2": WHERE}, ("then1", "then2", "other")),
    "split": ({"weight1": 1, "weight2": 2}, ("arm1", "arm2")),
    "task": ({"title": "Call", "due": {"days": 2}}, ("done", "failed", "overdue")),
    "webhook": (
        {"endpoint": EDUCATION, "up_to": {"hours": 2}, "reply1": {"status": 404}},
        ("answered", "then1", "failed"),
    ),
    "write_back": ({"event": "outreach.completed"}, ("next",)),
    "update": ({"set": {"plan": "A"}}, ("next",)),
}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Every way leads to a later step, so that most drawings are legal; goals are thrown in."""
    size = draw(st.integers(1, 9))
    nodes: list[dict[str, Any]] = []
    for at in range(size):
        kind = draw(st.sampled_from(sorted(KINDS)))
        fields, ways = KINDS[kind]
        # The first way leads to the very next step: so each step is reached.
        ahead = [at + 1, *(draw(st.integers(at + 1, size)) for _ in ways[1:])]
        leads = {way: f"s{to}" for way, to in zip(ways, ahead, strict=True)}
        nodes.append({"id": f"s{at}", "kind": kind, **fields, **leads})
    nodes.append({"id": f"s{size}", "kind": "exit"})
    for number in range(draw(st.integers(0, 2))):
        then = draw(st.sampled_from(["exit", "jump", "count"]))
        lead = {"next": f"s{draw(st.integers(0, size))}"} if then == "jump" else {}
        event = {"event": "order.placed", "then": then}
        nodes.append({"id": f"g{number}", "kind": "goal", **event, **lead})
    return parse(once_only({"trigger": {"kind": "api"}, "start": "s0", "nodes": nodes}))


@st.composite
def answers(draw: st.DrawFn, asked: object) -> Any:
    if isinstance(asked, AskSend):
        return draw(st.sampled_from([True, TurnedAway("no_authorization")]))
    if isinstance(asked, AskFirst):
        return Chosen(draw(st.integers(-1, len(asked.conditions) - 1)))
    if isinstance(asked, AskLot):
        return Lot(draw(st.floats(0, 1, exclude_max=True)))
    if isinstance(asked, AskClock):
        known = draw(st.sampled_from([None, NOON, NOON - timedelta(days=40)]))
        return Clock((ZoneInfo("America/New_York"),), known)
    if isinstance(asked, AskCall):
        state = draw(st.sampled_from(["open", "answered", "failed"]))
        return CallIs(state, draw(st.integers(0, len(asked.step.replies))))
    if isinstance(asked, AskTask):
        return TaskIs(draw(st.sampled_from(["open", "done", "failed"])))
    return draw(st.booleans())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_everybody_goes_on_once_and_comes_to_an_end(data: st.DataObject) -> None:
    """CA-15, CA-16, pain 20"""
    graph = data.draw(graphs())
    place, now, moves, answer = Place(graph.start, NOON, NOON), NOON, [], None
    goals = [one.id for one in graph.goals()]
    for _ in range(300):
        outcome = advance(graph, place, now=now, answer=answer)
        moves += [passed.node for passed in outcome.passed]
        place, answer = outcome.place, None
        assert place.node in graph.steps
        assert place.path == tuple(moves)
        if isinstance(outcome.stopped, Leave):
            break
        if isinstance(outcome.stopped, Stay):
            assert outcome.stopped.due_at > now
            now = outcome.stopped.due_at
            reached = data.draw(st.lists(st.sampled_from(goals), max_size=2)) if goals else []
            place = Place(place.node, place.arrived_at, NOON, place.path, tuple(reached))
        else:
            answer = data.draw(answers(outcome.stopped))
    else:
        raise AssertionError("the way never came to an end")
    assert len(set(moves)) == len(moves)
    assert place.node not in moves


@given(graphs())
def test_every_legal_graph_is_in_order_and_every_way_is_known(graph: Graph) -> None:
    order = graph.in_order()
    for node, step in graph.steps.items():
        for way in WAYS[type(step)]:
            there = getattr(step, way)
            assert not there or order.index(node) < order.index(there)


def test_a_way_to_a_goal_is_named() -> None:
    nodes = [
        {"id": "a", "kind": "wait", "for": {"days": 1}, "next": "g"},
        {"id": "g", "kind": "goal", "event": "order.placed", "then": "exit"},
        {"id": "end", "kind": "exit"},
    ]
    try:
        parse({"trigger": {"kind": "api"}, "start": "a", "nodes": nodes})
    except GraphInvalid as invalid:
        assert "g" in {one.node for one in invalid.problems}
    else:
        raise AssertionError("it was not named")
