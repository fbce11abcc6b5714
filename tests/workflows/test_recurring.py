"""Rules of repetition: what is read, what is refused, and when they come."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.builders import DATA
from workflows import clock, recurring
from workflows.recurring import Repeats

BOSTON = ZoneInfo("America/New_York")
RULES = DATA / "schedule" / "recurrence.jsonl"


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def read(text: str) -> Repeats:
    found = recurring.read(text)
    assert found is not None
    return found


def walls(first: str, text: str) -> list[datetime]:
    return list(islice(recurring.walls(wall(first), read(text), BOSTON), 100))


def test_a_weekly_rule_names_its_days() -> None:
    found = walls("2026-03-02T09:00", "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3")
    assert [one.day for one in found] == [2, 5, 9]


def test_a_rule_keeps_its_wall_time_over_a_change_of_clocks() -> None:
    """CA-09"""
    coming = recurring.moments(
        wall("2026-03-07T09:00"),
        read("FREQ=DAILY"),
        zone=BOSTON,
        after=datetime(2026, 3, 7, tzinfo=UTC),
    )
    assert [one.hour for one in islice(coming, 2)] == [14, 13]


def test_a_time_that_the_clocks_skip_comes_once_and_an_hour_later() -> None:
    first, rule = wall("2026-03-07T02:30"), read("FREQ=DAILY;COUNT=3")
    coming = recurring.moments(first, rule, zone=BOSTON, after=datetime(2026, 3, 1, tzinfo=UTC))
    assert [f"{one:%d %H:%M}" for one in coming] == ["07 07:30", "08 07:30", "09 06:30"]


def test_a_time_that_comes_twice_fires_once() -> None:
    first, rule = wall("2026-10-31T01:30"), read("FREQ=DAILY;COUNT=3")
    coming = recurring.moments(first, rule, zone=BOSTON, after=datetime(2026, 10, 1, tzinfo=UTC))
    assert [f"{one:%d %H:%M}" for one in coming] == ["31 05:30", "01 05:30", "02 06:30"]


def test_the_last_day_until_is_still_in() -> None:
    assert len(walls("2026-03-02T23:30", "FREQ=DAILY;UNTIL=20260304")) == 3


def test_an_end_in_utc_is_a_moment_and_not_a_time_on_the_wall() -> None:
    """Until 03:00 in UTC of the fifth is until 22:00 of the fourth in Boston."""
    assert len(walls("2026-03-02T21:00", "FREQ=DAILY;UNTIL=20260305T030000Z")) == 3
    assert len(walls("2026-03-02T22:30", "FREQ=DAILY;UNTIL=20260305T030000Z")) == 2


def test_the_last_day_of_each_month() -> None:
    found = walls("2026-01-31T09:00", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2")
    assert [one.date() for one in found] == [date(2026, 1, 31), date(2026, 2, 28)]


def test_a_rule_that_never_comes_is_over_and_does_not_hang() -> None:
    rule = read("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    after = datetime(2026, 1, 1, tzinfo=UTC)
    assert recurring.following(rule, wall("2026-01-01T09:00"), zone=BOSTON, after=after) is None


def _examples() -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in RULES.read_text().splitlines()]
    return [
        one
        for one in rows
        if not any(unit in one["rrule"] for unit in ("HOURLY", "MINUTELY", "SECONDLY"))
        # A year that begins in another: refused, and said so.
        and not ("BYWEEKNO" in one["rrule"] and "INTERVAL" in one["rrule"])
        # Of a day alone; ours always has a time of day.
        and not ("T" not in one["dtstart"] and "BYMINUTE" in one["rrule"])
    ]


@pytest.mark.skipif(not RULES.exists(), reason="the schedules are not on this machine")
def test_every_rule_of_the_examples_comes_when_they_say() -> None:
    """CA-05"""
    rows = _examples()
    assert len(rows) >= 60
    for row in rows:
        first = wall(row["dtstart"].rstrip("Z"))
        coming = recurring.walls(first, read(row["rrule"]), ZoneInfo("UTC"))
        wanted = [wall(one.rstrip("Z")) for one in row["instances"]]
        assert list(islice(coming, 200)) == wanted, row


rules = st.builds(
    Repeats,
    st.sampled_from(recurring.FREQUENCIES),
    st.integers(1, 5),
    count=st.none() | st.integers(1, 30),
)
firsts = st.datetimes(
    wall("2024-01-01"),
    wall("2027-01-01"),
).map(lambda one: one.replace(second=0, microsecond=0))
zones = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Phoenix", "UTC"]
).map(ZoneInfo)
moments = st.datetimes(
    wall("2024-01-01"),
    wall("2027-01-01"),
    timezones=st.just(UTC),
)


@given(rules, firsts, zones, moments)
def test_each_moment_is_later_than_the_last_and_none_is_left_out(
    rule: Repeats, first: datetime, zone: ZoneInfo, after: datetime
) -> None:
    """Whoever asks again from each moment sees what one walk over all sees."""
    whole = list(islice(recurring.moments(first, rule, zone=zone, after=after), 6))
    assert all(one < later for one, later in pairwise([after, *whole]))
    at = after
    asked: list[datetime] = []
    while len(asked) < len(whole):
        following = recurring.following(rule, first, zone=zone, after=at)
        assert following is not None
        at = following
        asked.append(at)
    assert asked == whole


@given(rules, firsts, zones)
def test_every_wall_time_of_a_rule_is_one_moment(
    rule: Repeats, first: datetime, zone: ZoneInfo
) -> None:
    shown = list(islice(recurring.walls(first, rule, zone), 20))
    before = datetime(2000, 1, 1, tzinfo=UTC)
    coming = list(islice(recurring.moments(first, rule, zone=zone, after=before), len(shown)))
    assert coming == sorted({clock.moment(one, zone) for one in shown})


@given(rules)
def test_a_rule_is_read_as_it_was_written(rule: Repeats) -> None:
    assert recurring.read(rule.text()) == rule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FREQ=HOURLY", "FREQ must be one of"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be a whole number"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "either COUNT or UNTIL"),
        ("FREQ=WEEKLY;BYDAY=1MO", "Only a monthly or yearly rule"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must lie"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY goes with"),
        ("FREQ=YEARLY;BYWEEKNO=1;INTERVAL=2", "BYWEEKNO goes with INTERVAL=1"),
        ("FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,10,20,30,40", "at most 24 times a day"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS picks"),
        ("FREQ=WEEKLY;WKST=XX", "WKST must be"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY holds days"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH must lie"),
        ("FREQ=DAILY;BYMONTH=a", "BYMONTH must be a list"),
        ("FREQ=DAILY;" + "X" * 300, "at most 200 characters"),
        ("FREQ=DAILY;BYSECOND=1", "may hold each of"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL must be a day"),
        ("every day", "may hold each of"),
    ],
)
def test_a_rule_that_cannot_be_followed_says_why(text: str, said: str) -> None:
    with pytest.raises(recurring.RuleRefused, match=said):
        recurring.read(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FREQ=MONTHLY;BYDAY=1MO;COUNT=6", "every month on the first Monday, 6 times"),
        ("FREQ=YEARLY;BYMONTH=4;BYDAY=FR", "every year on Friday in April"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20271231",
         "every 2 weeks on Tuesday, until 2027-12-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
    ],
)  # fmt: skip
def test_a_rule_reads_as_a_sentence(text: str, said: str) -> None:
    assert read(text).words() == said


def test_a_rule_is_written_as_it_was_read() -> None:
    text = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR;UNTIL=20271231"
    assert read(text).text() == text
