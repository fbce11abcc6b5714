"""A step adds to a number of the contact, once for each step, live and simulated."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation
from contacts.amending import More, amend
from contacts.canonical import ValueRefused
from contacts.fields import DataClass
from contacts.reveal import reveal
from tests.conftest import NOON
from tests.workflows.conftest import people
from tests.workflows.test_steps_in_depth import LONG, Draw, draw, go
from workflows.models import Workflow
from workflows.problems import GraphInvalid
from workflows.simulate import keeping

__all__ = ["draw"]


def add(node: str, to: str, **more: Any) -> dict[str, Any]:
    return {"id": node, "kind": "update", "next": to, "add": {"household_size": 2}, **more}


def size(contact_id: int) -> object:
    return reveal([contact_id], [DataClass.DEMOGRAPHIC], purpose="test")[contact_id].get(
        "household_size"
    )


def test_steps_add_up_and_nothing_known_counts_as_nothing(draw: Draw) -> None:
    (ada,), (ben,) = people("ada", household_size=3), people("ben")
    go(draw(add("a", "b"), add("b", "long", add={"household_size": -1}), LONG), ada, ben)
    assert (size(ada), size(ben)) == (4, 1)


def test_what_one_step_sets_the_next_adds_to(draw: Draw) -> None:
    (ada,) = people("ada", household_size=3)
    sets = {"id": "a", "kind": "update", "set": {"household_size": 10}, "next": "b"}
    go(draw(sets, add("b", "long"), LONG), ada)
    assert size(ada) == 12


def test_a_simulated_branch_sees_what_was_added(draw: Draw) -> None:
    asks = {"field": "household_size", "op": "gte", "value": 4}
    fork = {"id": "f", "kind": "branch", "if": asks, "yes": "end", "no": "long"}
    workflow: Workflow = draw(add("a", "b"), add("b", "f"), fork, LONG)
    plan = {"people": {"kind": "synthetic", "count": 3}, "days": 2}
    made = keeping.start(workflow, plan, number=None, raw_promises=[], now=NOON)
    keeping.work(made, now=NOON)
    assert made.result["finished"] == 3


def test_only_numbers_are_added_to(at_harbor: Organisation) -> None:
    (ada,) = people("ada")
    with pytest.raises(ValueRefused):
        amend({ada: {"plan": More(1)}}, source="test", now=NOON)


@pytest.mark.parametrize(
    "wrong",
    [{"plan": 1}, {"no_such": 1}, {"household_size": 0}, {"household_size": 1.5}, [], {}],
)
def test_what_cannot_be_added_does_not_go_live(
    draw: Draw, at_harbor: Organisation, wrong: object
) -> None:
    with pytest.raises(GraphInvalid):
        draw(add("a", "end", add=wrong))


def test_a_number_is_not_set_and_added_to_in_one_step(draw: Draw, at_harbor: Organisation) -> None:
    with pytest.raises(GraphInvalid, match="not both"):
        draw(add("a", "end", set={"household_size": 1}))
