"""How one person goes through a graph, second by second."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOON
from tests.workflows.graphs import EDUCATION, SERIES, series
from workflows.asks import AskHappened, AskSend, Leave, Outcome, Place, Stay, TurnedAway
from workflows.engine import advance
from workflows.graph import Graph, parse

GRAPH = parse(SERIES)
START = Place("educate", NOON, NOON)
SENT = advance(GRAPH, START, now=NOON, answer=True).place
DEADLINE = NOON + timedelta(days=3)


def test_a_message_is_asked_for_before_anything_moves() -> None:
    """CA-02"""
    outcome = advance(GRAPH, START, now=NOON)
    assert outcome.stopped == AskSend(GRAPH.steps["educate"])  # type: ignore[arg-type]
    assert outcome.place == START


def test_an_accepted_message_moves_the_person_on() -> None:
    assert advance(GRAPH, START, now=NOON, answer=True).place.node == "clicked"


def test_a_refused_person_leaves_with_the_reason() -> None:
    """PR-03"""
    turned = advance(GRAPH, START, now=NOON, answer=TurnedAway("auth_expired"))
    assert turned.stopped == Leave("refused:auth_expired")


def test_a_refused_person_goes_the_way_that_the_step_names() -> None:
    """PR-03"""
    graph = parse(series(educate={"refused": "end"}))
    turned = advance(graph, START, now=NOON, answer=TurnedAway("auth_expired"))
    assert isinstance(turned.stopped, Leave) and turned.stopped.outcome == "finished"


def test_silence_before_the_deadline_waits_for_it() -> None:
    """CA-05"""
    stopped = advance(GRAPH, SENT, now=NOON, answer=False).stopped
    assert stopped == Stay(DEADLINE, waiting_for="message.clicked")


def test_silence_at_the_deadline_takes_the_other_way() -> None:
    """CA-05"""
    assert advance(GRAPH, SENT, now=DEADLINE, answer=False).place.node == "remind"


def test_a_click_takes_its_way_at_once() -> None:
    """CA-04"""
    assert advance(GRAPH, SENT, now=NOON, answer=True).place.node == "invite"


def test_what_happened_by_the_deadline_counts_however_late_it_is_looked_at() -> None:
    late = advance(GRAPH, SENT, now=DEADLINE + timedelta(days=30)).stopped
    assert isinstance(late, AskHappened) and late.until == DEADLINE


def test_a_click_on_a_message_counts_from_the_moment_of_entry() -> None:
    stopped = advance(GRAPH, replace(SENT, arrived_at=DEADLINE), now=DEADLINE).stopped
    assert isinstance(stopped, AskHappened) and stopped.since == NOON


HOLD = parse(
    {
        "trigger": {"kind": "api"},
        "start": "hold",
        "nodes": [
            {"id": "hold", "kind": "wait", "for": {"hours": 2}, "next": "tell"},
            {"id": "tell", "kind": "update", "set": {"plan": "B"}, "next": "end"},
            {"id": "end", "kind": "exit"},
        ],
    }
)
HELD = Place("hold", NOON, NOON)


def test_a_wait_lasts_from_the_arrival() -> None:
    """CA-05"""
    assert advance(HOLD, HELD, now=NOON).stopped == Stay(NOON + timedelta(hours=2))


def test_what_a_step_changes_comes_out_as_an_effect() -> None:
    """CA-02"""
    outcome = advance(HOLD, HELD, now=NOON + timedelta(hours=2))
    assert outcome.effects == (HOLD.steps["tell"],) and outcome.stopped == Leave(
        "finished", exit=outcome_exit(HOLD)
    )


def outcome_exit(graph: Graph) -> Any:
    return graph.steps["end"]


def test_each_step_left_behind_is_told_once_with_its_way() -> None:
    passed = advance(HOLD, HELD, now=NOON + timedelta(hours=2)).passed
    assert [(one.node, one.way) for one in passed] == [("hold", "next"), ("tell", "next")]


def test_a_step_that_lies_behind_is_not_done_again() -> None:
    """CA-15"""
    again = replace(START, path=("educate",))
    assert advance(GRAPH, again, now=NOON).stopped == Leave("step_twice")


def test_the_budget_stops_what_a_check_missed() -> None:
    """CA-15"""
    spent = replace(START, path=tuple(f"step{number}" for number in range(200)))
    assert advance(GRAPH, spent, now=NOON).stopped == Leave("budget_spent")


@st.composite
def sound_graphs(draw: st.DrawFn) -> Graph:
    """Draw a graph whose ways only lead forward, so that it is sound but for the unreachable."""
    size = draw(st.integers(1, 8))
    names = [f"s{number}" for number in range(size)] + ["end"]

    def further(at: int) -> str:
        return draw(st.sampled_from(names[at + 1 :]))

    nodes: list[dict[str, Any]] = []
    for at, name in enumerate(names[:-1]):
        kind = draw(st.sampled_from(["send", "wait", "wait_for", "branch"]))
        node: dict[str, Any] = {"id": name, "kind": kind}
        if kind == "send":
            node |= {"template": EDUCATION, "next": names[at + 1], "refused": further(at)}
        elif kind == "wait":
            node |= {"for": {"days": 1}, "next": names[at + 1]}
        elif kind == "wait_for":
            node |= {"event": "x", "up_to": {"days": 1}, "heard": names[at + 1]}
            node |= {"unheard": further(at)}
        else:
            node |= {"if": {"list": EDUCATION}, "yes": names[at + 1], "no": further(at)}
        nodes.append(node)
    nodes.append({"id": "end", "kind": "exit"})
    return parse({"trigger": {"kind": "api"}, "start": "s0", "nodes": nodes})


@given(sound_graphs(), st.data())
def test_every_way_through_a_sound_graph_ends_and_repeats_nothing(
    graph: Graph, data: st.DataObject
) -> None:
    """CA-15"""
    now, place, answer = NOON, Place(graph.start, NOON, NOON), None
    passed: list[str] = []
    for _ in range(3 * len(graph.steps) + 3):
        outcome = advance(graph, place, now=now, answer=answer)
        passed += [one.node for one in outcome.passed]
        place, answer = outcome.place, _reply(outcome, data)
        if isinstance(outcome.stopped, Leave):
            break
        now += timedelta(days=1) if isinstance(outcome.stopped, Stay) else timedelta()
    assert outcome.stopped == Leave("finished", exit=graph.steps["end"])  # type: ignore[arg-type]
    assert len(passed) == len(set(passed))


def _reply(outcome: Outcome, data: st.DataObject) -> bool | TurnedAway | None:
    if isinstance(outcome.stopped, AskSend):
        return TurnedAway("no_authorization") if data.draw(st.booleans()) else True
    return None if isinstance(outcome.stopped, Stay) else data.draw(st.booleans())
