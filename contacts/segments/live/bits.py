"""Who is in: sealed bitmaps, one bit for each contact of a block. Changed with the feed in hand.

A process keeps opened bitmaps by the beginning of their sealed form, which holds a random nonce: a
bitmap that another process wrote, or that was rolled back, is never taken for the stored one.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np

from accounts import tenancy
from contacts.models import BLOCK_SIZE, first_id, ordinal_of
from contacts.segments.arrays import Ints, Mask
from contacts.segments.models import Membership
from crypto import columns as sealing
from crypto.rows import binary_cursor, insert_rows

_TABLE: Final = Membership._meta.db_table
_BYTES: Final = BLOCK_SIZE // 8
_HEAD: Final = 15
"""Bytes of a sealed value up to the end of its nonce."""
_KEPT: Final = 16_384
"""Opened bitmaps that a process keeps: 16 MB."""
_opened: OrderedDict[bytes, bytes] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Changed:
    """Contact ids, ascending."""

    entered: list[int]
    left: list[int]

    def __bool__(self) -> bool:
        return bool(self.entered or self.left)


NOBODY: Final = Changed([], [])
Place = tuple[UUID, int]
"""A segment and a block."""


def members(segment_id: UUID) -> Ints:
    """Return the ordinals of those who are in, ascending."""
    held = _stored([segment_id], None)
    found = [np.empty(0, np.int64)]
    for (_, block), (_, bits) in sorted(held.items(), key=lambda item: item[0][1]):
        found.append(np.flatnonzero(_mask(bits)) + block * BLOCK_SIZE)
    return np.concatenate(found)


def of_blocks(contact_ids: Iterable[int]) -> set[UUID]:
    """Return the segments with members in the blocks of these contacts."""
    blocks = sorted({ordinal_of(one) // BLOCK_SIZE for one in contact_ids})
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT segment_id FROM {_TABLE}"
            " WHERE organisation_id = %b AND block = ANY(%b::int4[])".encode(),
            [tenancy.current(), blocks],
        )
        return {row[0] for row in cursor.fetchall()}


def settle(
    holding: Mapping[UUID, Collection[int]], contact_ids: Iterable[int]
) -> dict[UUID, Changed]:
    """Write, for each segment, that of these contacts exactly those of `holding` are in.

    Return who came and who left, for the segments where somebody did.
    """
    ids = sorted(set(contact_ids))
    places = [divmod(ordinal_of(one), BLOCK_SIZE) for one in ids]
    blocks = sorted({block for block, _ in places})
    held = _stored(list(holding), blocks)
    changed: dict[UUID, Changed] = {}
    rows: list[tuple[UUID, int, int, bytes]] = []
    for segment, inside in holding.items():
        now_in = frozenset(inside)
        mine = {block: held.get((segment, block), (0, bytes(_BYTES))) for block in blocks}
        entered: list[int] = []
        left: list[int] = []
        fresh: dict[int, bytearray] = {}
        for one, (block, place) in zip(ids, places, strict=True):
            if (one in now_in) != _has(mine[block][1], place):
                bits = fresh.setdefault(block, bytearray(mine[block][1]))
                bits[place >> 3] ^= 0x80 >> (place & 7)
                (entered if one in now_in else left).append(one)
        if fresh:
            changed[segment] = Changed(entered, left)
            rows += [(segment, b, mine[b][0] + 1, bytes(bits)) for b, bits in fresh.items()]
    _store(rows)
    return changed


def replace(segment_id: UUID, ordinals: Ints, *, apart_from: Ints) -> Changed:
    """Write that exactly these are in; those of `apart_from` stay as they are."""
    held = {block: row for (_, block), row in _stored([segment_id], None).items()}
    entered, left = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    rows = []
    for number in sorted({*held, *np.unique(ordinals // BLOCK_SIZE).tolist()}):
        version, bits = held.get(number, (0, bytes(_BYTES)))
        before, start = _mask(bits), number * BLOCK_SIZE
        after = np.zeros(BLOCK_SIZE, np.bool_)
        after[_within(ordinals, start)] = True
        stay = _within(apart_from, start)
        after[stay] = before[stay]
        if (before == after).all():
            continue
        entered.append(np.flatnonzero(after & ~before) + start)
        left.append(np.flatnonzero(before & ~after) + start)
        rows.append((segment_id, number, version + 1, np.packbits(after).tobytes()))
    _store(rows)
    first = first_id(tenancy.current())
    came, went = (np.concatenate(each) + first for each in (entered, left))
    return Changed(came.tolist(), went.tolist())


def _within(ordinals: Ints, start: int) -> Ints:
    found: Ints = ordinals[(ordinals >= start) & (ordinals < start + BLOCK_SIZE)] - start
    return found


def _has(bits: bytes, place: int) -> bool:
    return bool(bits[place >> 3] & (0x80 >> (place & 7)))


def _mask(bits: bytes) -> Mask:
    return np.unpackbits(np.frombuffer(bits, np.uint8)).astype(np.bool_)


def _stored(
    segments: Sequence[UUID], blocks: Sequence[int] | None
) -> dict[Place, tuple[int, bytes]]:
    """Return version and opened bits; only payloads that the process has not opened travel."""
    heads = _rows(f"version, substr(payload, 1, {_HEAD})", segments, blocks)
    known = {place: (row[0], _opened.get(row[1])) for place, row in heads.items()}
    missing = [place for place, (_, bits) in known.items() if bits is None]
    opened = _open(missing)
    return {
        place: (opened[place] if bits is None else (version, bits))
        for place, (version, bits) in known.items()
    }


def _rows(
    what: str, segments: Sequence[UUID], blocks: Sequence[int] | None
) -> dict[Place, tuple[Any, ...]]:
    narrowed = "" if blocks is None else " AND block = ANY(%b::int4[])"
    given: list[Any] = [list(segments), *([] if blocks is None else [list(blocks)])]
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT segment_id, block, {what} FROM {_TABLE}"
            f" WHERE segment_id = ANY(%b::uuid[]){narrowed}".encode(),
            given,
        )
        return {(row[0], row[1]): row[2:] for row in cursor.fetchall()}


def _open(places: Sequence[Place]) -> dict[Place, tuple[int, bytes]]:
    organisation_id = tenancy.current()
    by_segment: dict[UUID, list[int]] = defaultdict(list)
    for segment, block in places:
        by_segment[segment].append(block)
    if not by_segment:
        return {}
    blocks = sorted({block for _, block in places})
    found = {}
    for (segment, block), (version, payload) in _rows(
        "version, payload", list(by_segment), blocks
    ).items():
        bits = sealing.open_block(
            organisation_id, field=_field(segment), block=block, version=version, payload=payload
        )
        _keep(bytes(payload[:_HEAD]), bits)
        found[segment, block] = (version, bits)
    return found


def _keep(head: bytes, bits: bytes) -> None:
    _opened[head] = bits
    while len(_opened) > _KEPT:
        _opened.popitem(last=False)


def _store(rows: Sequence[tuple[UUID, int, int, bytes]]) -> None:
    organisation_id = tenancy.current()
    sealed = []
    for segment, block, version, bits in rows:
        payload = sealing.seal_block(
            organisation_id, field=_field(segment), block=block, version=version, payload=bits
        )
        _keep(payload[:_HEAD], bits)
        sealed.append((organisation_id, segment, block, version, payload))
    if sealed:
        insert_rows(
            _TABLE,
            ("organisation_id", "segment_id", "block", "version", "payload"),
            ("int4", "uuid", "int4", "int4", "bytea"),
            sealed,
            after="ON CONFLICT (segment_id, block)"
            " DO UPDATE SET version = excluded.version, payload = excluded.payload",
        )


def _field(segment_id: UUID) -> str:
    return f"segment:{segment_id}"
