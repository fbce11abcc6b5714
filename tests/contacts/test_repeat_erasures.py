"""SE-06: a restored backup forgets again whoever was erased after it was made."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from accounts.models import Organisation
from audit import seal
from contacts import erase, records
from contacts.models import Contact
from crypto import data_keys
from tests.conftest import NOON
from tests.ground.server import OwnDatabase

TABLES = ("contacts_contact", "crypto_datakey")


@pytest.fixture
def two_people(
    committed_db: OwnDatabase, at_harbor: Organisation, settings: Settings, tmp_path: Path
) -> list[int]:
    settings.ATTUNE_ANCHOR_DIR = tmp_path
    changes = [
        records.Change(source="ehr", record_number=name, values={"given_name": name})
        for name in ("ada", "ben")
    ]
    return list(records.upsert(changes, now=NOON).contact_ids)


def test_who_was_erased_since_the_backup_is_erased_again(
    two_people: list[int], at_harbor: Organisation
) -> None:
    ada, ben = two_people
    _as_owner(*(f"CREATE TABLE backup_{table} AS TABLE {table}" for table in TABLES))
    erase.erase(ada, now=NOON)
    seal.run_once(now=NOON)
    _restore()
    assert data_keys.load(at_harbor.pk, two_people).keys() == {ada, ben}
    assert _run() == f"organisation {at_harbor.pk}: 1 people erased again\n"
    assert data_keys.load(at_harbor.pk, two_people).keys() == {ben}
    assert Contact.objects.get(pk=ada).identity is None


def test_repeating_twice_changes_nothing(two_people: list[int], at_harbor: Organisation) -> None:
    erase.erase(two_people[0], now=NOON)
    seal.run_once(now=NOON)
    assert _run() == f"organisation {at_harbor.pk}: 0 people erased again\n"


def _restore() -> None:
    """Put the rows back as they were, as the owner of the tables."""
    _as_owner(
        "DELETE FROM contacts_contact",
        *(f"DELETE FROM {table}" for table in TABLES[1:]),
        *(f"INSERT INTO {table} SELECT * FROM backup_{table}" for table in TABLES),
    )


def _run() -> str:
    out = io.StringIO()
    call_command("repeat_erasures", stdout=out)
    return out.getvalue()


def _as_owner(*statements: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no foreign keys meanwhile
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")
