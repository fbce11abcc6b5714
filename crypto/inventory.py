"""What is sealed with which version of which key: the cryptographic inventory (SP 800-57)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.apps import apps
from django.db import connection
from psycopg import sql

from crypto.fields import SealedField
from crypto.models import OrganisationKey

VERSION = "(get_byte({0}, 1) << 8 | get_byte({0}, 2))"
"""The key version that a sealed value names, in SQL."""

_columns: set[tuple[str, str]] = set()


@dataclass(frozen=True, slots=True)
class Holding:
    """One version of an organisation's sealing key and what it seals."""

    version: int
    state: str
    created_at: datetime
    sealed: dict[str, int] = field(default_factory=dict)
    """How many values, by `table.column`."""


def register(table: str, column: str) -> None:
    """Count this column too: it holds values that an organisation's key sealed."""
    _columns.add((table, column))


def holdings(organisation_id: int) -> list[Holding]:
    """Return every version of the organisation's sealing key with its counts."""
    counted = _count(organisation_id)
    rows = OrganisationKey.objects.filter(
        organisation_id=organisation_id, purpose=OrganisationKey.Purpose.SEALING
    ).order_by("version")
    return [
        Holding(row.version, row.state, row.created_at, counted.get(row.version, {}))
        for row in rows
    ]


def of_version(organisation_id: int, version: int) -> dict[str, int]:
    """Return what one version still seals."""
    return _count(organisation_id).get(version, {})


def _count(organisation_id: int) -> dict[int, dict[str, int]]:
    counted: dict[int, Counter[str]] = {}
    for table, column in sorted(_places()):
        for version, count in _count_in(organisation_id, table, column):
            counted.setdefault(version, Counter())[f"{table}.{column}"] = count
    return {version: dict(places) for version, places in counted.items()}


def _places() -> set[tuple[str, str]]:
    """Return every sealed column: the data keys, the sealed model fields, the registered ones."""
    fields = {
        (model._meta.db_table, one.column)
        for model in apps.get_models()
        for one in model._meta.local_fields
        if isinstance(one, SealedField)
    }
    return {("crypto_datakey", "wrapped")} | fields | _columns


def _count_in(organisation_id: int, table: str, column: str) -> list[tuple[int, int]]:
    statement = sql.SQL(
        "SELECT {version} AS version, count(*) FROM {table}"
        " WHERE organisation_id = %s AND length({column}) > 2 GROUP BY 1"
    ).format(
        version=sql.SQL(VERSION.format(f'"{column}"')),
        table=sql.Identifier(table),
        column=sql.Identifier(column),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [organisation_id])
        return list(cursor.fetchall())
