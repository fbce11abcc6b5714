"""The application's role is bound by the database, and tests run as that role."""

from __future__ import annotations

import psycopg
import pytest
from django.db import ProgrammingError, connection, connections

from tests.ground.server import OwnDatabase


@pytest.mark.django_db
def test_the_application_can_neither_bypass_row_security_nor_act_as_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
            " from pg_roles where rolname = current_user"
        )
        assert cursor.fetchone() == ("attune_app", False, False, False, False)


@pytest.mark.django_db
def test_the_application_cannot_make_a_table() -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        connection.cursor() as cursor,
    ):
        cursor.execute("create table theirs (id int)")


def test_what_a_test_commits_another_process_would_see(committed_db: OwnDatabase) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("create table seen (id int); grant select on seen to attune_app")
        cursor.execute("insert into seen values (7)")
    with psycopg.connect(committed_db.url) as other:
        assert other.execute("select id from seen").fetchone() == (7,)


def test_each_committed_database_starts_as_migrated(committed_db: OwnDatabase) -> None:
    with psycopg.connect(committed_db.owner_url) as owner:
        assert owner.execute("select to_regclass('seen')").fetchone() == (None,)
        assert owner.execute("select count(*) > 0 from django_migrations").fetchone() == (True,)
