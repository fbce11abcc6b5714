"""What came for a merged person after the merge, and through whom.

A change belongs to the contact whose record number it named; one that names nobody's number (staff,
a workflow) to the contact that stays. Each is kept sealed under its owner's key until the merge is
taken back for good, so that taking back puts it where it belongs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import msgpack
from django.db.models import Max

from accounts import tenancy
from contacts import merging, registry
from contacts.facts import CLEAR
from contacts.fields import DataClass, Field
from contacts.merge.models import SinceMerge
from contacts.packing import Record
from crypto import data_keys
from crypto.rows import binary_cursor
from crypto.seal import Context, seal, unseal

TABLE = "contacts_sincemerge"


class Said(NamedTuple):
    """One change of one owner: values (CLEAR among them), when known, items taken back."""

    owner_id: int
    values: Mapping[str, Any]
    as_of: int
    retracted: frozenset[str] = frozenset()


def merged_among(contact_ids: Collection[int]) -> set[int]:
    """Return those of these contacts that stand for others too."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT merged_into FROM contacts_contact WHERE organisation_id = %b"
            " AND merged_into IS NOT NULL AND merged_into = ANY(%b::int8[])",
            [tenancy.current(), list(contact_ids)],
        )
        return {row[0] for row in cursor.fetchall()}


def keep(said: Iterable[Said]) -> None:
    """Remember the changes in the caller's transaction."""
    changes = list(said)
    keys = data_keys.load(tenancy.current(), {one.owner_id for one in changes}) if changes else {}
    SinceMerge.objects.bulk_create(
        SinceMerge(owner_id=one.owner_id, said=_sealed(one, keys[one.owner_id]))
        for one in changes
        if one.owner_id in keys
    )


def mark() -> int:
    """Return the number of the last entry; entries above it came later."""
    found: int | None = SinceMerge.objects.aggregate(last=Max("id"))["last"]
    return found or 0


def replayed(
    records: Mapping[DataClass, Record], owners: Collection[int], *, after: int
) -> dict[DataClass, Record]:
    """Return the records with the owners' changes since `after` applied, in their order."""
    current = dict(records)
    entries = list(SinceMerge.objects.filter(owner_id__in=owners, id__gt=after).order_by("id"))
    keys = data_keys.load(tenancy.current(), {one.owner_id for one in entries}) if entries else {}
    fields: Mapping[str, Field] = registry.current() if entries else {}
    for entry in entries:
        said = _opened(entry, keys[entry.owner_id])
        values = {key: value for key, value in said.values.items() if key in fields}
        merged = merging.merge(
            current, values, as_of=said.as_of, retracted=said.retracted, fields=fields
        )
        current |= merged.records
    return current


def forget(owners: Collection[int]) -> None:
    SinceMerge.objects.filter(owner_id__in=owners).delete()


def _sealed(said: Said, key: bytes) -> bytes:
    cleared = [name for name, value in said.values.items() if value is CLEAR]
    values = {name: value for name, value in said.values.items() if value is not CLEAR}
    packed: bytes = msgpack.packb([values, cleared, said.as_of, sorted(said.retracted)])
    return seal(key, packed, context=_context(said.owner_id))


def _opened(entry: SinceMerge, key: bytes) -> Said:
    packed = unseal(key, bytes(entry.said), context=_context(entry.owner_id))
    values, cleared, as_of, retracted = msgpack.unpackb(packed)
    return Said(entry.owner_id, values | dict.fromkeys(cleared, CLEAR), as_of, frozenset(retracted))


def _context(owner_id: int) -> Context:
    return Context(tenancy.current(), TABLE, owner_id, "said")
