"""Wall time in workflows: windows, weekdays, clock changes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.builders import DATA
from workflows import clock
from workflows.steps import Hours, Until

NEW_YORK = ZoneInfo("America/New_York")
WINDOWS = DATA / "schedule" / "send_windows.jsonl"
CHANGES = WINDOWS.with_name("clock_changes.jsonl")


def rows(path: Path, source: str) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [one for one in found if one.get("common") and one["source"] == source]


def hour(text: str | None) -> time | None:
    if text is None:
        return None
    return time.fromisoformat(text.zfill(5))


def days(row: dict[str, Any]) -> frozenset[int]:
    return frozenset((day - 1) % 7 for day in row["allowed_weekdays_0_is_sunday"] or ())


@pytest.mark.skipif(not WINDOWS.exists(), reason="the schedules are not on this machine")
def test_every_common_row_of_send_windows_is_exact() -> None:
    """CA-05"""
    found = rows(WINDOWS, "mautic")
    assert len(found) >= 6
    for row in found:
        zone = ZoneInfo(row["contact_timezone"])
        due = datetime.strptime(row["due_utc"], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        hours = Hours(
            hour(row["at_hour_local"]),
            hour(row["not_before_local"]),
            hour(row["not_after_local"]),
            days(row),
        )
        local = clock.settled(due, hours, zone).astimezone(zone)
        assert f"{local:%Y-%m-%d %H:%M}" == row["expected"], row["title"]


@pytest.mark.skipif(not WINDOWS.exists(), reason="the schedules are not on this machine")
def test_every_common_row_of_next_hours_is_exact() -> None:
    """All but one, which takes the weekday from UTC: 05:00 in Tokyo there on a Friday, not on the
    Thursday that its title asks for. Ours is the person's own Thursday."""
    found = rows(WINDOWS, "dittofeed")
    assert len(found) >= 4
    odd = [one for one in found if one["title"] == "05:00 in Tokyo on a Thursday"]
    for row in odd:
        zone, now = ZoneInfo("Asia/Tokyo"), datetime.fromisoformat(row["now_utc"])
        local = clock.settled(now, Hours(at=time(5), weekdays=frozenset({3})), zone)
        assert f"{local.astimezone(zone):%a %H:%M}" == "Thu 05:00"
    for row in (one for one in found if one not in odd):
        zone = ZoneInfo(row["contact_timezone"] or row["default_timezone"] or "UTC")
        now = datetime.fromisoformat(row["now_utc"])
        hours = Hours(at=time(row["next_local_hour"]), weekdays=days(row))
        waited = clock.settled(now, hours, zone) - now
        assert waited // timedelta(hours=1) == row["expected_whole_hours_until"], row["title"]


@pytest.mark.skipif(not CHANGES.exists(), reason="the schedules are not on this machine")
def test_every_wall_time_beside_a_clock_change_is_its_moment() -> None:
    for line in CHANGES.read_text().splitlines():
        row = json.loads(line)
        wall = datetime.fromisoformat(row["local"])
        meant = datetime.fromisoformat(row["utc"])
        found = clock.moment(wall, ZoneInfo(row["zone"]))
        local = meant.astimezone(ZoneInfo(row["zone"]))
        assert found == meant or local.fold == 1, row


def test_a_time_that_a_clock_change_skips_comes_an_hour_later() -> None:
    found = clock.moment(datetime.fromisoformat("2026-03-08T02:30"), NEW_YORK)
    assert found == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_means_the_first() -> None:
    found = clock.moment(datetime.fromisoformat("2026-11-01T01:30"), NEW_YORK)
    assert found == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_three_days_before_keeps_the_time_of_day_over_a_clock_change() -> None:
    """CA-09"""
    step = Until("w", "x", field="visit", offset=timedelta(days=-3))
    visit = datetime(2026, 11, 2, 14, 0, tzinfo=NEW_YORK)
    found = clock.due(step, arrived_at=visit - timedelta(days=30), zones=(NEW_YORK,), known=visit)
    assert found == datetime(2026, 10, 30, 14, 0, tzinfo=NEW_YORK)


def test_the_day_before_at_nine_is_that_day() -> None:
    step = Until("w", "x", field="v", offset=timedelta(days=-1), hours=Hours(at=time(9)))
    visit = datetime(2026, 6, 2, 14, 0, tzinfo=NEW_YORK)
    found = clock.due(step, arrived_at=visit - timedelta(days=30), zones=(NEW_YORK,), known=visit)
    assert found == datetime(2026, 6, 1, 9, 0, tzinfo=NEW_YORK)


def test_a_time_of_day_has_come_on_every_clock_that_one_may_live_by() -> None:
    """TC-04: of Texas nobody knows whether it is El Paso"""
    step = Until("w", "x", hours=Hours(at=time(9)))
    chicago, denver = ZoneInfo("America/Chicago"), ZoneInfo("America/Denver")
    noon = datetime(2026, 6, 2, 12, tzinfo=UTC)
    found = clock.due(step, arrived_at=noon, zones=(chicago, denver), known=None)
    assert found == datetime(2026, 6, 2, 9, 0, tzinfo=denver)


def test_a_window_is_open_on_every_clock_that_one_may_live_by() -> None:
    """TC-04"""
    step = Until("w", "x", hours=Hours(opens=time(8), closes=time(21)))
    boston, honolulu = NEW_YORK, ZoneInfo("Pacific/Honolulu")
    night = datetime(2026, 6, 3, 2, 30, tzinfo=UTC)
    found = clock.due(step, arrived_at=night, zones=(boston, honolulu), known=None)
    assert found == datetime(2026, 6, 3, 8, 0, tzinfo=honolulu)


def test_windows_that_are_never_open_together_keep_nobody_for_ever() -> None:
    step = Until("w", "x", hours=Hours(opens=time(8), closes=time(9)))
    far = (NEW_YORK, ZoneInfo("Asia/Tokyo"))
    noon = datetime(2026, 6, 2, 12, tzinfo=UTC)
    found = clock.due(step, arrived_at=noon, zones=far, known=None)
    assert found is not None
    assert noon <= found < noon + timedelta(days=1)


def test_a_day_begins_at_its_own_midnight() -> None:
    step = Until("w", "x", field="birth_date")
    found = clock.due(
        step, arrived_at=datetime(2026, 1, 1, tzinfo=UTC), zones=(NEW_YORK,), known=date(2026, 6, 2)
    )
    assert found == datetime(2026, 6, 2, 4, 0, tzinfo=UTC)


hours = st.builds(
    Hours,
    opens=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    closes=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    weekdays=st.frozensets(st.integers(0, 6)),
).filter(lambda one: one.opens != one.closes)
moments = st.datetimes(
    datetime.fromisoformat("2025-01-01"),
    datetime.fromisoformat("2028-01-01"),
    timezones=st.just(UTC),
)


@given(moments, hours)
def test_what_the_hours_allow_is_not_put_off_again(at: datetime, hours: Hours) -> None:
    once = clock.settled(at, hours, NEW_YORK)
    assert once >= at - timedelta(hours=1)
    assert clock.settled(once, hours, NEW_YORK) - once <= timedelta(hours=1)
