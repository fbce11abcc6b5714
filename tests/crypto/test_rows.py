"""Many rows by few statements: what travels once, and what is written while more is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from crypto.rows import (
    DEPTH,
    Bigints,
    Digests,
    Moments,
    bigints_in,
    binary_cursor,
    in_portions,
    insert_rows,
    pipelined,
    streamed,
    writing_ahead,
)

pytestmark = pytest.mark.django_db

COLUMNS, TYPES = ("subject_id", "organisation_id", "wrapped"), ("int8", "int4", "bytea")
TABLE = "crypto_datakey"
EARLIEST = datetime(1900, 1, 1)  # noqa: DTZ001  a zone is drawn for it
ZONES = (UTC, timezone(timedelta(hours=-5)))


def stored() -> list[tuple[int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT subject_id, wrapped FROM {TABLE} ORDER BY subject_id")
        return [(subject, bytes(wrapped)) for subject, wrapped in cursor.fetchall()]


def test_a_column_that_is_the_same_in_every_row_is_written_in_every_row(
    at_harbor: Organisation,
) -> None:
    rows = [(number, at_harbor.pk, b"same") for number in range(3)]
    assert insert_rows(TABLE, COLUMNS, TYPES, rows) == 3
    assert stored() == [(0, b"same"), (1, b"same"), (2, b"same")]


def test_one_row_of_which_nothing_differs_is_one_row(at_harbor: Organisation) -> None:
    assert insert_rows(TABLE, COLUMNS, TYPES, [(7, at_harbor.pk, b"k")]) == 1
    assert stored() == [(7, b"k")]


def test_rows_written_ahead_stand_when_the_block_ends(at_harbor: Organisation) -> None:
    with transaction.atomic(), writing_ahead() as insert:
        for number in range(3 * DEPTH):
            insert(TABLE, COLUMNS, TYPES, [(number, at_harbor.pk, bytes([number]))])
    assert [subject for subject, _ in stored()] == list(range(3 * DEPTH))


def test_a_statement_that_fails_ahead_fails_the_block_and_leaves_nothing(
    at_harbor: Organisation,
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), writing_ahead() as insert:
        for number in (1, 2, 1, *range(3, 3 + 2 * DEPTH)):
            insert(TABLE, COLUMNS, TYPES, [(number, at_harbor.pk, b"k")])
    assert stored() == []


@pytest.mark.parametrize("numbers", [[], [5], [2**40, -7, 0, 7, 7]])
def test_whole_numbers_travel_both_ways(numbers: list[int]) -> None:
    with binary_cursor() as cursor:
        cursor.execute(
            b"SELECT array_send(%b::int8[]), cardinality(%b::int8[])",
            [Bigints(numbers), Bigints(np.array(numbers, np.int64))],
        )
        sent, count = cursor.fetchone() or (None, None)
    assert bigints_in(sent).tolist() == numbers
    assert count == len(numbers)
    assert bigints_in(None).tolist() == []


@given(
    moments=st.lists(
        st.datetimes(EARLIEST, EARLIEST.replace(year=2100), timezones=st.sampled_from(ZONES))
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_moments_travel_to_the_microsecond(moments: list[datetime]) -> None:
    with binary_cursor() as cursor:
        cursor.execute(b"SELECT %b::timestamptz[]", [Moments(moments)])
        assert cursor.fetchone() == (moments,)


def test_digests_travel_whole() -> None:
    digests = [bytes(16), b"\0middle\0of them\0", b"\xff" * 16]
    with binary_cursor() as cursor:
        cursor.execute(b"SELECT %b::bytea[]", [Digests(digests)])
        assert cursor.fetchone() == (digests,)


def test_statements_in_a_pipeline_are_one_transaction(at_harbor: Organisation) -> None:
    rows = [(number, at_harbor.pk, b"key") for number in (1, 2)]
    with transaction.atomic(), pipelined():
        insert_rows(TABLE, COLUMNS, TYPES, rows)
    assert stored() == [(1, b"key"), (2, b"key")]


def test_what_fails_in_a_pipeline_undoes_all_of_it(at_harbor: Organisation) -> None:
    """Nobody fetched anything of the statement that failed, and it is told all the same."""
    with pytest.raises(IntegrityError), transaction.atomic(), pipelined():
        for _ in range(2):
            insert_rows(TABLE, COLUMNS, TYPES, [(1, at_harbor.pk, b"key")])
    assert stored() == []


@pytest.mark.parametrize("read", [streamed, in_portions])
def test_rows_come_whole_and_in_order(read: Any) -> None:
    with transaction.atomic():
        rows = list(read(b"SELECT n FROM generate_series(1, %b) AS n", [250], at_once=16))
    assert rows == [(n,) for n in range(1, 251)]


def test_between_rows_in_portions_the_connection_is_free() -> None:
    with transaction.atomic(), binary_cursor() as other:
        for (number,) in in_portions(b"SELECT generate_series(1, %b)", [9], at_once=2):
            other.execute(b"SELECT %b::int4", [number])
            assert other.fetchone() == (number,)


def test_a_stream_that_is_closed_leaves_the_connection_free() -> None:
    with transaction.atomic(), binary_cursor() as other:
        rows = streamed(b"SELECT generate_series(1, %b)", [100_000], at_once=2)
        assert next(rows) == (1,)
        rows.close()
        other.execute(b"SELECT 1")
        assert other.fetchone() == (1,)
