"""The trail: an entry in its own transaction, and the verification of a sealed trail.

insert  `trail.record`, committed each time, against a plain INSERT of the same columns through the
        same driver into a table with the same indexes, without row security, checks or defaults
verify  the whole of `audit.verify` (read, content, Merkle roots, chain, signatures, anchor) against
        reading the same rows in the same order and doing nothing with them
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection, connections, transaction

from accounts import tenancy
from audit import seal, trail, verify
from audit.actor import Actor, acting_as
from audit.anchor import FileAnchor
from audit.seal import Place
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, interleave, peak_memory
from crypto.rows import binary_cursor

INSERTS, ENTRIES = 4_000, 200_000
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACTOR = Actor("staff", "018f3a5e-0000-7000-8000-000000000001")
DETAIL: dict[str, trail.Fact] = {"classes": ["identity", "clinical"], "purpose": "treatment"}
PLAIN = """
    CREATE TABLE plain_entry (LIKE audit_entry INCLUDING DEFAULTS INCLUDING IDENTITY);
    ALTER TABLE plain_entry ADD PRIMARY KEY (id);
    CREATE INDEX ON plain_entry (organisation_id, epoch, txid, id);
    CREATE INDEX ON plain_entry (organisation_id, subject, id);
    GRANT ALL ON plain_entry TO attune_app;
"""
INSERT = (
    "INSERT INTO plain_entry"
    " (organisation_id, actor_kind, actor_id, action, subject, outcome, detail)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)


def run(scale: float) -> Iterator[Row]:
    """Measure both rows in one organisation."""
    organisation = found_organisation(now=NOW)
    with tenancy.acting_for(organisation), acting_as(ACTOR):
        yield _insert(organisation, max(200, int(INSERTS * scale)))
        yield _verify(organisation, max(2_000, int(ENTRIES * scale)))


def _insert(organisation: int, n: int) -> Row:
    _make_plain_table()

    def recorded() -> None:
        for number in range(n):
            trail.record("contact.revealed", subject=f"contact:{number}", detail=DETAIL)

    def plain() -> None:
        words = '{"classes":["identity","clinical"],"purpose":"treatment"}'
        for number in range(n):
            values = ("staff", ACTOR.id, "contact.revealed", f"contact:{number}", "done", words)
            with connection.connection.cursor() as cursor:
                cursor.execute(INSERT, (organisation, *values))

    both = interleave(recorded, plain)
    return Row("insert", n, both.work, limit=n / both.limit)


def _verify(organisation: int, n: int) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        anchor = FileAnchor(Path(folder))
        with transaction.atomic():
            trail.record_many(
                trail.Entry("contact.revealed", f"contact:{number}", DETAIL) for number in range(n)
            )
        seal.run_once(now=NOW, anchor=anchor)

        def verified() -> None:
            report = verify.verify(organisation_id=organisation, now=NOW, anchor=anchor)
            assert report.ok
            assert report.entries >= n

        with peak_memory() as peak:
            both = interleave(verified, lambda: _read(organisation))
        total = verify.verify(organisation_id=organisation, now=NOW, anchor=anchor).entries
    return Row("verify", total, both.work, limit=total / both.limit, peak_mb=peak.grown_mb)


def _read(organisation: int) -> None:
    """Read every entry in order, as many at a time as `verify` does."""
    after = Place()
    with binary_cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT epoch, txid::text::int8, id, organisation_id, at, actor_kind, actor_id,"
                " action, subject, outcome, detail FROM audit_entry WHERE organisation_id = %b"
                " AND (epoch, txid, id) > (%b::int2, %b::text::xid8, %b::int8)"
                " ORDER BY epoch, txid, id LIMIT %b",
                [organisation, after.epoch, str(after.txid), after.id, verify.WINDOW],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            after = Place(*rows[-1][:3])


def _make_plain_table() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(PLAIN)
