"""Evaluation in PostgreSQL: sealed columns, changed contacts, events and lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tenancy
from accounts.models import Organisation
from contacts.erase import erase
from contacts.fields import FIELDS
from contacts.models import Contact, Dirty, organisation_of
from contacts.packing import Record
from contacts.segments import arrays, catalogue, columns, evaluate, gathering, sealed_blocks
from contacts.segments.definition import DefinitionInvalid, parse
from contacts.segments.facts import Happening
from contacts.segments.models import SegmentColumn
from contacts.writing import Row, lock_and_open, mark_dirty, update
from crypto import inventory, keyring, rotation
from crypto.seal import SealBroken
from tests.conftest import NOON
from tests.contacts.segments import generated, world

pytestmark = pytest.mark.usefixtures("at_harbor")

BOSTON = {"field": "city", "op": "equals", "value": "Boston"}
SLOW = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ids(tree: Any) -> list[int]:
    return evaluate.members(parse(tree), now=NOON).contact_ids()


def compacted() -> None:
    columns.compact(now=NOON, at_least=1)


def gathered() -> None:
    gathering.gather(at_least=1)


def everyone_agrees(trees: list[Any], organisation: Organisation) -> None:
    known, now = world.facts(), NOON.astimezone(organisation.zone)
    for tree in trees:
        definition = catalogue.expanded(catalogue.read(tree))
        right = world.by_meaning(definition, known, now=now)
        assert set(evaluate.members(definition, now=NOON).contact_ids()) == right, tree
        assert evaluate.among(definition, list(known), now=NOON) == right, tree


def test_columns_and_changes_together_agree_with_the_meaning(at_harbor: Organisation) -> None:
    """End to end: folded, then changed, then some folded and some not."""
    world.make_fields()
    for list_id in generated.LISTS:
        world.make_list(list_id)

    @SLOW
    @given(
        st.lists(generated.people(), min_size=4, max_size=8),
        st.lists(st.lists(generated.happenings, max_size=3), min_size=4, max_size=4),
        st.lists(generated.trees(generated.anything), min_size=6, max_size=6),
        st.sampled_from([lambda: None, compacted, gathered]),
    )
    def agree(people: Any, happenings: Any, trees: Any, settle: Callable[[], None]) -> None:
        added = world.add(people)
        for contact_id, happened in zip(added, happenings, strict=False):
            world.happen(contact_id, happened)
        world.put_on(generated.LISTS[0], added[0])
        world.live_together(*added[:3])
        settle()
        everyone_agrees(trees, at_harbor)

    agree()


def test_a_new_contact_is_found_before_and_after_folding() -> None:
    added = world.add([{"city": "Boston"}, {"city": "Quincy"}])
    assert ids(BOSTON) == [added[0]]
    compacted()
    assert not Dirty.objects.exists()
    assert ids(BOSTON) == [added[0]]


def test_a_change_counts_at_once_and_is_folded_later() -> None:
    (ada,) = world.add([{"city": "Quincy"}])
    compacted()
    change(ada, city="Boston")
    assert ids(BOSTON) == [ada]
    compacted()
    assert ids(BOSTON) == [ada]


def change(contact_id: int, **values: Any) -> None:
    """Give the contact other values, as a record that came in later would."""
    organisation_id = organisation_of(contact_id)
    known = lock_and_open(organisation_id, [contact_id])[contact_id]
    for key, value in values.items():
        kind = FIELDS[key].data_class
        held = known.get(kind, Record({}, {}))
        known[kind] = Record(held.values | {key: value}, held.as_of | {key: 1})
    row = Row(contact_id, known, "test", NOON)
    update(organisation_id, [row], now=NOON)
    mark_dirty(organisation_id, [contact_id])


def test_folding_takes_away_only_the_changes_it_read() -> None:
    (ada,) = world.add([{"city": "Quincy"}])
    seen = columns._dirty_in([0])
    change(ada, city="Boston")
    columns._settle(seen)
    assert Dirty.objects.count() == 1
    assert ids(BOSTON) == [ada]


def test_erasing_takes_a_person_out_of_columns_at_once() -> None:
    """SE-06: no column keeps a word that only the erased person had."""
    ada, ben = world.add([{"city": "Erewhon"}, {"city": "Boston"}])
    compacted()
    erase(ada, now=NOON)
    block = columns._stored([0])[0]
    assert block.column("city").words == ["Boston"]
    assert ids({"not": BOSTON}) == []
    assert ids(BOSTON) == [ben]


def test_everyone_is_found_where_the_columns_are_gone() -> None:
    """A backup holds no columns: evaluation falls back to the records, then a rebuild."""
    added = world.add([{"city": "Boston"}, {"city": "Quincy"}])
    compacted()
    SegmentColumn.objects.all().delete()
    assert ids(BOSTON) == [added[0]]
    assert columns.rebuild() == 1
    assert SegmentColumn.objects.filter(field="city").count() == 1
    assert ids({"not": BOSTON}) == [added[1]]


def test_a_rebuild_mends_a_block_that_does_not_open() -> None:
    added = world.add([{"city": "Boston"}])
    compacted()
    SegmentColumn.objects.update(payload=b"\x02" * 64)
    with pytest.raises(SealBroken):
        ids(BOSTON)
    columns.rebuild()
    assert ids(BOSTON) == added
    assert set(SegmentColumn.objects.values_list("version", flat=True)) == {2}


def test_a_block_of_another_release_is_answered_from_records_and_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, ben = world.add([{"city": "Boston"}, {"city": "Quincy"}])
    compacted()
    monkeypatch.setattr(arrays, "FORMAT", arrays.FORMAT + 1)
    assert ids(BOSTON) == [ada]
    change(ben, city="Boston")
    compacted()
    assert ids(BOSTON) == [ada, ben]
    assert columns._stored([0])[0].covers(["city"])


def test_a_field_without_a_column_is_read_from_records() -> None:
    added = world.add([{"city": "Boston"}])
    compacted()
    SegmentColumn.objects.filter(field="city").delete()
    assert ids(BOSTON) == added


def test_an_old_column_put_back_is_refused() -> None:
    """W5: the version of a block is authenticated."""
    (ada,) = world.add([{"city": "Boston"}])
    compacted()
    old = SegmentColumn.objects.get(field="city")
    change(ada, city="Quincy")
    compacted()
    SegmentColumn.objects.filter(field="city").update(version=old.version, payload=old.payload)
    with pytest.raises(sealed_blocks.ColumnsBroken):
        ids(BOSTON)


def test_a_column_with_another_version_does_not_open() -> None:
    world.add([{"city": "Boston"}])
    compacted()
    SegmentColumn.objects.filter(field="present").update(version=7)
    with pytest.raises(SealBroken):
        ids(BOSTON)


def test_a_column_moved_to_another_field_does_not_open() -> None:
    """SE-16"""
    world.add([{"city": "Boston", "state": "MA"}])
    compacted()
    state = SegmentColumn.objects.get(field="state")
    SegmentColumn.objects.filter(field="city").update(payload=state.payload)
    with pytest.raises(SealBroken):
        ids(BOSTON)


def test_columns_sealed_with_a_key_made_since_are_read(at_harbor: Organisation) -> None:
    """SE-05: a process that remembers the keys of a minute ago meets a block of the new one."""
    added = world.add([{"city": "Boston"}])
    remembered = dict(keyring._remembered)
    rotation.rotate(at_harbor.pk, now=NOON)
    compacted()
    keyring._remembered.update(remembered)
    assert ids(BOSTON) == added


def test_a_rotation_reaches_the_columns_by_folding(at_harbor: Organisation) -> None:
    """SE-05: without a changed contact, and without opening a record."""
    added = world.add([{"city": "Boston"}, {"city": "Quincy"}])
    compacted()
    rotation.rotate(at_harbor.pk, now=NOON)
    assert "contacts_segmentcolumn.payload" in inventory.of_version(at_harbor.pk, 1)
    compacted()
    assert "contacts_segmentcolumn.payload" not in inventory.of_version(at_harbor.pk, 1)
    assert ids(BOSTON) == added[:1]


def test_a_record_moved_to_another_person_does_not_open() -> None:
    """SE-16: nor does a record that was cut short."""
    ada, ben = world.add([{"city": "Boston"}, {"city": "Quincy"}])
    theirs = Contact.objects.get(pk=ben).contact_point
    Contact.objects.filter(pk=ada).update(contact_point=theirs)
    with pytest.raises(SealBroken):
        evaluate.among(parse(BOSTON), [ada], now=NOON)
    Contact.objects.filter(pk=ada).update(contact_point=b"\x01\x00\x00")
    with pytest.raises(SealBroken):
        evaluate.among(parse(BOSTON), [ada], now=NOON)


def test_se33_no_column_can_be_read_at_rest() -> None:
    world.add([{"city": "Erewhon"}])
    compacted()
    rows = SegmentColumn.objects.values_list("payload", flat=True)
    assert not any(b"Erewhon" in bytes(payload) for payload in rows)


def test_a_preview_counts_each_clause_and_what_is_left() -> None:
    world.add([{"city": "Boston", "gender": "female"}, {"city": "Boston"}, {"gender": "female"}])
    women = {"field": "gender", "op": "equals", "value": "female"}
    seen = evaluate.preview(parse({"all": [BOSTON, women]}), now=NOON)
    assert (seen.total, seen.population) == (1, 3)
    assert seen.clause_counts == {"$": 1, "$.all[0]": 2, "$.all[1]": 2}
    assert seen.funnel == [("$.all[0]", 2), ("$.all[1]", 1)]


def test_machine_clicks_do_not_count_unless_asked() -> None:
    """Pain 11: a mail gateway that opens every link steers nobody."""
    ada, ben = world.add([{}, {}])
    at = NOON - timedelta(days=1)
    world.happen(ada, [Happening("message.clicked", at, machine=True)])
    world.happen(ben, [Happening("message.clicked", at)])
    clicked = {"event": "message.clicked", "within_days": 3}
    assert ids(clicked) == [ben]
    assert ids({**clicked, "machine": True}) == [ada, ben]


def test_a_segment_is_asked_by_its_meaning_now() -> None:
    added = world.add([{"city": "Boston"}, {"city": "Quincy"}])
    inner = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    tree = {"not": {"segment": str(inner.id)}}
    assert ids(tree) == [added[1]]
    catalogue.save(
        name="All", tree={"field": "city", "op": "exists"}, now=NOON, segment_id=inner.id
    )
    assert ids(tree) == []


@pytest.mark.parametrize(
    "tree", [{"segment": str(UUID(int=5))}, {"list": str(UUID(int=6))}], ids=["segment", "list"]
)
def test_a_reference_to_nothing_is_refused_and_named(tree: Any) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        ids({"any": [BOSTON, tree]})
    assert refused.value.problems[0].path == "$.any[1]"


def test_a_circle_of_segments_is_refused() -> None:
    one = catalogue.save(name="One", tree=BOSTON, now=NOON)
    other = catalogue.save(name="Other", tree={"segment": str(one.id)}, now=NOON)
    with pytest.raises(DefinitionInvalid, match="circle"):
        catalogue.save(name="One", tree={"segment": str(other.id)}, now=NOON, segment_id=one.id)


def test_another_organisation_sees_nobody_of_ours(
    hill: Organisation, at_harbor: Organisation
) -> None:
    """SE-01"""
    world.add([{"city": "Boston"}])
    compacted()
    with tenancy.acting_for(hill.pk):
        assert ids({"not": {"field": "city", "op": "exists"}}) == []
        assert ids(BOSTON) == []
