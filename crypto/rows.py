"""Write many rows with a few statements.

PostgreSQL refuses COPY FROM into a table whose row security binds the role, so the rows travel as
one array for each column: 3.3 us a row for a data key, against 2.9 us through a temporary table
(which costs 0.8 ms more each time) on the machine where both were measured. A column that says the
same in every row of a chunk travels once.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from itertools import compress, islice
from typing import Any, NamedTuple, Protocol

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray
from psycopg import capabilities, sql
from psycopg.adapt import Dumper
from psycopg.pq import Format

CHUNK = 5_000
DEPTH = 4
"""Statements that may wait for the database while the next rows are made."""
STREAMED = 100
"""Rows taken at once from a stream: so few that the server makes the next ones meanwhile."""
_ARRAY = struct.Struct(">iiIii")
_BIGINT = np.dtype([("length", ">i4"), ("value", ">i8")])
_BIGINT_OID, _BIGINTS_OID = 20, 1016
_MOMENT_OID, _MOMENTS_OID = 1184, 1185
_BYTES_OID, _DIGESTS_OID = 17, 1001
_YEAR_2000 = 946_684_800_000_000
"""Microseconds from 1970 to PostgreSQL's beginning of time."""


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


class Moments(NamedTuple):
    """Moments between 1900 and 2100 as one parameter, a timestamptz[]."""

    moments: Sequence[datetime]


class _MomentsDumper(Dumper):
    format = Format.BINARY
    oid = _MOMENTS_OID

    def dump(self, obj: Moments) -> bytes:
        # A float of seconds tells microseconds apart up to 2**32, which is in 2106.
        seconds = np.array([moment.timestamp() for moment in obj.moments])
        rows = np.empty(len(seconds), _BIGINT)
        rows["length"], rows["value"] = 8, np.rint(seconds * 1e6) - _YEAR_2000
        head = _ARRAY.pack(int(len(rows) > 0), 0, _MOMENT_OID, len(rows), 1)
        return head + rows.tobytes() if len(rows) else head[:12]


class Digests(NamedTuple):
    """Byte strings of one length as one parameter, a bytea[]; at least one."""

    digests: Sequence[bytes]


class _DigestsDumper(Dumper):
    format = Format.BINARY
    oid = _DIGESTS_OID

    def dump(self, obj: Digests) -> bytes:
        size = len(obj.digests[0])
        rows = np.empty(len(obj.digests), np.dtype([("length", ">i4"), ("value", f"V{size}")]))
        rows["length"] = size
        rows["value"] = np.frombuffer(b"".join(obj.digests), f"V{size}")
        return _ARRAY.pack(1, 0, _BYTES_OID, len(rows), 1) + rows.tobytes()


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
        for kind, dumper in _DUMPERS.items():
            cursor.adapters.register_dumper(kind, dumper)
        yield cursor


@contextmanager
def pipelined() -> Iterator[None]:
    """Send statements on without waiting for each: a trip only where a result is fetched.

    Call it inside a transaction. What went wrong is raised at the next fetch, or when the block
    ends; a row count is not known before its result is fetched.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def durable_later() -> None:
    """Let this transaction's commit reach the disk within a second instead of waiting for it.

    For one of many that can be done again: what a crash takes is the newest transactions whole, so
    nothing is half there, and no commit that waits is on the disk before those that came earlier.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


_DUMPERS: dict[type, type[Dumper]] = {
    Bigints: _BigintsDumper,
    Moments: _MomentsDumper,
    Digests: _DigestsDumper,
}


def streamed(
    statement: bytes, values: Sequence[Any], *, at_once: int = STREAMED
) -> Generator[tuple[Any, ...]]:
    """Yield rows as the server makes them: it and this process work at the same time.

    The connection serves nothing else until the last row was taken or the iterator was closed.
    What is left then is read and dropped: to cancel it would end the transaction.
    """
    size = at_once if capabilities.has_stream_chunked() else 1
    with binary_cursor() as cursor:
        rows = cursor.stream(statement, values, binary=True, size=size)
        try:
            for row in rows:  # noqa: UP028 - `yield from` would hand the closing on
                yield row
        finally:
            deque(rows, maxlen=0)


