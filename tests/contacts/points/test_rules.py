"""Which of several addresses is used."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from contacts.points.rules import Point, choose

TODAY = date(2026, 3, 2)
OWN = Point(id=None, kind="email", own=True)
WORK = Point(id=UUID(int=1), kind="email", use="work", rank=2)
SAFE = Point(id=UUID(int=2), kind="email", categories=frozenset({"reproductive"}))


def which(*points: Point, category: str = "", kind: str = "email") -> Point | None:
    return choose(points, kind=kind, category=category, on=TODAY)


def test_the_records_own_address_comes_before_further_ones() -> None:
    assert which(WORK, OWN) == OWN


def test_a_preferred_address_comes_before_the_records_own() -> None:
    preferred = Point(id=UUID(int=3), kind="email", preferred=True)
    assert which(OWN, preferred) == preferred


def test_a_lower_rank_comes_first_among_further_ones() -> None:
    first = Point(id=UUID(int=9), kind="email", rank=1)
    assert which(WORK, first) == first


@pytest.mark.parametrize(
    "gone",
    [
        Point(id=None, kind="email", own=True, bounced=True),
        Point(id=None, kind="email", own=True, ends_on=TODAY - timedelta(days=1)),
        Point(id=None, kind="email", own=True, starts_on=TODAY + timedelta(days=1)),
        Point(id=None, kind="email", own=True, use="old"),
    ],
)
def test_an_address_that_bounced_or_is_out_of_its_period_is_not_used(gone: Point) -> None:
    assert which(gone, WORK) == WORK


def test_the_last_day_of_a_period_still_counts() -> None:
    until_today = Point(id=None, kind="email", own=True, ends_on=TODAY)
    assert which(until_today, WORK) == until_today


def test_pr22_a_category_with_an_address_of_its_own_goes_there() -> None:
    """PR-22"""
    assert which(OWN, SAFE, category="reproductive") == SAFE


def test_pr22_a_reserved_address_gets_nothing_else() -> None:
    """PR-22: whoever reads the safe inbox did not ask for the newsletter there."""
    assert which(OWN, SAFE, category="newsletter") == OWN
    assert which(SAFE) is None


def test_pr22_a_reserved_address_that_bounced_is_not_replaced_by_another() -> None:
    """PR-22: no way to the safe address is no message, never the shared inbox."""
    bounced = Point(
        id=UUID(int=2), kind="email", bounced=True, categories=frozenset({"reproductive"})
    )
    assert which(OWN, bounced, category="reproductive") is None


def test_pr22_a_category_wanted_by_phone_or_post_gets_no_mail() -> None:
    """PR-22: an alternative channel overrides, not only an alternative address."""
    letter = Point(id=UUID(int=2), kind="postal", categories=frozenset({"reproductive"}))
    assert which(OWN, letter, category="reproductive") is None
    assert which(OWN, letter) == OWN


def test_pr22_an_address_for_everything_takes_every_category() -> None:
    """PR-22"""
    everything = Point(id=UUID(int=4), kind="email", categories=frozenset({"all"}))
    assert which(OWN, everything) == everything
    assert which(OWN, everything, SAFE, category="reproductive") == SAFE
