"""The sealed columns: kept, folded together with what changed, made anew.

A block holds 8,192 contacts. Its column `present` says which places are people and, sealed with
it, which version of each other column belongs to the block: an older column put back in its place
is noticed. Whatever a column does not cover (a changed contact, a block or a field without a
column) is evaluated from the records themselves, so a missing column costs time, never truth.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgpack
from django.db import connection, transaction
from django.db.models import Q

from accounts import tenancy
from contacts import registry
from contacts.fields import Field
from contacts.models import BLOCK_SIZE, Contact, Dirty, first_id, ordinal_of
from contacts.segments import arrays, building, opening
from contacts.segments.arrays import Column
from contacts.segments.building import PRESENT
from contacts.segments.models import SegmentColumn
from contacts.segments.patching import patched
from contacts.segments.sealed_blocks import Listed, SealedBlock
from crypto import columns as sealing
from crypto import inventory, keyring
from crypto.rows import binary_cursor, insert_rows
from crypto.seal import version_of

FOLD_AT: Final = 10_000
"""Fold when so many contacts have changed: below it, evaluating them from side blocks is cheap."""
AT_A_TIME: Final = 16
"""Blocks folded in one transaction."""
_LOCK: Final = 0x5E6
_TABLE: Final = SegmentColumn._meta.db_table


def compact(*, now: datetime, at_least: int = FOLD_AT) -> int:
    """Fold changed contacts into the columns and return how many changes were folded.

    Safe beside writers, evaluations and other compactors: one compactor at a time (a lock for each
    organisation); changes are read before records, so a block never tells less than the changes
    that are taken away; a change that comes in meanwhile has its own row and stays.
    """
    folded = _fold_changes(max(at_least, 1))
    _follow_rotation()
    return folded


def _fold_changes(at_least: int) -> int:
    folded = 0
    if Dirty.objects.count() < at_least:
        return folded
    while blocks := _changed_blocks():
        folded += sum(_fold(batch) for batch in _batches(blocks))
        if Dirty.objects.count() < at_least:
            break
    _drop_spent()
    return folded


def _follow_rotation() -> None:
    """Seal some blocks with the key that writes now; after a rotation each run takes the next."""
    keys = keyring.for_organisation(tenancy.current())
    if len(keys.readable) == 1:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT block FROM {_TABLE} WHERE organisation_id = %s AND field = %s"
            f" AND {inventory.VERSION.format('payload')} <> %s ORDER BY block LIMIT %s",
            [tenancy.current(), PRESENT, keys.writing.version, AT_A_TIME],
        )
        blocks = [number for (number,) in cursor.fetchall()]
    if any(number < 0 for number in blocks):
        scatter()
        blocks = [number for number in blocks if number >= 0]
    with alone():
        for number, old in _stored(blocks).items():
            _write_changed(old, number, [])


def forget(contact_id: int) -> None:
    """Rewrite the block of an erased contact at once, so that no column holds a value of theirs.

    Side blocks go: those who had changed are answered from their records until they are gathered
    again, which is sooner done than taking one out of each.
    """
    scatter()
    _fold([ordinal_of(contact_id) // BLOCK_SIZE])


def scatter() -> None:
    """Take the side blocks away: whoever changed is answered from the records again."""
    with alone(), binary_cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_dirty SET gathered = NULL"
            " WHERE organisation_id = %b AND gathered IS NOT NULL",
            [tenancy.current()],
        )
        SegmentColumn.objects.filter(block__lt=0).delete()


def _drop_spent() -> None:
    """Take away side blocks of which every change has been folded in."""
    with alone():
        held = SegmentColumn.objects.filter(field=PRESENT, block__lt=0)
        blocks = set(held.values_list("block", flat=True))
        if not blocks:
            return
        awaited = Dirty.objects.values_list("gathered", flat=True).distinct()
        SegmentColumn.objects.filter(block__in=blocks - {-(n or 0) for n in awaited}).delete()


def forget_field(key: str) -> None:
    """Take away the columns of a field that its organisation deletes."""
    SegmentColumn.objects.filter(Q(field=key) | Q(field__startswith=f"{key}.")).delete()


def rebuild() -> int:
    """Make the columns anew from the records, whatever is stored; return the number of blocks."""
    last = Contact.objects.order_by("-id").values_list("id", flat=True).first()
    blocks = 0 if last is None else ordinal_of(last) // BLOCK_SIZE + 1
    for number in range(blocks):
        with alone():
            seen = _dirty_in([number])
            _write_changed(None, number, [], above=_take_out(number))
            _settle(seen)
    SegmentColumn.objects.filter(block__gte=blocks).delete()
    scatter()
    return blocks


def _take_out(number: int) -> int:
    """Delete a block unread, for it may be broken; return the highest version it had."""
    rows = SegmentColumn.objects.filter(block=number)
    highest = max(rows.values_list("version", flat=True), default=0)
    rows.delete()
    return highest


def _batches(blocks: Sequence[int]) -> Iterator[Sequence[int]]:
    return (blocks[at : at + AT_A_TIME] for at in range(0, len(blocks), AT_A_TIME))


def _changed_blocks() -> list[int]:
    first = first_id(tenancy.current())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT (contact_id - %s) / %s FROM contacts_dirty"
            " WHERE organisation_id = %s ORDER BY 1",
            [first, BLOCK_SIZE, tenancy.current()],
        )
        return [row[0] for row in cursor.fetchall()]


class alone:  # noqa: N801 - reads as a word in `with`
    """A transaction in which this is the organisation's only compactor."""

    def __enter__(self) -> None:
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, tenancy.current()])

    def __exit__(self, *broken: Any) -> None:
        self._atomic.__exit__(*broken)