def in_portions(
    statement: bytes, values: Sequence[Any], *, at_once: int = STREAMED
) -> Generator[tuple[Any, ...]]:
    """Yield rows of one snapshot, a trip for each portion: between rows the connection is free."""
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        psycopg.ServerCursor(connection.connection, "in_portions") as cursor,
    ):
        cursor.format = Format.BINARY
        cursor.itersize = at_once
        cursor.execute(statement, values)
        yield from cursor


class Insert(Protocol):
    """Writes rows: `insert_rows`, or what `writing_ahead` yields."""

    def __call__(
        self,
        table: str,
        columns: Sequence[str],
        types: Sequence[str],
        rows: Iterable[Sequence[Any]],
        *,
        after: str = "",
    ) -> object: ...


def insert_rows(
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    after: str = "",
) -> int:
    """Insert the rows and return how many went in; call it inside a transaction.

    `types` names each column's PostgreSQL type (`int8`, `bytea`, `uuid`, `timestamptz`, `text`),
    none of them an array. `after` stands behind the INSERT (`ON CONFLICT DO NOTHING`); it is the
    program's own text, never a user's.
    """
    with binary_cursor() as cursor:
        return sum(
            cursor.execute(*statement, prepare=True).rowcount
            for statement in _statements(table, columns, types, rows, after)
        )


def insert_rows_returning(
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    after: str,
) -> list[tuple[Any, ...]]:
    """Do the same, and return what the RETURNING clause of `after` says."""
    with binary_cursor() as cursor:
        return [
            row
            for statement in _statements(table, columns, types, rows, after)
            for row in cursor.execute(*statement).fetchall()
        ]


@contextmanager
def writing_ahead() -> Iterator[Insert]:
    """Yield an `insert_rows` that does not wait: rows are made while earlier ones are written.

    Another thread, which mostly waits, gives the statements to this transaction's connection in
    the order in which they came, each while the one before is at work. All are written when the
    block ends; what one of them raised is raised by a later call, or there.
    """
    waiting: deque[Future[Any]] = deque()
    with binary_cursor() as cursor, pipelined(), ThreadPoolExecutor(max_workers=1) as writer:

        def insert(
            table: str,
            columns: Sequence[str],
            types: Sequence[str],
            rows: Iterable[Sequence[Any]],
            *,
            after: str = "",
        ) -> None:
            for statement in _statements(table, columns, types, rows, after):
                while len(waiting) >= DEPTH or (waiting and waiting[0].done()):
                    waiting.popleft().result()
                waiting.append(writer.submit(_execute, cursor, statement))

        try:
            yield insert
            while waiting:
                waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


_Statement = tuple[sql.Composed, list[Any]]


def _execute(cursor: psycopg.Cursor[tuple[Any, ...]], statement: _Statement) -> None:
    cursor.execute(*statement)


def _statements(
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
    after: str,
) -> Iterator[_Statement]:
    everything = iter(rows)
    while chunk := list(islice(everything, CHUNK)):
        values = list(zip(*chunk, strict=True))
        varies = _varying(values)
        text = _text(table, tuple(columns), tuple(types), varies, after)
        once = [column[0] for column, by_row in zip(values, varies, strict=True) if not by_row]
        yield text, [*once, *map(list, compress(values, varies))]


def _varying(values: Sequence[tuple[Any, ...]]) -> tuple[bool, ...]:
    """Return which columns differ from row to row; at least one does the counting of rows."""
    varies = [column.count(column[0]) < len(column) for column in values]
    varies[0] = varies[0] or not any(varies)
    return tuple(varies)


@lru_cache(maxsize=256)
def _text(
    table: str,
    columns: tuple[str, ...],
    types: tuple[str, ...],
    varies: tuple[bool, ...],
    after: str,
) -> sql.Composed:
    names = [sql.Identifier(column) for column in columns]
    chosen = [
        name if by_row else sql.SQL("%b::{}").format(sql.SQL(kind))
        for name, kind, by_row in zip(names, types, varies, strict=True)
    ]
    arrays = [sql.SQL("%b::{}[]").format(sql.SQL(kind)) for kind in compress(types, varies)]
    comma = sql.SQL(", ").join  # what travels once stands before the arrays
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS u ({}) {}").format(
        sql.Identifier(table),
        comma(names),
        comma(chosen),
        comma(arrays),
        comma(compress(names, varies)),
        sql.SQL(after),
    )
