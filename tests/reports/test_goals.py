"""What the journey brought about, beside those held out."""

from __future__ import annotations

from datetime import timedelta

from marketing.campaigns.trial import Group
from marketing.reports import goals
from tests.conftest import NOON
from tests.reports.conftest import LATER, Enter, booked, cohort
from workflows.models import Enrolment, Move, Workflow


def arms(trial: Workflow, *, days: int = 30) -> dict[str, Group]:
    found = goals.conversion(cohort(trial), goal="appointment.booked", days=days)
    return {arm.way: arm.group for arm in found.trials[0].arms}


def drew(way: str) -> list[int]:
    ids = Move.objects.filter(node="lot", way=way).values_list("enrolment_id", flat=True)
    return list(Enrolment.objects.filter(id__in=list(ids)).values_list("contact_id", flat=True))


def test_the_hold_out_is_heard_though_it_left_at_once(trial: Workflow, enter: Enter) -> None:
    """CA-18. Only the event counts, not whether the person was still inside."""
    enter(12)
    held = drew("arm2")
    booked(held[:2])
    assert (arms(trial)["arm2"].size, arms(trial)["arm2"].did) == (len(held), 2)


def test_everybody_who_drew_the_lot_is_counted_written_to_or_not(
    trial: Workflow, enter: Enter
) -> None:
    """CA-18"""
    enter(12)
    found = arms(trial)
    assert found["arm1"].size + found["arm2"].size == 12


def test_what_comes_after_the_days_does_not_count(trial: Workflow, enter: Enter) -> None:
    booked(enter(12), at=NOON + timedelta(days=8))
    assert [one.did for one in arms(trial, days=7).values()] == [0, 0]
    assert sum(one.did for one in arms(trial, days=14).values()) == 12


def test_what_came_before_the_draw_does_not_count(trial: Workflow, enter: Enter) -> None:
    booked(enter(12), at=NOON - timedelta(hours=1))
    assert [one.did for one in arms(trial).values()] == [0, 0]


def test_two_bookings_of_one_person_count_once(trial: Workflow, enter: Enter) -> None:
    one = enter(1)
    booked(one)
    booked(one, at=LATER + timedelta(days=1))
    found = goals.conversion(cohort(trial), goal="appointment.booked", days=30)
    assert (found.everybody.size, found.everybody.did) == (1, 1)


def test_the_effect_is_the_gap_with_its_interval() -> None:
    """CA-18. Newcombe 1998, method 10, table II (a): 56/70 against 48/80 gives 0.0524 to 0.3339."""
    found = goals.effect(Group("written", 70, 56), Group("hold", 80, 48))
    assert found is not None and round(found.gap, 4) == 0.2
    assert (round(found.interval.low, 4), round(found.interval.high, 4)) == (0.0524, 0.3339)


def test_an_empty_hold_out_compares_nothing() -> None:
    assert goals.effect(Group("written", 70, 56), Group("hold", 0, 0)) is None
