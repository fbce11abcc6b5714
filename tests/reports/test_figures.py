"""What a report counts, on a real database."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketing.reports import figures
from marketing.reports.cohort import Cohort
from tests.conftest import NOON
from tests.reports.conftest import LATER, Enter, booked, cohort, did, send_all
from tests.workflows.conftest import people
from workflows import enrol, runner, triggers
from workflows.models import Enrolment, Workflow

BOSTON = ZoneInfo("America/New_York")


def totals(of: Cohort) -> figures.Totals:
    """The whole, of its weeks."""
    weeks = figures.over_time(of, unit="week", zone=BOSTON)
    return figures.totals(weeks.values())


def test_people_and_programs_are_told_apart(trial: Workflow, enter: Enter) -> None:
    """CA-18, TR-05"""
    enter(8)
    first, second, *_ = send_all()
    did(first, "clicked", link="booking")
    did(first, "clicked", link="booking")
    did(second, "opened", machine=True)
    (line,) = figures.messages(cohort(trial))
    assert (line.people["clicked"], line.people["opened"]) == (1, 0)
    assert (line.programs["opened"], line.links) == (1, {"booking": 1})


def test_each_message_is_counted_by_its_state_and_reason(trial: Workflow) -> None:
    """CA-18"""
    never_asked = people(*(f"n{number}" for number in range(40)))
    enrol.enrol(trial.id, never_asked, now=NOON)
    runner.run_once(now=NOON)
    (line,) = figures.messages(cohort(trial))
    assert line.states["refused"] == line.refusals["no_authorization"] > 0


def test_the_steps_say_where_people_left_and_why(trial: Workflow) -> None:
    """CA-18"""
    enrol.enrol(trial.id, people(*(f"n{number}" for number in range(40))), now=NOON)
    runner.run_once(now=NOON)
    steps = {one.node: one for one in figures.steps(cohort(trial))}
    lost = steps["educate"].left
    assert set(lost) == {"no_authorization"}
    assert lost.total() == steps["lot"].ways["arm1"] == steps["educate"].arrived


def test_the_end_is_no_leaving(trial: Workflow, enter: Enter) -> None:
    enter(8)
    steps = {one.node: one for one in figures.steps(cohort(trial))}
    assert (steps["end"].left.total(), steps["end"].finished) == (0, steps["lot"].ways["arm2"])


def test_the_time_in_a_step_is_that_of_half_and_of_nine_in_ten(
    trial: Workflow, enter: Enter
) -> None:
    enter(8)
    runner.run_once(now=NOON + timedelta(days=3))
    spell = next(one.spell for one in figures.steps(cohort(trial)) if one.node == "rest")
    assert spell is not None and (spell.median, spell.p90) == (3 * 86_400, 3 * 86_400)


def test_everybody_is_counted_once_in_the_totals(trial: Workflow, enter: Enter) -> None:
    enter(8)
    messages = send_all()
    did(messages[0], "clicked")
    did(messages[0], "opened")
    told = totals(cohort(trial))
    assert (told.entered, told.reached, told.engaged) == (8, len(messages), 1)


def test_totals_by_day_are_those_of_the_organisations_wall(trial: Workflow, enter: Enter) -> None:
    enter(4)
    Enrolment.objects.update(entered_at=NOON.replace(hour=2))
    (day,) = figures.over_time(cohort(trial), unit="day", zone=BOSTON)
    assert day == date(NOON.year, NOON.month, NOON.day) - timedelta(days=1)


def test_a_segment_and_the_others_add_up(trial: Workflow, enter: Enter) -> None:
    some = enter(8)[:3]
    inside, outside = figures.by_segment(cohort(trial), some)
    assert (inside.entered, outside.entered) == (3, 5)


def test_nobody_but_the_cohort_is_counted(trial: Workflow, enter: Enter) -> None:
    chosen = enter(8)[:3]
    assert totals(cohort(trial, members=chosen)).entered == 3
    assert totals(cohort(trial, since=LATER)).entered == 0


@pytest.mark.usefixtures("committed_db")
def test_who_reached_the_goal_inside_is_counted(trial: Workflow, enter: Enter) -> None:
    everybody = enter(8)
    booked(everybody)
    triggers.run_once(now=LATER)
    runner.run_once(now=LATER)
    inside = Enrolment.objects.filter(outcome="goal:booked").count()
    assert totals(cohort(trial)).came == inside > 0
