"""Every tenant table there is, walked: no organisation, no rows (SE-01)."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from django.db.utils import ProgrammingError
from psycopg import sql

from accounts import row_security, tenancy
from accounts.row_security import Table
from tests.ground.server import OwnDatabase

OURS, THEIRS = 1, 2
_VALUES = {
    "bool": "false",
    "bytea": "'x'::bytea",
    "date": "current_date",
    "inet": "'127.0.0.1'::inet",
    "jsonb": "'{}'::jsonb",
    "timestamptz": "now()",
    "time": "time '09:00'",
    "uuid": "gen_random_uuid()",
    "xid8": "pg_current_xact_id()",
}
"""A value of each type that a column may have; numbers are 1, texts 'x', arrays empty."""


def tenant_tables() -> list[Table]:
    with connections["owner"].cursor() as cursor:
        return [table for table in row_security.tables(cursor) if table.tenant and not table.child]


def put_a_row_of_ours(table: str) -> None:
    """Write a row as the owner, past every constraint: only its organisation matters here."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute(
            "select conname from pg_constraint where conrelid = %s::regclass and contype = 'c'",
            [table],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(_words("alter table {} drop constraint {}", table, name))
        cursor.execute(
            """
            select column_name, udt_name from information_schema.columns
            where table_schema = 'public' and table_name = %s and is_nullable = 'NO'
                and column_default is null and is_identity = 'NO' and is_generated = 'NEVER'
                and column_name <> 'organisation_id'
            """,
            [table],
        )
        needed = cursor.fetchall()
        names = ["organisation_id", *(name for name, _ in needed)]
        values = [str(OURS), *(_value(kind) for _, kind in needed)]
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        cursor.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier(table), columns, sql.SQL(", ".join(values))
            )
        )


def _value(kind: str) -> str:
    if kind.startswith("_"):
        return f"'{{}}'::{kind[1:]}[]"
    if kind in ("text", "varchar", "bpchar"):
        return "'x'"
    return _VALUES.get(kind, f"1::{kind}")


def _words(words: str, *names: str) -> sql.Composed:
    return sql.SQL(words).format(*map(sql.Identifier, names))


def seen(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_words("select count(*) from {}", table))
        return int(cursor.fetchone()[0])


@pytest.fixture
def filled(committed_db: OwnDatabase) -> list[Table]:
    tables = tenant_tables()
    for table in tables:
        put_a_row_of_ours(table.name)
    return tables


def test_the_walk_finds_the_tenant_tables(committed_db: OwnDatabase) -> None:
    assert {"accounts_user", "audit_entry"} <= {table.name for table in tenant_tables()}


def test_an_unfiltered_query_sees_our_rows_when_working_for_us_alone(filled: list[Table]) -> None:
    """SE-01: unset → nothing, theirs → nothing, ours → the row."""
    found = {}
    for table in filled:
        unset = seen(table.name)
        with tenancy.acting_for(THEIRS):
            theirs = seen(table.name)
        with tenancy.acting_for(OURS):
            found[table.name] = (unset, theirs, seen(table.name))
    assert found == {table.name: (0, 0, 1) for table in filled}


def test_the_door_opens_the_listed_tables_and_no_other(filled: list[Table]) -> None:
    with tenancy.door():
        opened = {table.name for table in filled if seen(table.name)}
    assert opened <= row_security.DOOR_TABLES


@pytest.mark.django_db
def test_the_application_cannot_bypass_row_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles"
            " where rolname = current_user"
        )
        assert cursor.fetchone() == (row_security.ROLE, False, False, False)


def test_production_refuses_a_role_that_bypasses_row_security(
    committed_db: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SE-01: a wrong DATABASE_URL must not show every organisation's patients to each."""
    owner = connections["owner"].settings_dict["USER"]
    monkeypatch.setattr(settings, "PRODUCTION", True)
    connection.close()
    connection.ensure_connection()
    connection.close()
    kept = connection.settings_dict["USER"]
    try:
        connection.settings_dict["USER"] = owner
        with pytest.raises(ImproperlyConfigured, match="its role bypasses row security"):
            connection.ensure_connection()
    finally:
        connection.close()
        connection.settings_dict["USER"] = kept


@pytest.mark.django_db
def test_the_application_owns_no_table() -> None:
    """An owner could switch row security off."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_tables where tableowner = current_user")
        assert cursor.fetchone() == (0,)


def test_a_partition_is_not_reached_around_its_parent(committed_db: OwnDatabase) -> None:
    with connections["owner"].cursor() as cursor:
        children = [table.name for table in row_security.tables(cursor) if table.child]
    for name in children:
        with tenancy.acting_for(OURS), pytest.raises(ProgrammingError, match="permission denied"):
            seen(name)


@pytest.mark.parametrize("verb", ["update {} set organisation_id = 2", "delete from {}"])
@pytest.mark.parametrize("table", sorted(row_security.append_only_tables()))
def test_what_is_append_only_is_not_changed(
    committed_db: OwnDatabase, table: str, verb: str
) -> None:
    """SE-10: not even by our own application."""
    with (
        tenancy.acting_for(OURS),
        pytest.raises(ProgrammingError, match="permission denied"),
        connection.cursor() as cursor,
    ):
        cursor.execute(_words(verb, table))
