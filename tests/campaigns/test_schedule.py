"""Wall times, zones and rules of repetition."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.campaigns import schedule

BOSTON = "America/New_York"


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_wall_time_is_the_zones_own() -> None:
    assert schedule.instant(wall("2026-07-01T09:00"), BOSTON) == datetime(
        2026, 7, 1, 13, tzinfo=UTC
    )


def test_a_skipped_hour_fires_when_the_clocks_jump() -> None:
    assert schedule.instant(wall("2026-03-08T02:30"), BOSTON) == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_a_doubled_hour_fires_the_first_time() -> None:
    found = schedule.instant(wall("2026-11-01T01:30"), BOSTON)
    assert found == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    st.sampled_from([BOSTON, "Europe/Berlin", "Australia/Lord_Howe", "America/Phoenix", "UTC"]),
)
def test_a_later_wall_time_never_comes_earlier(at: datetime, zone: str) -> None:
    later = at + timedelta(minutes=45)
    assert schedule.instant(at, zone) <= schedule.instant(later, zone)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))  # noqa: DTZ001
def test_what_the_clocks_show_is_what_was_asked_unless_they_skip_it(at: datetime) -> None:
    at = at.replace(microsecond=0)
    shown = schedule.instant(at, BOSTON).astimezone(ZoneInfo(BOSTON)).replace(tzinfo=None)
    assert shown == at or (shown > at and shown.minute == 0 and shown.month == 3)


def test_somebody_of_several_zones_waits_for_the_last_of_them() -> None:
    zones = ("America/Chicago", "America/Denver")
    found = schedule.latest(wall("2026-07-01T09:00"), zones)
    assert found == datetime(2026, 7, 1, 15, tzinfo=UTC)


def test_a_weekly_rule_names_its_days() -> None:
    rule = schedule.read("FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3")
    found = list(schedule.walls(wall("2026-03-02T09:00"), rule))
    assert [one.day for one in found] == [2, 5, 9]


def test_a_rule_keeps_its_wall_time_over_a_change_of_clocks() -> None:
    found = schedule.next_times(
        wall("2026-03-07T09:00"),
        schedule.read("FREQ=DAILY"),
        BOSTON,
        now=datetime(2026, 3, 7, tzinfo=UTC),
        count=2,
    )
    assert [one.hour for one in found] == [14, 13]


def test_the_last_day_until_is_still_in() -> None:
    rule = schedule.read("FREQ=DAILY;UNTIL=20260304")
    assert len(list(schedule.walls(wall("2026-03-02T23:30"), rule))) == 3


def test_the_last_day_of_each_month() -> None:
    rule = schedule.read("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2")
    found = list(schedule.walls(wall("2026-01-31T09:00"), rule))
    assert [one.date() for one in found] == [date(2026, 1, 31), date(2026, 2, 28)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FREQ=HOURLY", "FREQ must be one of"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be a whole number"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "either COUNT or UNTIL"),
        ("FREQ=WEEKLY;BYDAY=1MO", "Only a monthly rule"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be"),
        ("FREQ=DAILY;BYSECOND=1", "may hold each of"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL must be a day"),
        ("every day", "may hold each of"),
    ],
)
def test_a_rule_that_cannot_be_followed_says_why(text: str, said: str) -> None:
    with pytest.raises(schedule.RuleRefused, match=said):
        schedule.read(text)


def test_a_rule_reads_as_a_sentence() -> None:
    rule = schedule.read("FREQ=MONTHLY;BYDAY=1MO;COUNT=6")
    assert rule is not None
    assert rule.words() == "every month on the first Monday, 6 times"


def test_a_rule_is_written_as_it_was_read() -> None:
    text = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR;UNTIL=20271231"
    rule = schedule.read(text)
    assert rule is not None
    assert rule.text() == text
