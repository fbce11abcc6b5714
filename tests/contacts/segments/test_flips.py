"""The next flip is never later than a real one, and time changes nothing before it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.segments.facts import Entry, Facts, Happening
from contacts.segments.flips import next_flip
from contacts.segments.semantics import matches
from tests.contacts.segments import generated
from tests.contacts.segments.test_vectors import crowds, facts

NEW_YORK = ZoneInfo("America/New_York")
MICRO = timedelta(microseconds=1)
STEPS = st.lists(st.floats(0, 1, exclude_max=True), min_size=12, max_size=12)


def at(*parts: int, zone: Any = NEW_YORK) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[misc,arg-type]


@settings(max_examples=100, deadline=None)
@given(generated.trees(generated.anything), crowds, generated.nows, STEPS)
def test_nothing_changes_before_the_next_flip(
    tree: Any, crowd: Any, now: datetime, steps: list[float]
) -> None:
    definition, known = generated.read(tree), facts(crowd[0])
    flip, answer = next_flip(definition, known, now), matches(definition, known, now=now)
    ahead = (flip or now + timedelta(days=2000)) - now
    for step in [*steps, *(n / 20 for n in range(20))]:
        wait = min(ahead * step, ahead - MICRO)  # a step of almost 1 is rounded to all of it
        later = (now.astimezone(UTC) + wait).astimezone(now.tzinfo)
        assert matches(definition, known, now=later) == answer


@settings(max_examples=100, deadline=None)
@given(generated.trees(generated.anything), crowds, generated.nows)
def test_at_the_next_flip_the_answer_is_another(tree: Any, crowd: Any, now: datetime) -> None:
    definition, known = generated.read(tree), facts(crowd[0])
    flip = next_flip(definition, known, now)
    if flip is not None:
        then = matches(definition, known, now=flip.astimezone(now.tzinfo))
        assert then != matches(definition, known, now=now)


around_changes = st.builds(
    lambda day, minutes: at(*day).astimezone(UTC) + timedelta(minutes=minutes),
    st.sampled_from([(2024, 3, 10), (2024, 11, 3), (2024, 2, 29), (2024, 3, 31), (2024, 1, 31)]),
    st.integers(-2880, 2880),
)


@settings(max_examples=150, deadline=None)
@given(
    around_changes,
    around_changes,
    st.sampled_from(["within_last", "within_next", "older_than"]),
    st.sampled_from([(1, "months"), (238, "days"), (34, "weeks"), (1, "days"), (8, "months")]),
)
def test_clock_changes_and_short_months_hide_no_flip(
    value: datetime, now: datetime, op: str, span: tuple[int, str]
) -> None:
    """Every quarter of an hour is tried, over the days where clocks change."""
    definition = generated.read(
        {"field": "last_visit", "op": op, "value": span[0], "unit": span[1]}
    )
    known, now = Facts({"last_visit": value}), now.astimezone(NEW_YORK)
    flip, answer = next_flip(definition, known, now), matches(definition, known, now=now)
    for quarter in range(4 * 24 * 4):
        later = (now.astimezone(UTC) + quarter * timedelta(minutes=15)).astimezone(NEW_YORK)
        if flip is not None and later >= flip:
            break
        assert matches(definition, known, now=later) == answer


CASES: list[tuple[Any, Facts, datetime, datetime | None]] = [
    (
        {"field": "birth_date", "op": "age_gte", "value": 50},
        Facts({"birth_date": date(1976, 2, 29)}),
        at(2026, 1, 5, 12),
        at(2026, 3, 1),
    ),
    (
        {"field": "birth_date", "op": "anniversary_within", "value": 7},
        Facts({"birth_date": date(1980, 1, 3)}),
        at(2025, 12, 1),
        at(2025, 12, 27),
    ),
    (
        {"event": "message.opened", "within_hours": 2},
        Facts({}, (Happening("message.opened", at(2025, 6, 1, 12)),)),
        at(2025, 6, 1, 13),
        at(2025, 6, 1, 14) + MICRO,
    ),
    (
        {"field": "conditions", "op": "has_code", "code": "1", "within_months": 1},
        Facts({"conditions": (Entry((("s", "1"),), at=date(2025, 1, 31)),)}),
        at(2025, 2, 3),
        at(2025, 3, 1),
    ),
    (
        {"field": "birth_date", "op": "before", "value": "1980-01-01"},
        Facts({"birth_date": date(1976, 2, 29)}),
        at(2026, 1, 5),
        None,
    ),
    (
        {"field": "last_visit", "op": "within_last", "value": 100000, "unit": "years"},
        Facts({"last_visit": at(2020, 1, 1)}),
        at(2026, 1, 5),
        None,
    ),
]


@pytest.mark.parametrize(("tree", "known", "now", "expected"), CASES)
def test_the_flip_falls_on_the_moment_that_a_calendar_says(
    tree: Any, known: Facts, now: datetime, expected: datetime | None
) -> None:
    assert next_flip(generated.read(tree), known, now) == expected
