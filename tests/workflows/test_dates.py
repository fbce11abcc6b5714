"""People come in by dates of their own: on the right local day, once, and moved dates count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Organisation
from contacts.amending import amend
from contacts.facts import CLEAR
from contacts.records import Change, upsert
from tests.conftest import NOON
from tests.workflows.conftest import people
from tests.workflows.test_steps_in_depth import LONG, Draw, draw
from workflows import runner, triggers
from workflows.models import Enrolment, Workflow
from workflows.problems import GraphInvalid

__all__ = ["draw"]
DAY = timedelta(days=1)
YORK = ZoneInfo("America/New_York")


def date(**more: Any) -> dict[str, Any]:
    return {"kind": "date", "field": "coverage_end", "at": "09:00", **more}


def entered() -> list[datetime]:
    rows = Enrolment.objects.order_by("entered_at", "id")
    return [one.astimezone(YORK) for one in rows.values_list("entered_at", flat=True)]


def live_through(days: int, *, start: datetime = NOON) -> None:
    """Look every hour, as the loop does more often."""
    for hour in range(24 * days):
        triggers.run_once(now=start + timedelta(hours=hour))


def test_three_days_before_a_date_at_nine_of_the_clinic(draw: Draw) -> None:
    """CA-09"""
    people("ada", coverage_end="2026-03-08")
    people("ben", coverage_end="2026-04-08")
    draw(LONG, trigger=date(before={"days": 3}))
    live_through(5)
    assert [f"{one:%m-%d %H}" for one in entered()] == ["03-05 09"]


def test_the_time_of_day_stays_over_a_clock_change(draw: Draw) -> None:
    """Clocks go forward on 8 March 2026 in New York."""
    people("ada", coverage_end="2026-03-07")
    people("ben", coverage_end="2026-03-09")
    workflow = draw(LONG, trigger=date())
    live_through(8)
    assert [f"{one:%m-%d %H:%M}" for one in entered()] == ["03-07 09:00", "03-09 09:00"]
    assert Workflow.objects.get(id=workflow.id).comes_at == datetime(2026, 3, 10, 13, tzinfo=UTC)


def test_a_birthday_comes_every_year(draw: Draw) -> None:
    """CA-09; 29 February is kept on 1 March in common years."""
    people("ada", birth_date="1961-03-04")
    people("leap", birth_date="1960-02-29")
    draw({**LONG, "for": {"days": 1}}, trigger=date(field="birth_date", yearly=True))
    for start in (datetime(2027, 3, 1, 12, tzinfo=UTC), datetime(2028, 2, 29, 12, tzinfo=UTC)):
        Workflow.objects.update(comes_at=start)
        live_through(5, start=start)
        runner.run_once(now=start + 9 * DAY)
    days = [f"{one:%Y-%m-%d}" for one in entered()]
    assert days == ["2027-03-01", "2027-03-04", "2028-02-29", "2028-03-04"]


def test_a_birthday_is_known_days_ahead_over_the_end_of_the_year(draw: Draw) -> None:
    people("ada", birth_date="1961-01-02")
    start = datetime(2026, 12, 28, 12, tzinfo=UTC)
    draw(LONG, trigger=date(field="birth_date", yearly=True, before={"days": 3}))
    Workflow.objects.update(comes_at=start)
    live_through(5, start=start)
    assert [f"{one:%Y-%m-%d}" for one in entered()] == ["2026-12-30"]


def test_days_after_a_moment_count_by_the_local_day(draw: Draw) -> None:
    """A visit at 23:30 in New York is the next day in UTC."""
    visit = [{"status": "finished", "class": "AMB", "at": "2026-03-03T04:30:00Z"}]
    upsert([Change(source="ehr", record_number="v", values={"encounters": visit})], now=NOON)
    draw(LONG, trigger=date(field="last_visit", after={"days": 2}))
    live_through(5)
    assert [f"{one:%m-%d}" for one in entered()] == ["03-04"]


def test_a_date_that_is_moved_counts_on_its_new_day(draw: Draw) -> None:
    (ada,) = people("ada", coverage_end="2026-03-05")
    draw(LONG, trigger=date())
    live_through(2)
    amend({ada: {"coverage_end": "2026-03-07"}}, source="ehr", now=NOON + 2 * DAY)
    live_through(6, start=NOON + 2 * DAY)
    assert [f"{one:%m-%d}" for one in entered()] == ["03-07"]


def test_a_date_that_is_taken_away_brings_nobody(draw: Draw) -> None:
    (ada,) = people("ada", coverage_end="2026-03-05")
    draw(LONG, trigger=date())
    amend({ada: {"coverage_end": CLEAR}}, source="ehr", now=NOON)
    live_through(5)
    assert entered() == []


def test_who_is_inside_does_not_come_in_by_another_date(draw: Draw) -> None:
    """The way's own timers follow the date; a second way would remind twice."""
    (ada,) = people("ada", coverage_end="2026-03-03")
    draw(LONG, trigger=date())
    live_through(2)
    amend({ada: {"coverage_end": "2026-03-06"}}, source="ehr", now=NOON + 2 * DAY)
    live_through(5, start=NOON + 2 * DAY)
    assert len(entered()) == 1


def test_days_that_were_missed_are_made_up_for(draw: Draw) -> None:
    people("ada", coverage_end="2026-03-03")
    people("ben", coverage_end="2026-03-04")
    draw(LONG, trigger=date())
    late = NOON + 4 * DAY
    while triggers.run_once(now=late).entered or Workflow.objects.filter(comes_at__lte=late):
        pass
    assert Enrolment.objects.count() == 2


def test_a_paused_workflow_takes_nobody_in(draw: Draw) -> None:
    people("ada", coverage_end="2026-03-03")
    draw(LONG, trigger=date())
    Workflow.objects.update(state=Workflow.State.PAUSED)
    live_through(3)
    assert entered() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": None},
        {"at": "25:00"},
        {"field": "given_name"},
        {"field": "no_such"},
        {"field": "last_visit", "yearly": True},
        {"before": {"hours": 5}},
        {"before": {"days": 1}, "after": {"days": 1}},
        {"again": "each"},
    ],
)
def test_a_date_that_makes_no_sense_does_not_go_live(
    draw: Draw, at_harbor: Organisation, wrong: dict[str, Any]
) -> None:
    with pytest.raises(GraphInvalid):
        draw(LONG, trigger=date(**wrong))


def test_what_a_date_says_of_people_goes_along_the_way(draw: Draw) -> None:
    """W8"""
    workflow = draw(LONG, trigger=date())
    version = Workflow.objects.select_related("live").get(id=workflow.id).live
    assert version is not None and version.path_classes["long"] == ["coverage"]
