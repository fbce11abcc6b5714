"""Who was in at the last refresh, and the events that say who came and who left.

Members are kept as sealed bitmaps, a block at a time. A refresh works out who is in now, compares,
and writes `segment.entered` and `segment.left` in the same transaction. A broken segment keeps its
members as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from django.db import transaction

from accounts import tenancy
from audit import trail
from contacts import events
from contacts.models import BLOCK_SIZE, first_id
from contacts.segments import catalogue, evaluate
from contacts.segments.arrays import Ints, Mask
from contacts.segments.models import Membership, Segment
from crypto import columns as sealing
from crypto.rows import binary_cursor, insert_rows

STALE_AFTER: Final = timedelta(minutes=1)
_AT_A_TIME: Final = 5_000
_TABLE: Final = Membership._meta.db_table


@dataclass(frozen=True, slots=True)
class Changed:
    """Contact ids, ascending."""

    entered: list[int]
    left: list[int]


NOBODY: Final = Changed([], [])


def refresh(segment: Segment, *, now: datetime) -> Changed:
    """Bring the members up to date and tell who changed; nothing changes for a broken segment."""
    definition = catalogue.check(segment)
    if definition is None:
        return NOBODY
    found = evaluate.members(definition, now=now)
    with transaction.atomic():
        locked = Segment.objects.select_for_update().get(pk=segment.pk)
        if locked.version != segment.version or locked.archived_at is not None:
            return NOBODY  # it was edited meanwhile: the next refresh works from the new definition
        changed = _write(segment, found.ordinals)
        _announce(segment, changed, now)
        Segment.objects.filter(pk=segment.pk).update(
            refreshed_at=now, count=found.count, counted_at=now
        )
        if changed != NOBODY:
            _record(segment, changed, found.count)
    return changed


def _record(segment: Segment, changed: Changed, count: int) -> None:
    """A refresh that changed nobody is not an act: it leaves no entry every minute."""
    detail = {"entered": len(changed.entered), "left": len(changed.left), "count": count}
    trail.record("segment.refreshed", subject=f"segment:{segment.id}", detail=detail)


def refresh_due(*, now: datetime, limit: int = 20) -> int:
    """Refresh the segments that waited longest; return how many. One worker at a time each."""
    refreshed = 0
    while refreshed < limit and (segment := _claim(now)) is not None:
        refresh(segment, now=now)
        refreshed += 1
    return refreshed


def members(segment: Segment) -> Ints:
    """Return the ordinals of those who were in at the last refresh, ascending."""
    held = _held(segment)
    return np.concatenate(
        [np.empty(0, np.int64), *(np.flatnonzero(m) + n * BLOCK_SIZE for n, (_, m) in held.items())]
    )


def _claim(now: datetime) -> Segment | None:
    """Take the stalest due segment by moving its clock; the row count decides who got it."""
    due = Segment.objects.filter(archived_at=None).exclude(refreshed_at__gt=now - STALE_AFTER)
    for segment in due.order_by("refreshed_at")[:5]:
        same = Segment.objects.filter(pk=segment.pk, refreshed_at=segment.refreshed_at)
        if segment.refreshed_at is None:
            same = Segment.objects.filter(pk=segment.pk, refreshed_at__isnull=True)
        if same.update(refreshed_at=now):
            return segment
    return None


def _held(segment: Segment) -> dict[int, tuple[int, Mask]]:
    organisation_id = tenancy.current()
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT block, version, payload FROM {_TABLE} WHERE segment_id = %b"
            " ORDER BY block".encode(),
            [segment.id],
        )
        rows = cursor.fetchall()
    opened = (
        sealing.open_block(
            organisation_id, field=_field(segment), block=block, version=version, payload=payload
        )
        for block, version, payload in rows
    )
    return {
        row[0]: (row[1], np.unpackbits(np.frombuffer(bits, np.uint8)).astype(np.bool_))
        for row, bits in zip(rows, opened, strict=True)
    }


def _field(segment: Segment) -> str:
    return f"segment:{segment.id}"


def _write(segment: Segment, ordinals: Ints) -> Changed:
    """Write the blocks whose members differ."""
    held, organisation_id = _held(segment), tenancy.current()
    entered, left, rows = [], [], []
    for number in sorted({*held, *np.unique(ordinals // BLOCK_SIZE).tolist()}):
        version, before = held.get(number, (0, np.zeros(BLOCK_SIZE, np.bool_)))
        start = number * BLOCK_SIZE
        within = ordinals[(ordinals >= start) & (ordinals < start + BLOCK_SIZE)] - start
        after = np.zeros(BLOCK_SIZE, np.bool_)
        after[within] = True
        if (before == after).all():
            continue
        entered.append(np.flatnonzero(after & ~before) + start)
        left.append(np.flatnonzero(before & ~after) + start)
        payload = sealing.seal_block(
            organisation_id,
            field=_field(segment),
            block=number,
            version=version + 1,
            payload=np.packbits(after).tobytes(),
        )
        rows.append((organisation_id, segment.id, number, version + 1, payload))
    _store(rows)
    return Changed(_ids(entered), _ids(left))


def _ids(ordinals: Sequence[Ints]) -> list[int]:
    found: list[int] = (
        np.concatenate([np.empty(0, np.int64), *ordinals]) + first_id(tenancy.current())
    ).tolist()
    return found


def _store(rows: Sequence[tuple[object, ...]]) -> None:
    insert_rows(
        _TABLE,
        ("organisation_id", "segment_id", "block", "version", "payload"),
        ("int4", "uuid", "int4", "int4", "bytea"),
        rows,
        after="ON CONFLICT (segment_id, block)"
        " DO UPDATE SET version = excluded.version, payload = excluded.payload",
    )


def _announce(segment: Segment, changed: Changed, now: datetime) -> None:
    for batch in _batches(segment, changed, now):
        events.append(batch, now=now)


def _batches(segment: Segment, changed: Changed, now: datetime) -> Iterator[list[events.NewEvent]]:
    for kind, ids in (("segment.left", changed.left), ("segment.entered", changed.entered)):
        for at in range(0, len(ids), _AT_A_TIME):
            yield [
                events.NewEvent(
                    contact_id=contact_id,
                    kind=kind,
                    occurred_at=now,
                    source="segments",
                    campaign=segment.id,
                )
                for contact_id in ids[at : at + _AT_A_TIME]
            ]
