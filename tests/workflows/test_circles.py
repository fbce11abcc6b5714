"""Ways round for ever over several workflows are named before anything goes live (CA-15)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from accounts.models import Organisation
from contacts import lists
from contacts.segments import catalogue
from tests.conftest import NOON
from workflows import circles, lint, publishing
from workflows.graph import parse
from workflows.models import Workflow

pytestmark = pytest.mark.usefixtures("at_harbor")
END = {"id": "end", "kind": "exit"}
AGAIN = {"again": "after_leaving"}


def segment(name: str, tree: dict[str, Any]) -> str:
    return str(catalogue.save(name=name, tree=tree, now=NOON).id)


def speaks(value: str) -> dict[str, Any]:
    return {"field": "language", "op": "equals", "value": value}


def sets(value: str) -> dict[str, Any]:
    return {"id": "note", "kind": "update", "set": {"language": value}, "next": "end"}


def draft(trigger: dict[str, Any], *nodes: dict[str, Any], **end: Any) -> dict[str, Any]:
    start = nodes[0]["id"] if nodes else "end"
    return {"trigger": trigger, "start": start, "nodes": [*nodes, END | end]}


def enters(of: str, **more: Any) -> dict[str, Any]:
    return {"kind": "segment", "segment": of, **AGAIN, **more}


def made(name: str, raw: dict[str, Any]) -> Workflow:
    return publishing.create(name, slug=name.lower(), draft=raw, now=NOON)


def live(name: str, raw: dict[str, Any]) -> UUID:
    workflow = made(name, raw)
    publishing.publish(workflow.id, now=NOON)
    return workflow.id


def found(name: str, raw: dict[str, Any]) -> list[tuple[str, str, str]]:
    workflow = made(name, raw)
    problems = lint.check(raw, workflow_id=workflow.id)[1]
    return [(one.node, one.code, one.message) for one in problems]


def test_a_segment_that_one_step_fills_and_another_empties_closes_a_circle() -> None:
    """Teach sets Spanish, which lets into Greet; Greet sets English, which lets into Teach."""
    spanish, english = segment("Spanish", speaks("es")), segment("English", speaks("en"))
    live("Teach", draft(enters(english), sets("es")))
    ((node, code, message),) = found("Greet", draft(enters(spanish), sets("en")))
    assert (node, code) == ("note", "cycle")
    assert message == (
        "people would go round for ever, because the step changes language: Greet → Teach → Greet"
    )


def test_what_takes_a_person_in_once_closes_no_circle() -> None:
    spanish, english = segment("Spanish", speaks("es")), segment("English", speaks("en"))
    live("Teach", draft({"kind": "segment", "segment": english}, sets("es")))
    assert found("Greet", draft(enters(spanish), sets("en"))) == []


def test_a_time_between_two_entries_ends_the_circle_by_itself() -> None:
    spanish, english = segment("Spanish", speaks("es")), segment("English", speaks("en"))
    live("Teach", draft(enters(english, again={"days": 30}), sets("es")))
    assert found("Greet", draft(enters(spanish), sets("en"))) == []


def test_a_step_that_leads_out_of_the_segment_does_not_lead_into_it() -> None:
    """The everyday way: whom the segment lets in is marked, so that it lets nobody in again."""
    overdue = segment("Overdue", speaks("overdue"))
    assert found("Call", draft(enters(overdue), sets("contacted"))) == []


def test_who_leaves_by_its_own_step_would_come_in_again() -> None:
    overdue = segment("Overdue", speaks("overdue"))
    ((_, code, message),) = found("Call", draft(enters(overdue, on="left"), sets("contacted")))
    assert code == "cycle" and message.endswith(": Call → Call")


@pytest.mark.parametrize(
    ("tree", "closed"),
    [
        ({"not": speaks("es")}, False),
        ({"any": [speaks("es"), {"field": "gender", "op": "equals", "value": "female"}]}, True),
        ({"all": [speaks("es"), {"field": "gender", "op": "equals", "value": "female"}]}, True),
        ({"all": [speaks("en"), {"field": "gender", "op": "equals", "value": "female"}]}, False),
        ({"field": "gender", "op": "equals", "value": "female"}, False),
    ],
)
def test_what_a_segment_says_after_the_step_is_judged_with_the_rest_unknown(
    tree: dict[str, Any], closed: bool
) -> None:
    of = segment("Asked", tree)
    assert bool(found("Loop", draft(enters(of), sets("es")))) is closed


def test_a_list_leads_into_the_segment_that_reads_it() -> None:
    course = lists.create("Course", now=NOON)
    on_it = segment("On it", {"list": str(course.id)})
    joins = {"id": "join", "kind": "list", "add": str(course.id), "next": "end"}
    leaves = {"id": "leave", "kind": "list", "remove": str(course.id), "next": "end"}
    assert [one[:2] for one in found("Joins", draft(enters(on_it), joins))] == [("join", "cycle")]
    assert found("Leaves", draft(enters(on_it), leaves)) == []


def test_an_event_that_a_step_brings_lets_in_for_ever() -> None:
    trigger = {"kind": "event", "event": "contact.updated", "again": "each"}
    ((node, code, _),) = found("Notes", draft(trigger, sets("es")))
    assert (node, code) == ("note", "cycle")


def test_what_is_written_back_is_no_event_of_the_contact_here() -> None:
    trigger = {"kind": "event", "event": "outreach.completed", "again": "each"}
    tells = {"id": "tell", "kind": "write_back", "event": "outreach.completed", "next": "end"}
    assert found("Tells", draft(trigger, tells)) == []


def test_live_graphs_are_read_once_and_segments_once_a_check(
    django_assert_max_num_queries: Any,
) -> None:
    """Ten live workflows cost no more than two, once a process knows their versions."""
    spanish = segment("Spanish", speaks("es"))
    for number in range(10):
        live(f"W{number}", draft({"kind": "api"}, sets("es")))
    raw = draft(enters(spanish, again="never"), sets("en"))
    workflow = made("Greet", raw)
    graph = parse(raw)
    list(circles.problems(graph, workflow.id, now=NOON))
    with django_assert_max_num_queries(2):
        list(circles.problems(graph, workflow.id, now=NOON))


def test_jumps_and_segments_are_one_graph() -> None:
    """Greet sends on to Teach, and Teach's step fills the segment of Greet."""
    spanish = segment("Spanish", speaks("es"))
    teach = live("Teach", draft({"kind": "api"}, sets("es")))
    ((node, code, message),) = found("Greet", draft(enters(spanish), enter=str(teach)))
    assert (node, code) == ("end", "cycle")
    assert message == "people would go round for ever: Greet → Teach → Greet"


def test_a_circle_over_three_is_named_step_by_step() -> None:
    trees = {name: segment(name, speaks(name)) for name in ("aa", "bb", "cc")}
    live("First", draft(enters(trees["aa"]), sets("bb")))
    live("Second", draft(enters(trees["bb"]), sets("cc")))
    ((_, _, message),) = found("Third", draft(enters(trees["cc"]), sets("aa")))
    assert message.endswith("Third → First → Second → Third")


def test_a_draft_that_was_never_saved_is_checked_too(at_harbor: Organisation) -> None:
    spanish = segment("Spanish", speaks("es"))
    raw = draft(enters(spanish, on="left"), sets("en"))
    (problem,) = lint.check(raw)[1]
    assert problem.message.endswith("this workflow → this workflow")
