"""Seal the trail's settled entries into chained, signed batches, and anchor them outside.

Entries are taken in the order (epoch, txid, id), and only below the oldest transaction that still
runs: whatever is still being written comes later in this order, so no entry is ever skipped and
none can honestly appear inside a sealed batch afterwards.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from audit import anchor as anchors
from audit.anchor import Anchor
from audit.canonical import EMPTY_HASH, LINE, digest, leaf, merkle_root
from audit.checkpoint import Checkpoint, Statement, micros
from audit.models import Batch
from audit.settled import HORIZON
from crypto import keyring
from crypto.rows import binary_cursor

BATCH_SIZE = 10_000
HINT = struct.Struct(">q8s")
ERASED = "contact.erased"
_LOCK = 0x7472616C  # "tral": one sealer at a time for each organisation


class MovedServer(Exception):
    """The database moved to another PostgreSQL server, whose transaction numbers begin anew."""


class Place(NamedTuple):
    """A place in the order of entries."""

    epoch: int = -1
    txid: int = 0
    id: int = 0

    @classmethod
    def after(cls, batch: Batch | None) -> Place:
        return cls(batch.epoch, batch.last_txid, batch.last_id) if batch else cls()


class Taken(NamedTuple):
    """One entry as it is sealed."""

    place: Place
    line: bytes


def run_once(
    *,
    organisation_id: int | None = None,
    now: datetime,
    anchor: Anchor | None = None,
    limit: int = BATCH_SIZE,
) -> int:
    """Seal what has settled; return how many entries. Run it inside the organisation's scope."""
    organisation = _acting() if organisation_id is None else organisation_id
    outside = anchor or anchors.configured()
    sealed = 0
    while True:
        with transaction.atomic():
            taken = seal_next(organisation, now=now, limit=limit)
            transaction.on_commit(lambda: catch_up(organisation, outside))
        sealed += taken
        if taken < limit:
            return sealed


def seal_next(organisation_id: int, *, now: datetime, limit: int, closing: bool = False) -> int:
    """Seal one batch; 0 when nothing has settled or another sealer is at work.

    `closing` takes what is left of an epoch that has ended: nothing can run in it any more.
    """
    if not _lock(organisation_id):
        return 0
    before = Batch.objects.filter(organisation_id=organisation_id).order_by("-number").first()
    taken = _take(organisation_id, Place.after(before), limit=limit, closing=closing)
    if not taken:
        return 0
    leaves = [leaf(entry.line) for entry in taken]
    keys = keyring.installation()
    statement = _statement(organisation_id, before, taken, leaves, now, keys.trail_version)
    hints = (HINT.pack(e.place.id, h[:8]) for e, h in zip(taken, leaves, strict=True))
    Checkpoint.sign(statement, keys.trail_signing).to_batch(b"".join(hints)).save()
    return len(taken)


def catch_up(organisation_id: int, anchor: Anchor) -> None:
    """Bring the anchor to where the database is; what an outage left out is appended now."""
    batches = Batch.objects.filter(organisation_id=organisation_id).defer("hints")
    last = anchor.last(organisation_id)
    missing = list(batches.filter(number__gt=last).order_by("number"))
    if not missing:
        return
    # Before the checkpoints: a crash in between repeats a name, and never loses one.
    erased = _erased(batches.filter(number=last).first(), missing[-1])
    anchor.remember_erased(organisation_id, erased)
    anchor.publish(keyring.installation().trail_public)
    anchor.append(organisation_id, [Checkpoint.of(batch) for batch in missing])


def _erased(after: Batch | None, upto: Batch) -> list[str]:
    """Return the subjects of erasures between two batches."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT subject FROM audit_entry WHERE organisation_id = %b AND action = %b"
            " AND (epoch, txid, id) > (%b::int2, %b::text::xid8, %b::int8)"
            " AND (epoch, txid, id) <= (%b::int2, %b::text::xid8, %b::int8)"
            " ORDER BY epoch, txid, id",
            [upto.organisation_id, ERASED, *_texts(Place.after(after)), *_texts(Place.after(upto))],
        )
        return [subject for (subject,) in cursor.fetchall()]


def _texts(place: Place) -> tuple[int, str, int]:
    return place.epoch, str(place.txid), place.id


def read_lines(
    organisation_id: int, after: Place, *, condition: str, values: Sequence[object], limit: int
) -> list[Taken]:
    """Return entries after a place, in order, as far as the condition allows."""
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT epoch::int4, txid::text::int8, id, convert_to({LINE}, 'UTF8')"
            " FROM audit_entry WHERE organisation_id = %b"
            " AND (epoch, txid, id) > (%b::int2, %b::text::xid8, %b::int8)"
            f" AND {condition} ORDER BY epoch, txid, id LIMIT %b",
            [organisation_id, after.epoch, str(after.txid), after.id, *values, limit],
        )
        return [Taken(Place(*row[:3]), row[3]) for row in cursor.fetchall()]


def current_epoch() -> int:
    """Return the epoch of entries written now: the column's default, which `adoption` moves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute"
            " ON attrelid = adrelid AND attnum = adnum"
            " WHERE adrelid = 'audit_entry'::regclass AND attname = 'epoch'"
        )
        return int(re.sub(r"\D", "", cursor.fetchone()[0].partition("::")[0]))


def _take(organisation_id: int, after: Place, *, limit: int, closing: bool) -> list[Taken]:
    if closing:
        return read_lines(organisation_id, after, condition="true", values=[], limit=limit)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {HORIZON}::text::bigint")
        horizon = cursor.fetchone()[0]
    if after.epoch >= 0 and horizon < after.txid and current_epoch() <= after.epoch:
        raise MovedServer(
            "the trail was sealed on another PostgreSQL server; after a restore, run"
            " manage.py adopt_trail (docs/howto-trail.md)"
        )
    settled = "txid < %b::text::xid8"
    return read_lines(organisation_id, after, condition=settled, values=[str(horizon)], limit=limit)


def _statement(
    organisation_id: int,
    before: Batch | None,
    taken: Sequence[Taken],
    leaves: Sequence[bytes],
    now: datetime,
    key_version: int,
) -> Statement:
    last = taken[-1].place
    return Statement(
        organisation_id=organisation_id,
        number=before.number + 1 if before else 1,
        epoch=last.epoch,
        last_txid=last.txid,
        last_id=last.id,
        entries=len(taken),
        total=len(taken) + (before.total if before else 0),
        content=digest(entry.line for entry in taken).hex(),
        root=merkle_root(leaves).hex(),
        previous=(bytes(before.hash) if before else EMPTY_HASH).hex(),
        sealed_at=micros(now),
        key_version=key_version,
    )


def _lock(organisation_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, organisation_id])
        return bool(cursor.fetchone()[0])


def _acting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nullif(current_setting('attune.organisation', true), '')::int")
        acting = cursor.fetchone()[0]
    if acting is None:
        raise ValueError("no organisation's scope is set: enter it, or name the organisation")
    return int(acting)
