"""What a graph may be, and how its faults are named."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.graphs import SERIES, series
from workflows.graph import parse
from workflows.problems import GraphInvalid, Problem
from workflows.steps import Exit, Send, WaitFor


def problems(raw: object) -> tuple[Problem, ...]:
    with pytest.raises(GraphInvalid) as caught:
        parse(raw)
    return caught.value.problems


def found(raw: object) -> set[tuple[str, str]]:
    return {(one.node, one.code) for one in problems(raw)}


def with_steps(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {**deepcopy(SERIES), "nodes": [*deepcopy(SERIES["nodes"]), *nodes]}


def test_a_sound_graph_is_read_step_by_step() -> None:
    graph = parse(SERIES)
    assert [type(step) for step in graph.steps.values()] == [Send, WaitFor, Send, Send, Exit]


def test_the_order_puts_nothing_before_what_leads_to_it() -> None:
    assert parse(SERIES).in_order() == ["educate", "clicked", "invite", "remind", "end"]


def test_a_cycle_is_named_step_by_step() -> None:
    """CA-15"""
    (only,) = [one for one in problems(series(invite={"next": "educate"})) if one.code == "cycle"]
    assert only.node == "educate" and only.message.endswith("educate → clicked → invite → educate")


def test_a_step_that_leads_to_itself_is_a_cycle() -> None:
    """CA-15"""
    assert ("remind", "cycle") in found(series(remind={"next": "remind"}))


def test_a_step_that_nothing_leads_to_is_unreachable() -> None:
    assert found(with_steps({"id": "lost", "kind": "exit"})) == {("lost", "unreachable")}


@pytest.mark.parametrize("way", [{"next": None}, {"next": "nowhere"}])
def test_a_step_that_leads_nowhere_is_named(way: dict[str, Any]) -> None:
    assert ("invite", "missing_next") in found(series(invite=way))


def test_a_graph_without_an_exit_is_refused() -> None:
    raw = {**SERIES, "start": "hold", "nodes": [{"id": "hold", "kind": "wait", "for": {"days": 1}}]}
    assert ("", "no_exit") in found(raw)


def test_all_problems_come_at_once_in_the_order_of_the_steps() -> None:
    raw = series(educate={"template": "soon"}, clicked={"up_to": {"days": 0}}, invite={"next": "x"})
    assert [(one.node, one.code) for one in problems(raw)] == [
        ("educate", "bad_value"),
        ("clicked", "bad_duration"),
        ("invite", "missing_next"),
    ]


def test_two_steps_with_one_id_are_refused() -> None:
    assert ("end", "same_id") in found(with_steps({"id": "end", "kind": "exit"}))


def test_an_unknown_kind_names_the_kinds_there_are() -> None:
    (only,) = [one for one in problems(series(end={"kind": "stop"})) if one.node == "end"]
    assert "send, wait, until, wait_for, branch, choose, split, goal, task" in only.message


def test_a_misspelt_key_is_not_passed_over() -> None:
    assert found(series(educate={"topics": "diabetes"})) == {("educate", "unknown_key")}


@pytest.mark.parametrize(
    "of", ["remind", "clicked", "nothing"], ids=["sent later", "sends nothing", "no such step"]
)
def test_a_click_can_only_be_awaited_on_a_message_sent_before(of: str) -> None:
    assert ("clicked", "unknown_message") in found(series(clicked={"of": of}))


@pytest.mark.parametrize("amount", [{"days": 1.5}, {"days": True}, {"months": 1}, {}, "3 days", -1])
def test_a_time_that_is_not_one_is_refused(amount: object) -> None:
    assert ("clicked", "bad_value") in found(series(clicked={"up_to": amount}))


@pytest.mark.parametrize("amount", [{"days": 401}, {"days": -1}, {"weeks": 10**12}])
def test_a_time_out_of_bounds_is_refused(amount: dict[str, int]) -> None:
    assert ("clicked", "bad_duration") in found(series(clicked={"up_to": amount}))


@pytest.mark.parametrize("change", [{"add": "x"}, {}, {"add": SERIES["start"], "remove": "y"}])
def test_a_list_step_needs_exactly_one_list(change: dict[str, Any]) -> None:
    raw = series(invite={"kind": "list", "template": None, **change})
    assert ("invite", "bad_value") in found(raw)


def test_an_update_that_changes_nothing_is_refused() -> None:
    raw = series(invite={"kind": "update", "template": None})
    assert found(raw) == {("invite", "missing")}


@pytest.mark.parametrize("raw", [None, [], "", 3, {}, {"nodes": {}}, {"nodes": [3, None, []]}])
def test_what_is_no_graph_at_all_is_refused_with_a_sentence(raw: object) -> None:
    assert all(one.message for one in problems(raw))


WORDS = "id next yes no heard unheard if of event up_to for template set clear add remove refused"
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    ["a", "b", "c", "", None, 3, True, [], {}, {"days": 1}, {"of": "a"}]
)
NODES = st.builds(
    lambda kind, keys, values: {**dict(zip(keys, values, strict=True)), "kind": kind},
    st.sampled_from(["send", "wait", "wait_for", "branch", "update", "list", "exit", "other"]),
    st.just(WORDS.split()),
    st.lists(VALUES, min_size=17, max_size=17),
)


@given(st.lists(NODES, max_size=4))
def test_whatever_is_handed_in_is_read_or_refused_with_reasons(nodes: list[dict[str, Any]]) -> None:
    raw = {"trigger": {"kind": "api"}, "start": "a", "nodes": nodes}
    try:
        assert parse(raw).start == "a"
    except GraphInvalid as invalid:
        assert invalid.problems
