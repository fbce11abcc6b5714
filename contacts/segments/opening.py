"""Contacts' records opened for machines: to fill columns and to evaluate those who changed.

Nobody sees these values, so no entry for each person stands in the trail: whoever counts or lists
a segment records that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from contacts import packing
from contacts.facts import last_visit
from contacts.fields import FIELDS, STORED_CLASS
from contacts.writing import TABLE
from crypto import data_keys
from crypto.rows import binary_cursor
from crypto.seal import unseal_classes


def values_of(
    organisation_id: int, contact_ids: Sequence[int], keys: Collection[str]
) -> dict[int, dict[str, Any]]:
    """Return the canonical values of these fields for each contact that is there.

    `last_visit` is the one derived field; what it is derived from comes along.
    """
    stored = {FIELDS[key].derived_from or key for key in keys}
    classes = sorted({STORED_CLASS[key].value for key in stored})
    derived = [key for key in keys if FIELDS[key].derived_from]
    rows = _rows(contact_ids, classes)
    data = data_keys.load(organisation_id, [row[0] for row in rows])
    found = {}
    for contact_id, *records in rows:
        key = data.get(contact_id)
        if key is None:
            continue
        sealed = {name: record for name, record in zip(classes, records, strict=True) if record}
        opened = unseal_classes(
            key, sealed, organisation_id=organisation_id, table=TABLE, row=contact_id
        )
        values: dict[str, Any] = {}
        for packed in opened.values():
            values.update(packing.read(packed, stored))
        for name in derived:
            values[name] = last_visit(values.get("encounters", ()))
        found[contact_id] = values
    return found


def _rows(contact_ids: Sequence[int], classes: Sequence[str]) -> list[tuple[Any, ...]]:
    names = "".join(f", {name}" for name in classes)
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id{names} FROM {TABLE}"
            " WHERE id = ANY(%b::int8[]) AND erased_at IS NULL".encode(),
            [list(contact_ids)],
        )
        return cursor.fetchall()


def contacts_in(first: int, last: int) -> list[int]:
    """The ids of contacts that are there, from `first` to `last`, erased ones left out."""
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {TABLE} WHERE id BETWEEN %b AND %b AND erased_at IS NULL".encode(),
            [first, last],
        )
        return [row[0] for row in cursor.fetchall()]
