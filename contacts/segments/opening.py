"""Contacts' records opened for machines: to fill columns and to evaluate those who changed.

Nobody sees these values, so no entry for each person stands in the trail: whoever counts or lists
a segment records that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from contacts import packing
from contacts.facts import last_visit
from contacts.fields import FIELDS, STORED_CLASS
from contacts.writing import TABLE, open_record
from crypto import data_keys
from crypto.rows import binary_cursor


def values_of(
    organisation_id: int, contact_ids: Sequence[int], keys: Collection[str]
) -> dict[int, dict[str, Any]]:
    """Return the canonical values of these fields for each contact that is there."""
    stored = {FIELDS[key].derived_from or key for key in keys}
    classes = sorted({STORED_CLASS[key].value for key in stored})
    rows = _rows(contact_ids, classes)
    data = data_keys.load(organisation_id, [row[0] for row in rows])
    return {
        row[0]: dict(_values(organisation_id, row, classes, data[row[0]], stored, keys))
        for row in rows
        if row[0] in data
    }


def _rows(contact_ids: Sequence[int], classes: Sequence[str]) -> list[tuple[Any, ...]]:
    names = "".join(f", {name}" for name in classes)
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id{names} FROM {TABLE}"
            " WHERE id = ANY(%b::int8[]) AND erased_at IS NULL".encode(),
            [list(contact_ids)],
        )
        return cursor.fetchall()


def _values(
    organisation_id: int,
    row: Sequence[Any],
    classes: Sequence[str],
    key: bytes,
    stored: Collection[str],
    asked: Collection[str],
) -> Iterator[tuple[str, Any]]:
    held: dict[str, Any] = {}
    for name, sealed in zip(classes, row[1:], strict=True):
        if sealed is not None:
            packed = open_record(organisation_id, row[0], name, key, sealed)
            held |= packing.read(packed, stored)
    for field in asked:
        if FIELDS[field].derived_from == "encounters":
            yield field, last_visit(held.get("encounters", ()))
        elif field in held:
            yield field, held[field]


def contacts_in(first: int, last: int) -> list[int]:
    """The ids of contacts that are there, from `first` to `last`, erased ones left out."""
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {TABLE} WHERE id BETWEEN %b AND %b AND erased_at IS NULL".encode(),
            [first, last],
        )
        return [row[0] for row in cursor.fetchall()]


Held = Mapping[int, Mapping[str, Any]]
