"""Everyone, and a share of everyone by lot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.segments import catalogue, evaluate, lots
from contacts.segments.definition import DefinitionInvalid, data_classes, in_words, parse
from contacts.segments.facts import Facts
from contacts.segments.semantics import matches
from tests.conftest import NOON
from tests.contacts.segments import world

MANY = np.arange(20_000)


def share(percent: float, **more: Any) -> Any:
    return {"share": {"percent": percent, "of": "pilot", **more}}


@given(st.lists(st.integers(0, 2**40 - 1), min_size=1), st.text(min_size=1))
def test_lots_of_many_are_the_lots_of_each(ordinals: list[int], name: str) -> None:
    together = lots.of_each(np.array(ordinals, np.int64), name)
    assert together.tolist() == [lots.of(one, name) for one in ordinals]


@pytest.mark.parametrize("name", ["pilot", "Pilot", "spring 2026"])
def test_lots_fall_evenly(name: str) -> None:
    """Ten shares of 2,000 expected: 4.5 standard deviations are 190."""
    tenths = np.bincount(lots.of_each(MANY, name) // 1_000, minlength=10)
    assert abs(tenths - 2_000).max() < 190


def test_another_name_draws_anew() -> None:
    """Of those in one tenth, a tenth is in another name's."""
    both = (lots.of_each(MANY, "a") < 1_000) & (lots.of_each(MANY, "b") < 1_000)
    assert 140 < np.count_nonzero(both) < 260


def test_shares_that_follow_on_are_everybody_once() -> None:
    parts = [parse(share(30)), parse(share(20, **{"from": 30})), parse(share(50, **{"from": 50}))]
    counted = [sum(matches(one, Facts(ordinal=n), now=NOON) for one in parts) for n in range(500)]
    assert counted == [1] * 500


def test_everyone_is_everyone(at_harbor: object) -> None:
    ids = world.add([{}, {"city": "Boston"}])
    everyone = catalogue.read({"everyone": True})
    assert evaluate.members(everyone, now=NOON).contact_ids() == ids
    assert evaluate.among(everyone, ids[:1], now=NOON) == {ids[0]}
    assert evaluate.members(catalogue.read({"not": {"everyone": True}}), now=NOON).count == 0


def test_a_person_stays_in_the_share_and_others_come_to_it(at_harbor: object) -> None:
    drawn = catalogue.read(share(50))
    before = set(evaluate.members(drawn, now=NOON).contact_ids()) if world.add([{}] * 8) else set()
    more = world.add([{}] * 8)
    after = set(evaluate.members(drawn, now=NOON).contact_ids())
    assert before == after - set(more)


def test_a_lot_says_nothing_of_a_person() -> None:
    assert data_classes(parse({"all": [share(10), {"everyone": True}]})) == frozenset()


def test_it_is_said_in_words() -> None:
    assert in_words(parse({"everyone": True})) == "Everyone"
    assert in_words(parse(share(12.5, **{"from": 25}))) == (
        "People whose lot by “pilot” is from 25 to 37.5 %"
    )


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"everyone": 1}, r"\$\.everyone: must be true"),
        ({"everyone": False}, r"\$\.everyone: must be true"),
        ({"share": 10}, r"\$\.share: must be an object"),
        (share(0), r"\$\.share\.percent: must be"),
        (share(10.001), r"\$\.share\.percent: must be"),
        (share(True), r"\$\.share\.percent: must be"),
        (share(60, **{"from": 50}), r"\$\.share\.from: and percent come to more than 100"),
        ({"share": {"percent": 10}}, r"\$\.share\.of: is missing"),
        (share(10, by="x"), r"\$\.share\.by: is not known here"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_its_place(tree: Any, said: str) -> None:
    with pytest.raises(DefinitionInvalid, match=said):
        parse(tree)
