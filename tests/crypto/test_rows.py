"""Many rows by few statements: what travels once, and what is written while more is made."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Organisation
from crypto.rows import DEPTH, insert_rows, writing_ahead

pytestmark = pytest.mark.django_db

COLUMNS, TYPES = ("subject_id", "organisation_id", "wrapped"), ("int8", "int4", "bytea")
TABLE = "crypto_datakey"


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
