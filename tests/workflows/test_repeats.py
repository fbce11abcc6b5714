"""Goals that would send people through a step a second time are named before anything is live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Organisation
from tests.conftest import NOON
from workflows import lint, repeats
from workflows.asks import Leave, Place
from workflows.engine import advance
from workflows.graph import parse

DAY = {"for": {"days": 1}}
END = {"id": "end", "kind": "exit"}


def wait(name: str, then: str) -> dict[str, Any]:
    return {"id": name, "kind": "wait", **DAY, "next": then}


def goal(then: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "goal",
        "kind": "goal",
        "event": "visit.booked",
        "then": "jump",
        "next": then,
        **more,
    }


def draft(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"trigger": {"kind": "api"}, "start": nodes[0]["id"], "nodes": [*nodes, END]}


BACK = draft(
    wait("first", "second"), wait("second", "end"), wait("thanks", "second"), goal("thanks")
)


def named(raw: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.node, one.code) for one in repeats.problems(parse(raw))]


def test_a_goal_that_leads_back_is_named_with_the_step() -> None:
    """CA-16"""
    (problem,) = repeats.problems(parse(BACK))
    assert (problem.node, problem.code) == ("goal", "step_twice")
    assert "goal goes on at thanks, which leads to second" in problem.message


def test_what_is_named_would_have_happened() -> None:
    graph, later = parse(BACK), NOON + timedelta(days=1)
    place = advance(graph, Place("first", NOON, NOON), now=later).place
    assert place.node == "second"
    heard = Place(place.node, place.arrived_at, NOON, place.path, ("goal",))
    thanks = advance(graph, heard, now=later)
    again = advance(graph, thanks.place, now=later + timedelta(days=1))
    assert again.stopped == Leave("step_twice")


def test_a_goal_that_leads_on_to_the_end_is_in_order() -> None:
    assert named(draft(wait("first", "end"), wait("thanks", "end"), goal("thanks"))) == []


def test_a_goal_that_leads_forward_on_the_one_way_is_in_order() -> None:
    """Who has been at the later step is counted; who has not finds everything ahead."""
    assert named(draft(wait("first", "second"), wait("second", "end"), goal("second"))) == []


def test_steps_that_nobody_stands_at_may_be_shared() -> None:
    note = {"id": "note", "kind": "update", "set": {"language": "es"}, "next": "end"}
    assert named(draft(wait("first", "note"), note, wait("thanks", "note"), goal("thanks"))) == []


def test_a_way_that_only_another_goal_opens_counts_too() -> None:
    other = {"id": "other", "kind": "goal", "event": "visit.missed", "then": "jump", "next": "late"}
    raw = draft(
        wait("first", "end"), wait("late", "end"), wait("thanks", "late"), goal("thanks"), other
    )
    assert named(raw) == [("goal", "step_twice")]


def test_nothing_that_leads_back_is_published(at_harbor: Organisation) -> None:
    _, problems = lint.check(BACK)
    assert [one.code for one in problems] == ["step_twice"]


@pytest.mark.parametrize("then", ["exit", "count"])
def test_a_goal_that_does_not_jump_repeats_nothing(then: str) -> None:
    ends = {key: value for key, value in goal("thanks").items() if key != "next"} | {"then": then}
    assert named(draft(wait("first", "end"), ends)) == []
