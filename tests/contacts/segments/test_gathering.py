"""Side blocks: contacts that changed are answered without their records, and never wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from contacts import erase
from contacts.models import Dirty
from contacts.segments import columns, evaluate, gathering, opening
from contacts.segments.definition import parse
from contacts.segments.models import SegmentColumn
from crypto import columns as sealing
from crypto import keyring
from crypto.seal import SealBroken, version_of
from marketing import loops
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.contacts.segments.test_evaluate import change

BOSTON = parse({"field": "city", "op": "equals", "value": "Boston"})
ELSEWHERE = parse({"not": {"field": "city", "op": "equals", "value": "Boston"}})


def members(definition: Any = BOSTON) -> set[int]:
    return set(evaluate.members(definition, now=NOON).contact_ids())


def aside() -> set[int]:
    found = SegmentColumn.objects.filter(block__lt=0, field="present")
    return set(found.values_list("block", flat=True))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Whose records are opened from now on."""
    asked: list[int] = []
    whole = opening.Opening.__init__

    def noted(self: Any, organisation_id: int, contact_ids: Any, **more: Any) -> None:
        asked.extend(contact_ids)
        whole(self, organisation_id, contact_ids, **more)

    monkeypatch.setattr(opening.Opening, "__init__", noted)
    return asked


@pytest.fixture
def people(at_harbor: Organisation) -> list[int]:
    """Four in Quincy, folded in; the first two moved to Boston since, and were gathered."""
    ids = world.add([{"city": "Quincy"}] * 4)
    columns.compact(now=NOON, at_least=1)
    for one in ids[:2]:
        change(one, city="Boston")
    assert gathering.gather(at_least=1) == 2
    return ids


def test_gathered_contacts_are_answered_without_their_records(
    people: list[int], opened: list[int]
) -> None:
    """W5"""
    assert members() == set(people[:2])
    assert members(ELSEWHERE) == set(people[2:])
    assert evaluate.preview(BOSTON, now=NOON).total == 2
    assert opened == []
    assert Dirty.objects.count() == 2


def test_the_population_counts_everybody_once(people: list[int]) -> None:
    change(people[1], city="Quincy")
    assert evaluate.members(BOSTON, now=NOON).population == len(people)


def test_newcomers_in_a_side_block_alone_are_counted_once(
    at_harbor: Organisation, opened: list[int]
) -> None:
    """W5: a first import is gathered before there is any block to fold it into."""
    world.add([{"city": "Boston"}, {"city": "Boston"}, {"city": "Quincy"}])
    assert gathering.gather(at_least=1) == 3
    opened.clear()
    seen = evaluate.preview(BOSTON, now=NOON)
    assert (seen.total, seen.population, seen.funnel) == (2, 3, [("$", 2)])
    assert seen.clause_counts == {"$": 2}
    assert opened == []


def test_a_later_change_is_answered_from_the_record_until_it_is_gathered_too(
    people: list[int], opened: list[int]
) -> None:
    change(people[0], city="Quincy")
    opened.clear()
    assert members() == {people[1]}
    assert opened == [people[0]]
    gathering.gather(at_least=1)
    opened.clear()
    assert members() == {people[1]}
    assert opened == []
    assert aside() == {-1, -2}


def test_without_its_side_block_the_record_answers(people: list[int]) -> None:
    SegmentColumn.objects.filter(block__lt=0).delete()
    assert members() == set(people[:2])
    change(people[2], city="Boston")
    gathering.gather(at_least=1)
    assert aside() == {-2}  # no number twice while a change names it
    assert members() == set(people[:3])


def test_without_a_column_asked_for_the_record_answers(people: list[int]) -> None:
    for name in ("city", "places"):
        SegmentColumn.objects.filter(block__lt=0, field=name).delete()
        assert members() == set(people[:2])


def test_folding_takes_changes_and_side_blocks_away(people: list[int]) -> None:
    columns.compact(now=NOON, at_least=1)
    assert not Dirty.objects.exists()
    assert aside() == set()
    assert members() == set(people[:2])


def test_a_side_block_whose_contacts_were_folded_says_nothing_any_more(
    people: list[int],
) -> None:
    columns._fold([0])
    assert aside() == {-1}
    change(people[0], city="Quincy")
    columns._fold([0])
    assert members() == {people[1]}


def test_making_the_columns_anew_takes_side_blocks_away(people: list[int]) -> None:
    columns.rebuild()
    assert aside() == set()
    assert members() == set(people[:2])


def test_erasing_leaves_nothing_of_the_person_in_a_side_block(people: list[int]) -> None:
    """SE-06"""
    erase.erase(people[0], now=NOON)
    assert aside() == set()
    assert members() == {people[1]}
    gathering.gather(at_least=1)
    assert members() == {people[1]}
    assert evaluate.members(BOSTON, now=NOON).population == 3


def test_rotation_leaves_no_side_block_under_an_old_key(people: list[int]) -> None:
    version = keyring.rotate(tenancy.current(), now=NOON)
    columns.compact(now=NOON)
    gathering.gather(at_least=1)
    payloads = SegmentColumn.objects.values_list("payload", flat=True)
    assert {version_of(bytes(one)) for one in payloads} == {version}
    assert members() == set(people[:2])


def test_a_side_block_opens_only_where_it_belongs(people: list[int]) -> None:
    row = SegmentColumn.objects.get(block=-1, field="city")
    opener = sealing.Opener(tenancy.current())
    with pytest.raises(SealBroken):
        opener.open(bytes(row.payload), field="city", block=-2, version=row.version)
    with pytest.raises(SealBroken):
        opener.open(bytes(row.payload), field="city", block=-1, version=row.version + 1)


def test_a_side_block_is_as_long_whoever_is_in_it(at_harbor: Organisation) -> None:
    """SE-31"""
    ids = world.add([{"city": "Quincy", "gender": "female"}] * 6)
    columns.compact(now=NOON, at_least=1)
    lengths = []
    for genders in (["male"] * 6, ["male", "female"] * 3):
        for one, gender in zip(ids, genders, strict=True):
            change(one, gender=gender, city="Boston")
        gathering.gather(at_least=1)
        block = min(aside())
        rows = SegmentColumn.objects.filter(block=block).order_by("field")
        lengths.append([(row.field, len(bytes(row.payload))) for row in rows])
    assert lengths[0] == lengths[1]


def test_the_loop_gathers_what_is_too_little_to_fold(
    people: list[int], opened: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = world.add([{"city": "Boston"}] * gathering.GATHER_AT)
    loops.LOOPS["compact"](NOON)
    opened.clear()
    assert members() == {*people[:2], *more}
    assert opened == []


def test_few_changes_are_left_to_their_records(people: list[int]) -> None:
    change(people[3], city="Boston")
    assert gathering.gather() == 0