def _fold(blocks: Sequence[int]) -> int:
    with alone():
        seen = _dirty_in(blocks)
        changed: dict[int, set[int]] = defaultdict(set)
        for _, contact_id in seen:
            changed[ordinal_of(contact_id) // BLOCK_SIZE].add(contact_id)
        stored = _stored(list(changed))
        for number, ids in changed.items():
            _write_changed(stored.get(number), number, sorted(ids))
        _settle(seen)
    return len(seen)


def _dirty_in(blocks: Sequence[int]) -> list[tuple[int, int]]:
    organisation_id = tenancy.current()
    first = first_id(organisation_id)
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT seq, contact_id FROM contacts_dirty WHERE organisation_id = %b"
            " AND (contact_id - %b) / %b = ANY(%b::int8[])",
            [organisation_id, first, BLOCK_SIZE, list(blocks)],
        )
        return cursor.fetchall()


def _settle(seen: Sequence[tuple[int, int]]) -> None:
    """Take away exactly the changes that were read."""
    with binary_cursor() as cursor:
        cursor.execute(
            "DELETE FROM contacts_dirty WHERE seq = ANY(%b::int8[])", [[seq for seq, _ in seen]]
        )


def _stored(blocks: Sequence[int]) -> dict[int, SealedBlock]:
    organisation_id = tenancy.current()
    rows: dict[int, dict[str, tuple[int, bytes]]] = defaultdict(dict)
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT block, field, version, payload FROM {_TABLE}"
            " WHERE organisation_id = %b AND block = ANY(%b::int4[])".encode(),
            [organisation_id, list(blocks)],
        )
        for block, name, version, payload in cursor.fetchall():
            rows[block][name] = (version, payload)
    opener = sealing.Opener(organisation_id)
    return {block: SealedBlock(opener, block, held) for block, held in rows.items()}


