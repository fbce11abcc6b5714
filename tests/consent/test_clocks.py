"""By which clocks people live."""

from __future__ import annotations

import pytest

from accounts.models import Organisation
from consent import clocks
from consent.rules import shelf
from contacts.canonical import ValueRefused, canonical
from tests.conftest import NOON
from tests.messaging.conftest import person


def lives(**place: str) -> tuple[str, ...]:
    return clocks.said(place, shelf.at(NOON))


def test_a_zone_in_the_record_goes_before_the_state() -> None:
    assert lives(state="TX", time_zone="America/Denver") == ("America/Denver",)


def test_a_state_has_its_zones_and_one_abroad_none() -> None:
    assert lives(state="Texas") == ("America/Chicago", "America/Denver")
    assert lives(state="CA", country="Canada") == ()
    assert lives() == ()


def test_who_says_nothing_of_the_place_is_not_among_the_answers(at_harbor: Organisation) -> None:
    known = person("kim", state="HI")
    unknown = person("lee")
    found = clocks.of([known, unknown], rules=shelf.at(NOON))
    assert found == {known: ("Pacific/Honolulu",)}


@pytest.mark.parametrize("wrong", ["EST5", "America/Bosten", "UTC+2"])
def test_a_zone_that_is_none_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(ValueRefused, match="IANA time zone such as America/Chicago"):
        canonical("time_zone", wrong)
