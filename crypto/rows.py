"""Write many rows with a few statements.

PostgreSQL refuses COPY FROM into a table whose row security binds the role, so the rows travel as
one array for each column: 3.3 us a row for a data key, against 2.9 us through a temporary table
(which costs 0.8 ms more each time) on the machine where both were measured.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray
from psycopg import capabilities, sql
from psycopg.adapt import Dumper
from psycopg.pq import Format

CHUNK = 5_000
STREAMED = 100
"""Rows taken at once from a stream: so few that the server makes the next ones meanwhile."""
_ARRAY = struct.Struct(">iiIii")
_BIGINT = np.dtype([("length", ">i4"), ("value", ">i8")])
_BIGINT_OID, _BIGINTS_OID = 20, 1016


class Bigints(NamedTuple):
    """Whole numbers as one parameter; a tenth of what psycopg takes for a list."""

    numbers: Sequence[int] | NDArray[Any]


class _BigintsDumper(Dumper):
    format = Format.BINARY
    oid = _BIGINTS_OID

    def dump(self, obj: Bigints) -> bytes:
        rows = np.empty(len(obj.numbers), _BIGINT)
        rows["length"], rows["value"] = 8, obj.numbers
        head = _ARRAY.pack(int(len(rows) > 0), 0, _BIGINT_OID, len(rows), 1)
        return head + rows.tobytes() if len(rows) else head[:12]


def bigints_in(binary: bytes | None) -> NDArray[np.int64]:
    """Read PostgreSQL's binary form of a bigint[] without nulls; null reads as none."""
    if binary is None or len(binary) < _ARRAY.size:
        return np.empty(0, np.int64)
    return np.frombuffer(binary, _BIGINT, offset=_ARRAY.size)["value"].astype(np.int64)


@contextmanager
def binary_cursor() -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """Yield a cursor that sends and receives binary values, which Django's own does not.

    Placeholders are `%b`; parameters travel apart from the statement. Same connection, same
    transaction, same row security.
    """
    connection.ensure_connection()
    wrapped = connection.wrap_database_errors  # psycopg's errors become Django's
    with wrapped, psycopg.Cursor(connection.connection) as cursor:
        cursor.format = Format.BINARY
        cursor.adapters.register_dumper(Bigints, _BigintsDumper)
        yield cursor


def streamed(statement: bytes, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield rows as the server makes them: it and this process work at the same time.

    The connection serves nothing else until the last row has been taken.
    """
    size = STREAMED if capabilities.has_stream_chunked() else 1
    with binary_cursor() as cursor:
        yield from cursor.stream(statement, values, binary=True, size=size)


def insert_rows(
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    after: str = "",
    ahead: bool = False,
) -> int:
    """Insert the rows and return how many went in; call it inside a transaction.

    With `ahead` the rows of the next chunk are made while the database writes the last one; making
    them must not ask the database.

    `types` names each column's PostgreSQL type (`int8`, `bytea`, `uuid`, `timestamptz`, `text`),
    none of them an array. `after` stands behind the INSERT (`ON CONFLICT DO NOTHING`); it is the
    program's own text, never a user's.
    """
    if ahead:
        return _insert_ahead(_statement(table, columns, types, after), rows)
    return sum(count for count, _ in _insert(table, columns, types, rows, after))


AHEAD = 1_000


def _insert_ahead(statement: sql.Composed, rows: Iterable[Sequence[Any]]) -> int:
    """Write each chunk in a thread of its own, which mostly waits, and make the next meanwhile."""
    everything, count = iter(rows), 0
    with binary_cursor() as cursor, ThreadPoolExecutor(max_workers=1) as writer:
        writing = None
        while chunk := list(islice(everything, AHEAD)):
            arrays = [list(column) for column in zip(*chunk, strict=True)]
            if writing is not None:
                count += writing.result().rowcount
            writing = writer.submit(cursor.execute, statement, arrays)
        if writing is not None:
            count += writing.result().rowcount
    return count


def insert_rows_returning(
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    after: str,
) -> list[tuple[Any, ...]]:
    """Do the same, and return what the RETURNING clause of `after` says."""
    return [row for _, found in _insert(table, columns, types, rows, after) for row in found]


def _insert(
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
    after: str,
) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    statement = _statement(table, columns, types, after)
    everything = iter(rows)
    with binary_cursor() as cursor:
        while chunk := list(islice(everything, CHUNK)):
            cursor.execute(statement, [list(column) for column in zip(*chunk, strict=True)])
            yield cursor.rowcount, cursor.fetchall() if cursor.description else []


def _statement(
    table: str, columns: Sequence[str], types: Sequence[str], after: str
) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    arrays = sql.SQL(", ").join(sql.SQL("%b::{}[]").format(sql.SQL(kind)) for kind in types)
    return sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({}) {}").format(
        sql.Identifier(table), names, arrays, sql.SQL(after)
    )
