"""SE-06: an erased person is nowhere any more, nor after a restore; the opt-out stays (CS-02)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from accounts import tenancy
from accounts.models import Organisation
from audit import seal
from consent import suppression
from contacts import erase, records
from contacts.models import Contact
from contacts.segments import catalogue, columns, evaluate, membership
from contacts.segments.definition import parse
from contacts.segments.live import bits
from contacts.segments.models import Segment, SegmentColumn
from crypto import columns as sealing
from crypto import data_keys
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.ground.server import OwnDatabase, TestServer

CANARY = "Erewhonshire"
EMAIL = "canary@erewhon.example"
THERE = {"field": "city", "op": "equals", "value": CANARY}
KEPT = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " AND (relname LIKE 'contacts\\_%' OR relname = 'crypto_datakey')"
)


@pytest.fixture
def canary(
    committed_db: OwnDatabase, at_harbor: Organisation, settings: Settings, tmp_path: Path
) -> int:
    """A person with a town of their own, in columns, in a segment and suppressed."""
    settings.ATTUNE_ANCHOR_DIR = tmp_path
    ada, _ = world.add([{"city": CANARY, "email": EMAIL, "insurance": CANARY}, {"city": "Boston"}])
    columns.compact(now=NOON, at_least=1)
    membership.refresh(catalogue.save(name="There", tree=THERE, now=NOON), now=NOON)
    suppression.suppress(EMAIL, reason="request", received_by="test", now=NOON)
    assert CANARY.encode() in b"".join(opened())
    assert membership.members(Segment.objects.get()).tolist() == [0]
    return ada


def opened() -> Iterator[bytes]:
    """Everything that the columns hold, in the clear."""
    opener = sealing.Opener(tenancy.current())
    for row in SegmentColumn.objects.all():
        yield opener.open(bytes(row.payload), field=row.field, block=row.block, version=row.version)


def nothing_is_left_of(contact_id: int) -> None:
    bits._opened.clear()  # what this process remembers is not what is stored
    assert data_keys.load(tenancy.current(), [contact_id]) == {}
    row = Contact.objects.get(pk=contact_id)
    assert (row.sealed(), row.email_index, row.phone_index) == ({}, None, None)
    assert CANARY.encode() not in b"".join(opened())
    assert membership.members(Segment.objects.get()).tolist() == []
    assert contact_id not in evaluate.members(parse({"not": THERE}), now=NOON).contact_ids()


def test_an_erased_person_is_in_no_record_column_dictionary_or_segment(canary: int) -> None:
    erase.erase(canary, now=NOON)
    nothing_is_left_of(canary)


def test_a_restored_backup_forgets_again_and_the_opt_out_still_holds(
    canary: int, committed_db: OwnDatabase, test_server: TestServer, tmp_path: Path
) -> None:
    """A backup that holds columns and memberships, which those of ours leave out, forgets too."""
    backup = tmp_path / "backup"
    pg(test_server, "pg_dump", "-Fc", "--data-only", "-f", str(backup), committed_db.owner_url)
    erase.erase(canary, now=NOON)
    seal.run_once(now=NOON)
    restore(test_server, committed_db, backup)
    assert data_keys.load(tenancy.current(), [canary])
    assert CANARY.encode() in b"".join(opened())
    call_command("repeat_erasures", verbosity=0)
    nothing_is_left_of(canary)
    assert suppression.is_suppressed(EMAIL)
    again = records.Change(source="ehr", record_number="new", values={"email": EMAIL})
    records.upsert([again], now=NOON)
    assert suppression.is_suppressed(EMAIL)


def restore(server: TestServer, database: OwnDatabase, backup: Path) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(KEPT)
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    named = [part for table in tables for part in ("-t", table)]
    pg(
        server, "pg_restore", "--data-only", "--disable-triggers", *named,
        "-d", database.owner_url, str(backup),
    )  # fmt: skip


def pg(server: TestServer, program: str, *arguments: str) -> None:
    subprocess.run([str(server.postgres.programs / program), *arguments], check=True, timeout=120)
