"""Columns of fields that an organisation adds and deletes."""

from __future__ import annotations

from typing import Any

import pytest

from contacts import custom_fields, records, registry, sweeping
from contacts.models import Dirty
from contacts.records import Change
from contacts.segments import columns, evaluate, opening
from contacts.segments.definition import parse
from contacts.segments.models import SegmentColumn
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("at_harbor")

SHOE = "custom_shoe"


def add_shoe() -> None:
    custom_fields.add(
        label="Shoe", type_="decimal", data_class="demographic", labels=[], key=SHOE, now=NOON
    )


def put(number: str, **values: Any) -> int:
    change = Change(source="ehr", record_number=number, values=values)
    return records.upsert([change], now=NOON).contact_ids[0]


def ids(tree: Any) -> list[int]:
    definition = parse(tree, fields=registry.current())
    return evaluate.members(definition, now=NOON).contact_ids()


def test_a_new_field_needs_no_column_before_somebody_has_a_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, ben = put("1", city="Boston"), put("2", city="Quincy")
    columns.compact(now=NOON, at_least=1)
    add_shoe()
    put("1", custom_shoe="7.5")
    asked: list[int] = []
    whole = opening.Opening.__init__

    def noted(self: Any, organisation_id: int, contact_ids: Any, **more: Any) -> None:
        asked.extend(contact_ids)
        whole(self, organisation_id, contact_ids, **more)

    monkeypatch.setattr(opening.Opening, "__init__", noted)
    assert ids({"field": SHOE, "op": "gt", "value": 7}) == [ada]
    assert ids({"not": {"field": SHOE, "op": "exists"}}) == [ben]
    assert set(asked) == {ada}


def test_folding_makes_the_column_of_a_new_field() -> None:
    ada, ben = put("1", city="Boston"), put("2", city="Quincy")
    columns.compact(now=NOON, at_least=1)
    add_shoe()
    put("1", custom_shoe="7.5")
    columns.compact(now=NOON, at_least=1)
    assert not Dirty.objects.exists()
    assert SegmentColumn.objects.filter(field=SHOE).count() == 1
    assert ids({"field": SHOE, "op": "gt", "value": 7}) == [ada]
    assert ids({"not": {"field": SHOE, "op": "exists"}}) == [ben]


def test_the_columns_of_a_deleted_field_go_with_it() -> None:
    add_shoe()
    ada = put("1", city="Boston", custom_shoe="7.5")
    columns.compact(now=NOON, at_least=1)
    custom_fields.delete(SHOE, now=NOON)
    assert not SegmentColumn.objects.filter(field=SHOE).exists()
    while sweeping.sweep(now=NOON):
        pass
    columns.compact(now=NOON, at_least=1)
    assert ids({"field": "city", "op": "equals", "value": "Boston"}) == [ada]


def test_a_removed_column_of_an_own_field_is_not_taken_for_an_empty_one() -> None:
    """The list of versions, sealed with the block, says that there was one."""
    add_shoe()
    ada = put("1", custom_shoe="7.5")
    columns.compact(now=NOON, at_least=1)
    SegmentColumn.objects.filter(field=SHOE).delete()
    assert ids({"field": SHOE, "op": "exists"}) == [ada]