def _write_changed(
    old: SealedBlock | None, number: int, ids: Sequence[int], *, above: int = 0
) -> None:
    """Write the block with the present values of these contacts, in a version above that one."""
    fields = registry.current()
    names = building.all_columns(fields)
    if old is not None:
        old.fields = fields
    known = _columns_of(old, names)
    if known is None:
        ids = _everyone_in(number, ids)
    places = [ordinal_of(contact_id) % BLOCK_SIZE for contact_id in ids]
    values = opening.values_of(tenancy.current(), ids, fields_of(names))
    new = building.build([*(values.get(i, {}) for i in ids), {}], names, fields=fields)
    new[PRESENT] = building.present([*(i in values for i in ids), False])
    size = max([0 if old is None else old.size, *(place + 1 for place in places)])
    base = known if known is not None else _empty(names, fields)
    seal_columns(old, number, patched(base, new, places=places, size=size), above=above)


def _columns_of(old: SealedBlock | None, names: Sequence[str]) -> dict[str, Any] | None:
    """All columns of the block; None where one is not there and the block must be made anew."""
    if old is None or not old.covers(names):
        return None
    return {name: old.column(name) for name in (*names, PRESENT)}


def _everyone_in(number: int, ids: Sequence[int]) -> list[int]:
    """A block without usable columns is made from all its contacts, not only the changed."""
    first = first_id(tenancy.current()) + number * BLOCK_SIZE
    return sorted({*ids, *opening.contacts_in(first, first + BLOCK_SIZE - 1)})


def _empty(names: Sequence[str], fields: Mapping[str, Field]) -> dict[str, Any]:
    built: dict[str, Any] = dict(building.build([], names, fields=fields))
    return {**built, PRESENT: building.present([])}


def fields_of(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name.partition(".")[0] for name in names)


def seal_columns(
    old: SealedBlock | None, number: int, columns: Mapping[str, Column], *, above: int
) -> None:
    """Write the columns that differ, under the next version, and the list of versions."""
    written: list[tuple[Any, ...]] = []
    listed: list[tuple[str, int, bytes]] = []
    top = max([above, *(version for version, _ in (old.rows.values() if old else ()))]) + 1
    for name, column in columns.items():
        if name == PRESENT:
            continue
        payload = arrays.pack(column)
        digest = hashlib.blake2b(payload, digest_size=Listed.SIZE).digest()
        version = _unchanged(old, name, digest)
        if not version:
            version = top
            written.append(_row(number, name, top, payload))
        listed.append((name, version, digest))
    people = arrays.pack(columns[PRESENT])
    present = msgpack.packb([arrays.FORMAT, *Listed.of(listed).packed(), people])
    written.append(_row(number, PRESENT, top, present))
    _store(written)
    _drop(number, (old.rows.keys() if old else set()) - columns.keys())


def _drop(number: int, names: Collection[str]) -> None:
    """Take away the columns of fields that the organisation has deleted."""
    if names:
        SegmentColumn.objects.filter(block=number, field__in=names).delete()


def _unchanged(old: SealedBlock | None, name: str, digest: bytes) -> int:
    """The version of a column that is stored as it should be; 0 where it must be written."""
    if old is None or name not in old.rows:
        return 0
    version, (stored, payload) = old.listed.version(name), old.rows[name]
    if not version or version != stored or old.listed.digest(name) != digest:
        return 0
    writing = keyring.for_organisation(tenancy.current()).writing.version
    return version if version_of(payload) == writing else 0


def _row(number: int, name: str, version: int, payload: bytes) -> tuple[Any, ...]:
    organisation_id = tenancy.current()
    sealed = sealing.seal_block(
        organisation_id, field=name, block=number, version=version, payload=payload
    )
    return organisation_id, name, number, version, sealed


def _store(rows: Sequence[tuple[Any, ...]]) -> None:
    insert_rows(
        _TABLE,
        ("organisation_id", "field", "block", "version", "payload"),
        ("int4", "text", "int4", "int4", "bytea"),
        rows,
        after="ON CONFLICT (organisation_id, field, block)"
        " DO UPDATE SET version = excluded.version, payload = excluded.payload",
    )
