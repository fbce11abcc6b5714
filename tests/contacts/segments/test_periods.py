"""Named stretches of the calendar: this week, the month before this one, the year after it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.segments import moments
from contacts.segments.definition import DefinitionInvalid, in_words, parse
from contacts.segments.facts import Facts, Happening
from contacts.segments.flips import next_flip
from contacts.segments.moments import PERIODS, start_day
from contacts.segments.semantics import matches
from tests.contacts.segments import generated

BOSTON = ZoneInfo("America/New_York")
THURSDAY = datetime(2024, 2, 29, 12, tzinfo=BOSTON)
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))


def during(period: str, value: date | datetime, now: datetime = THURSDAY) -> bool:
    field = "last_visit" if isinstance(value, datetime) else "coverage_end"
    asked = parse({"field": field, "op": "during", "value": period}, fields=generated.FIELDS)
    return matches(asked, Facts({field: value}), now=now)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("today", (2024, 2, 29), (2024, 2, 29)),
        ("yesterday", (2024, 2, 28), (2024, 2, 28)),
        ("tomorrow", (2024, 3, 1), (2024, 3, 1)),
        ("this_week", (2024, 2, 26), (2024, 3, 3)),
        ("last_week", (2024, 2, 19), (2024, 2, 25)),
        ("next_month", (2024, 3, 1), (2024, 3, 31)),
        ("last_quarter", (2023, 10, 1), (2023, 12, 31)),
        ("next_quarter", (2024, 4, 1), (2024, 6, 30)),
        ("this_year", (2024, 1, 1), (2024, 12, 31)),
    ],
)
def test_a_period_goes_from_its_first_day_to_its_last(
    period: str, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    inside = [during(period, date(*one)) for one in (first, last)]
    outside = [
        during(period, date(*one) + timedelta(days=more)) for one, more in ((first, -1), (last, 1))
    ]
    assert (inside, outside) == ([True, True], [False, False])


def test_a_period_is_of_the_organisations_calendar() -> None:
    """23:30 in Boston on 29 February is 1 March in UTC."""
    late = datetime(2024, 3, 1, 4, 30, tzinfo=UTC)
    assert during("today", late)
    assert during("this_month", late)
    assert not during("next_month", late)


@given(days, st.sampled_from(sorted(PERIODS)))
def test_every_period_holds_whole_days_and_its_neighbours_meet(day: date, name: str) -> None:
    low, high = PERIODS[name]
    first, after = (start_day(day, one.count, one.stretch) for one in (low, high))
    assert first < after
    assert start_day(first, 1, low.stretch) == after
    assert start_day(after - timedelta(days=1), 0, low.stretch) == first


@given(days, st.sampled_from(moments.STRETCHES))
def test_a_day_lies_in_its_own_stretch(day: date, stretch: Any) -> None:
    assert start_day(day, 0, stretch) <= day < start_day(day, 1, stretch)


def test_time_moves_people_at_the_midnight_that_a_period_begins_with() -> None:
    asked = parse({"event": "message.clicked", "during": "last_month"})
    clicked = Facts(events=(Happening("message.clicked", datetime(2024, 2, 29, 12, tzinfo=UTC)),))
    march = datetime(2024, 3, 1, tzinfo=BOSTON)
    assert next_flip(asked, clicked, THURSDAY) == march.astimezone(UTC)
    assert next_flip(asked, clicked, march) == datetime(2024, 4, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("today", "People whose last visit is today"),
        ("this_week", "People whose last visit is in this week"),
        ("last_month", "People whose last visit is in the month before this one"),
    ],
)
def test_a_period_is_said_so_that_it_is_no_span(asked: str, said: str) -> None:
    tree = {"field": "last_visit", "op": "during", "value": asked}
    assert in_words(parse(tree)) == said


@pytest.mark.parametrize("wrong", ["last_decade", "", None, 3, ["today"], {"ago": 1}])
def test_other_periods_are_refused_by_name(wrong: Any) -> None:
    with pytest.raises(DefinitionInvalid, match=r"\$\.value: must be one of today, yesterday"):
        parse({"field": "last_visit", "op": "during", "value": wrong})


def test_a_period_takes_no_second_end() -> None:
    with pytest.raises(DefinitionInvalid, match=r"\$\.during: names both ends"):
        parse({"event": "message.sent", "during": "today", "since": "2024-01-01"})


def test_the_far_end_of_the_calendar_breaks_nothing() -> None:
    asked = parse({"field": "coverage_end", "op": "during", "value": "today"})
    assert next_flip(asked, Facts({"coverage_end": date.max}), THURSDAY) is None
