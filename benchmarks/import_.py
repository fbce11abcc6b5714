"""Import: contacts sealed and indexed, against COPY of the same rows in plaintext.

The limit writes the same people as the owner, past row security, with the text of every value made
beforehand: a contact's single values as columns, its lists as jsonb, and the same identifier, event
and dirty rows, under the same indexes. The work is `records.upsert` on changes as a source sends
them: checking, merging, sealing, blind indexes and rows. Either side is one process and one
session of the database, which work at the same time: two cores are enough for both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from statistics import median
from typing import Any
from uuid import uuid4

from django.db import connections

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory, seconds
from contacts import records
from contacts.fields import FIELDS
from contacts.models import first_id
from contacts.records import Change
from contacts.sample import people

FULL = 100_000
ROUNDS = 5
BATCH = 5_000

_SCALARS = [key for key, field in FIELDS.items() if not (field.is_list or field.derived_from)]
_LISTS = [key for key, field in FIELDS.items() if field.is_list and key != "record_numbers"]
_KINDS = {"deceased": "boolean", "birth_date": "date", "deceased_at": "date"}
_PLAIN = f"""
CREATE TABLE plain_contact (
    id bigint PRIMARY KEY, organisation_id integer NOT NULL, public_id uuid NOT NULL UNIQUE,
    ordinal bigint NOT NULL, version integer NOT NULL, created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    {", ".join(f"{key} {_KINDS.get(key, 'text')}" for key in _SCALARS)},
    {", ".join(f"{key} jsonb" for key in _LISTS)}
);
CREATE INDEX ON plain_contact (organisation_id, email) WHERE email IS NOT NULL;
CREATE INDEX ON plain_contact (organisation_id, phone) WHERE phone IS NOT NULL;
CREATE TABLE plain_identifier (
    organisation_id integer, value text, source text NOT NULL, contact_id bigint NOT NULL,
    PRIMARY KEY (organisation_id, value)
);
CREATE INDEX ON plain_identifier (contact_id);
CREATE TABLE plain_event (LIKE contacts_event INCLUDING ALL);
CREATE TABLE plain_dirty (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organisation_id integer NOT NULL,
    contact_id bigint NOT NULL
);
CREATE INDEX ON plain_dirty (organisation_id, seq);
"""


def run(scale: float) -> Iterator[Row]:
    now = datetime.now(UTC)
    size = max(int(FULL * scale) // ROUNDS, 500)
    organisation_id = found_organisation(now=now)
    with connections["owner"].cursor() as cursor:
        cursor.execute(_PLAIN)
    coming = people(1, size * (ROUNDS + 1), now=now)
    pairs: list[tuple[float, float]] = []
    with (
        tenancy.acting_for(organisation_id),
        acting_as(Actor("system", "benchmark")),
        peak_memory() as peak,
    ):
        for turn in range(ROUNDS + 1):
            changes = list(islice(coming, size))
            rows = _plain_rows(changes, organisation_id, turn * size, now)
            limit = seconds(lambda rows=rows: _copy(rows))  # type: ignore[misc]
            work = seconds(lambda changes=changes: _upsert(changes, now))  # type: ignore[misc]
            pairs.append((limit, work))
    measured = pairs[1:]
    work = median(pair[1] for pair in measured)
    limit = median(pair[0] for pair in measured)
    yield Row("import", size, work, size / limit, peak_mb=peak.highest)


def _upsert(changes: Sequence[Change], now: datetime) -> None:
    for start in range(0, len(changes), BATCH):
        records.upsert(changes[start : start + BATCH], now=now)


def _plain_rows(
    changes: Sequence[Change], organisation_id: int, start: int, now: datetime
) -> dict[str, list[tuple[Any, ...]]]:
    first = first_id(organisation_id) + start
    numbered = list(enumerate(changes, first))
    return {
        "plain_contact": [
            (
                id_, organisation_id, uuid4(), id_ - first + start, 1, now, now,
                *(change.values.get(key) for key in _SCALARS),
                *(_text(change.values.get(key)) for key in _LISTS),
            )
            for id_, change in numbered
        ],
        "plain_identifier": [
            (organisation_id, change.record_number, change.source, id_) for id_, change in numbered
        ],
        "plain_event (organisation_id, contact_id, kind, occurred_at, received_at, source)": [
            (organisation_id, id_, "contact.created", now, now, change.source)
            for id_, change in numbered
        ],
        "plain_dirty (organisation_id, contact_id)": [
            (organisation_id, id_) for id_, _ in numbered
        ],
    }  # fmt: skip


def _text(items: Any) -> str | None:
    return None if items is None else json.dumps(items, separators=(",", ":"))


def _copy(tables: dict[str, list[tuple[Any, ...]]]) -> None:
    owner = connections["owner"]
    size = len(tables["plain_contact"])
    for start in range(0, size, BATCH):
        with owner.cursor() as cursor:
            cursor.execute("BEGIN")
            for table, rows in tables.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    for row in rows[start : start + BATCH]:
                        copy.write_row(row)
            cursor.execute("COMMIT")
