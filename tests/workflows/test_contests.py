"""An automatic winner: named once, beyond chance or not at all, and who was drawn keeps the lot."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry
from contacts import events
from tests.conftest import NOON
from tests.workflows.conftest import people
from tests.workflows.test_steps_in_depth import Draw, draw, go
from workflows import runner
from workflows.comparing import Group
from workflows.contests import deciding
from workflows.models import ContestVerdict, Enrolment, Workflow
from workflows.problems import GraphInvalid

__all__ = ["draw"]
DAY = timedelta(days=1)
LATE = NOON + 31 * DAY
WAITS = [{"id": name, "kind": "wait", "for": {"days": 60}, "next": "end"} for name in "abc"]


def lot(**more: Any) -> dict[str, Any]:
    return {"id": "lot", "kind": "split", "weight1": 40, "arm1": "a", "weight2": 40, "arm2": "b",
            "weight3": 20, "arm3": "c", "hold_out": "arm3", "won_by": "appointment.booked",
            "won_within": {"days": 14}, "decided_after": {"days": 30}, **more}  # fmt: skip


def book(node: str, share: float, *, after: timedelta = DAY) -> None:
    """Let this share of those at a step book."""
    ids = list(
        Enrolment.objects.filter(node=node).order_by("id").values_list("contact_id", flat=True)
    )
    at = NOON + after
    booked = [
        events.NewEvent(contact_id=one, kind="appointment.booked", occurred_at=at, source="ehr")
        for one in ids[: int(len(ids) * share)]
    ]
    events.append(booked, now=NOON + after)


def places() -> Counter[str]:
    return Counter(Enrolment.objects.values_list("node", flat=True))


@pytest.fixture
def contested(draw: Draw) -> Workflow:
    workflow = draw(lot(), *WAITS)
    go(workflow, *people(*(f"p{n}" for n in range(300))))
    return workflow


def test_the_better_arm_takes_who_comes_later_and_the_hold_out_keeps_its_share(
    contested: Workflow,
) -> None:
    before = places()
    book("a", 0.1)
    book("b", 0.6)
    assert deciding.decide_due(now=LATE) == 1
    assert ContestVerdict.objects.get().winner == "arm2"
    go(contested, *people(*(f"q{n}" for n in range(100))), now=LATE)
    after = places()
    assert after["a"] == before["a"] and 2 < after["c"] - before["c"] < 45
    assert after["b"] - before["b"] == 100 - (after["c"] - before["c"])
    assert Entry.objects.filter(action="workflow.winner_named").count() == 1


def test_a_difference_that_chance_explains_names_nobody(contested: Workflow) -> None:
    book("a", 0.3)
    book("b", 0.33)
    deciding.decide_due(now=LATE)
    assert ContestVerdict.objects.get().winner == ""
    go(contested, *people(*(f"q{n}" for n in range(60))), now=LATE)
    assert places()["a"] > 95


def test_a_contest_is_decided_once_and_not_before_its_time(contested: Workflow) -> None:
    assert deciding.decide_due(now=NOON + 29 * DAY) == 0
    assert deciding.decide_due(now=LATE) == 1
    book("b", 1)
    assert deciding.decide_due(now=LATE + DAY) == 0


def test_what_came_too_late_counts_for_no_arm(contested: Workflow) -> None:
    book("b", 1, after=15 * DAY)
    deciding.decide_due(now=LATE)
    held = ContestVerdict.objects.get()
    assert held.winner == "" and [did for _, did in held.counts.values()] == [0, 0]


def test_who_has_time_left_is_not_counted_yet(draw: Draw) -> None:
    workflow = draw(lot(), *WAITS)
    go(workflow, *people("a1", "a2"), now=LATE - DAY)
    deciding.decide_due(now=LATE)
    assert sum(size for size, _ in ContestVerdict.objects.get().counts.values()) == 0


def test_few_people_name_nobody() -> None:
    assert deciding.judged([Group("arm1", 20, 0), Group("arm2", 20, 20)]).winner == ""


def test_another_organisation_decides_nothing_of_ours(
    contested: Workflow, hill: Organisation
) -> None:
    """SE-01"""
    with tenancy.acting_for(hill.pk):
        assert deciding.decide_due(now=LATE) == 0
    runner.run_once(now=LATE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"won_by": None},
        {"won_within": None},
        {"decided_after": {"days": 7}},
        {"hold_out": "arm1", "weight3": None, "arm3": None},
    ],
)
def test_a_contest_that_cannot_be_decided_does_not_go_live(
    draw: Draw, at_harbor: Organisation, wrong: dict[str, Any]
) -> None:
    step = {key: value for key, value in lot(**wrong).items() if value is not None}
    with pytest.raises(GraphInvalid):
        draw(step, *WAITS)
