"""Questions about what events carry: sealed properties, totals, the first and the last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from contacts import events
from contacts.erase import erase
from contacts.segments import evaluate, opened_events
from contacts.segments.definition import parse
from contacts.segments.facts import Happening
from tests.conftest import NOON
from tests.contacts.segments import generated, world

pytestmark = pytest.mark.usefixtures("at_harbor")
BOUGHT = "shop.bought"


def bought(days: int, **properties: Any) -> Happening:
    return Happening(BOUGHT, NOON - timedelta(days=days), properties=properties)


def ids(tree: Any) -> list[int]:
    return evaluate.members(parse(tree), now=NOON).contact_ids()


def test_rows_and_meaning_agree_on_every_question_about_events(at_harbor: Organisation) -> None:
    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.lists(st.lists(generated.happenings, max_size=4), min_size=3, max_size=3),
        st.lists(generated.events, min_size=12, max_size=12),
    )
    def agree(happenings: Any, trees: Any) -> None:
        for contact_id, happened in zip(world.add([{}, {}, {}]), happenings, strict=True):
            world.happen(contact_id, happened)
        known, now = world.facts(), NOON.astimezone(at_harbor.zone)
        for tree in trees:
            right = world.by_meaning(parse(tree), known, now=now)
            assert set(ids(tree)) == right, tree
            assert evaluate.among(parse(tree), list(known), now=NOON) == right, tree

    agree()


def test_a_property_is_asked_of_the_event_and_not_of_the_person() -> None:
    ada, ben = world.add([{}, {}])
    world.happen(ada, [bought(1, amount=20, place="top")])
    world.happen(ben, [bought(1, amount=20), bought(2, place="top")])
    asked = [
        {"property": "amount", "op": "equals", "value": 20},
        {"property": "place", "op": "equals", "value": "TOP"},
    ]
    assert ids({"event": BOUGHT, "where": asked}) == [ada]


def test_sums_are_of_the_events_in_the_window() -> None:
    ada, ben, _ = world.add([{}, {}, {}])
    world.happen(ada, [bought(1, amount=20), bought(5, amount=30.5)])
    world.happen(ben, [bought(1, amount=20), bought(50, amount=30.5)])
    spent = {"aggregate": {"property": "amount", "fn": "sum"}, "op": "gt", "value": 50}
    assert ids({"event": BOUGHT, "within_days": 30, **spent}) == [ada]


def test_nothing_spent_is_no_sum_but_no_different_values_either() -> None:
    (ada,) = world.add([{}])
    asked = {"event": BOUGHT, "op": "lte", "value": 10}
    assert ids({**asked, "aggregate": {"property": "amount", "fn": "sum"}}) == []
    assert ids({**asked, "aggregate": {"property": "amount", "fn": "count_distinct"}}) == [ada]


def test_the_last_event_alone_is_asked() -> None:
    ada, ben = world.add([{}, {}])
    world.happen(ada, [bought(9, place="a"), bought(2, place="b")])
    world.happen(ben, [bought(9, place="b"), bought(2, place="a")])
    last = [{"property": "place", "op": "equals", "value": "b"}]
    assert ids({"event": BOUGHT, "which": "last", "where": last}) == [ada]
    assert ids({"event": BOUGHT, "which": "first", "within_days": 5}) == []


def test_never_did_counts_who_has_no_such_event() -> None:
    ada, ben = world.add([{}, {}])
    world.happen(ada, [bought(1, amount=20)])
    big = [{"property": "amount", "op": "gte", "value": 10}]
    assert ids({"event": BOUGHT, "where": big, "times": {"exactly": 0}}) == [ben]


def test_properties_are_opened_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact's events may lie on both sides of a batch's end."""
    monkeypatch.setattr(opened_events, "BATCH", 2)
    people = world.add([{} for _ in range(5)])
    for contact_id in people:
        world.happen(contact_id, [bought(day, amount=10) for day in (1, 2, 3)])
    spent = {"aggregate": {"property": "amount", "fn": "sum"}, "op": "gte", "value": 30}
    assert ids({"event": BOUGHT, **spent}) == people


def test_an_erased_persons_properties_open_for_nobody() -> None:
    """SE-06: with the key gone, what an event carried is gone."""
    (ada,) = world.add([{}])
    world.happen(ada, [bought(1, amount=10)])
    erase(ada, now=NOON)
    known = [{"property": "amount", "op": "exists"}]
    assert ids({"event": BOUGHT, "where": known}) == []


TWENTY = {
    "event": BOUGHT,
    "where": [{"property": "amount", "op": "equals", "value": 20}],
}
IN_BOSTON = {"field": "city", "op": "equals", "value": "Boston"}


@pytest.mark.parametrize("batch", [2_000, 0])
def test_of_an_all_only_those_are_opened_whom_the_rest_leaves(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few are asked for by name; of many, the others' events are passed over."""
    monkeypatch.setattr(opened_events, "BATCH", batch or 1)
    people = world.add([{"city": "Boston"}] * 2 + [{"city": "Quincy"}] * 6)
    for one in people:
        world.happen(one, [bought(1, amount=20)])
    world.happen(people[1], [bought(2, amount=30)])
    tree = {"all": [TWENTY, IN_BOSTON, {"not": {**TWENTY, "times": {"at_least": 2}}}]}
    opening = "contacts.segments.opened_events.open_properties"
    with mock.patch(opening, wraps=events.open_properties) as opened:
        assert ids(tree) == people[:2]
    assert {call.args[0] for call in opened.call_args_list} == set(people[:2])


def test_what_waits_and_what_is_asked_first_agree_with_the_whole() -> None:
    people = world.add([{"city": "Boston"}, {"city": "Boston"}, {"city": "Quincy"}, {}])
    for one in people[1:]:
        world.happen(one, [bought(1, amount=20)])
    assert ids({"all": [TWENTY, IN_BOSTON]}) == [people[1]]
    assert ids({"all": [{"not": TWENTY}, IN_BOSTON]}) == [people[0]]
    assert ids({"all": [IN_BOSTON, {"any": [TWENTY, IN_BOSTON]}]}) == people[:2]
    assert ids({"all": [{"not": TWENTY}, {"not": TWENTY}]}) == [people[0]]
    assert ids({"all": [{"not": IN_BOSTON}, {"all": [TWENTY, {"not": IN_BOSTON}]}]}) == people[2:]
    assert evaluate.members(parse({"all": [TWENTY, IN_BOSTON]}), now=NOON).population == 4
