"""What the database itself lets the application's role see and do.

Applied after every migrate, to every table there is: nobody has to remember it for a new table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import sql

ROLE = "attune_app"
POLICY = "of_the_organisation"
DOOR_POLICY = "through_the_door"
ORGANISATIONS = "accounts_organisation"
DOOR_TABLES = frozenset({ORGANISATIONS, "accounts_user"})
"""Readable before the organisation is known, inside tenancy.door() only."""

_OURS = "nullif(current_setting('attune.organisation', true), '')::int"
_DOOR = "current_setting('attune.door', true) = 'open'"


@dataclass(frozen=True)
class Table:
    name: str
    tenant: bool
    child: bool
    """A partition: reached through its parent, which carries the policy, and never by itself."""


def apply(using: str = "owner") -> None:
    """Enable and force row security, write the policies and hand out the grants."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        if not _may_apply(cursor):
            return
        cursor.execute(_statement("grant usage on schema public to {role}"))
        for what in ("tables", "sequences"):  # a partition made tomorrow is granted nothing
            cursor.execute(
                _statement(
                    f"alter default privileges in schema public revoke all on {what} from {{role}}"
                )
            )
        append_only = append_only_tables()
        for table in tables(cursor):
            if table.child:
                cursor.execute(_statement("revoke all on {table} from {role}", table.name))
                continue
            if table.tenant or table.name == ORGANISATIONS:
                _enforce(cursor, table)
            _grant(cursor, table.name, append_only=table.name in append_only)
        cursor.execute(
            _statement("grant usage, select on all sequences in schema public to {role}")
        )


def refuse_unbound(connection: BaseDatabaseWrapper) -> None:
    """Refuse a connection whose role row security does not bind: it would mix organisations."""
    with connection.cursor() as cursor:
        cursor.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        unbound = cursor.fetchone()
    if unbound is None or unbound[0]:
        raise ImproperlyConfigured(
            "DATABASE_URL: its role bypasses row security, which keeps organisations apart; use"
            f" {ROLE}, or alter the role: nosuperuser nobypassrls"
        )


def tables(cursor: CursorWrapper) -> list[Table]:
    cursor.execute(
        """
        select relname, relispartition, exists (
            select from pg_attribute
            where attrelid = pg_class.oid and attname = 'organisation_id' and not attisdropped
        )
        from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        order by relname
        """
    )
    return [Table(name, tenant=tenant, child=child) for name, child, tenant in cursor.fetchall()]


def append_only_tables() -> frozenset[str]:
    """Tables of the models that say `append_only = True`: rows are added and read, no more."""
    return frozenset(
        model._meta.db_table for model in apps.get_models() if getattr(model, "append_only", False)
    )


def applies_after_migrate(*, using: str, **_: Any) -> None:
    apply(using=using)


def _may_apply(cursor: CursorWrapper) -> bool:
    """The role exists, and this connection owns the tables (the application's own does not)."""
    cursor.execute(
        """
        select exists (select from pg_roles where rolname = %s) and current_user <> %s
            and to_regclass('public.accounts_organisation') is not null
        """,
        [ROLE, ROLE],
    )
    return bool(cursor.fetchone()[0])


def _enforce(cursor: CursorWrapper, table: Table) -> None:
    column = "id" if table.name == ORGANISATIONS else "organisation_id"
    for words in (
        "alter table {table} enable row level security",
        "alter table {table} force row level security",
        "drop policy if exists {policy} on {table}",
        "drop policy if exists {door_policy} on {table}",
        f"create policy {{policy}} on {{table}} using ({column} = {_OURS})",
    ):
        cursor.execute(_statement(words, table.name))
    if table.name in DOOR_TABLES:
        verbs = "all" if table.name == ORGANISATIONS else "select"
        words = f"create policy {{door_policy}} on {{table}} for {verbs} using ({_DOOR})"
        cursor.execute(_statement(words, table.name))


def _grant(cursor: CursorWrapper, name: str, *, append_only: bool) -> None:
    rights = "select, insert" if append_only else "select, insert, update, delete"
    if name == "django_migrations":
        rights = "select"
    cursor.execute(_statement("revoke all on {table} from {role}", name))
    cursor.execute(_statement(f"grant {rights} on {{table}} to {{role}}", name))


def _statement(words: str, table: str = "") -> sql.Composed:
    return sql.SQL(words).format(
        table=sql.Identifier(table or "-"),
        role=sql.Identifier(ROLE),
        policy=sql.Identifier(POLICY),
        door_policy=sql.Identifier(DOOR_POLICY),
    )
