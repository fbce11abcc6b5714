"""Import: contacts sealed and indexed, against COPY of the same rows in plaintext.

The limit writes the same people as the owner, past row security, with the text of every value made
beforehand: a contact's single values as columns, its lists as jsonb, and the same identifier, event
and dirty rows, under the same indexes; one process and one session, which work at the same time.
The work is what two workers do with an import's parts, as `make run` has them: each checks and
packs a part (`records.prepare`), and in the order of the parts they seal and write
(`records.store`). They are there before the first round and stay to the last, and each has its
people from its own memory, which counts in `peak_mb`. A round is an import: its
last part is on the disk when it ends, and with it the others.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

from django.db import connections, transaction

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory, seconds
from benchmarks.prompt import broker
from contacts import records
from contacts.fields import FIELDS
from contacts.importing.staging import ROWS
from contacts.models import first_id
from contacts.records import Change
from contacts.sample import people
from crypto import keyring
from crypto.rows import durable_later

FULL = 100_000
ROUNDS = 3

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
    size = max(int(FULL * scale), 500)
    organisation_id = found_organisation(now=now)
    with connections["owner"].cursor() as cursor:
        cursor.execute(_PLAIN)
    coming = people(1, size * (ROUNDS + 1), now=now)
    pairs: list[tuple[float, float]] = []
    with broker(), tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        workers = _Workers(size, now)
        for turn in range(ROUNDS + 1):
            rows = _plain_rows(list(islice(coming, size)), organisation_id, turn * size, now)
            limit = seconds(lambda rows=rows: _copy(rows))  # type: ignore[misc]
            del rows
            pairs.append((limit, workers.seconds()))
        workers.end()
    measured = pairs[1:]
    work = median(pair[1] for pair in measured)
    limit = median(pair[0] for pair in measured)
    yield Row("import", size, work, size / limit, peak_mb=workers.peak.value)


class _Workers:
    """Two processes that take turns at the parts of every round. `peak` is the larger one's."""

    def __init__(self, size: int, now: datetime) -> None:
        context = get_context("fork")
        self.size, self.now = size, now
        self.parts = -(-size // ROWS)
        self.turns = [
            context.Semaphore(int(not place)) for place in range(self.parts * (ROUNDS + 1) + 1)
        ]
        self.both = context.Barrier(3)
        self.peak = context.Value("d", 0.0)
        connections.close_all()
        self.processes = [context.Process(target=self._work, args=(lane,)) for lane in range(2)]
        for process in self.processes:
            process.start()

    def seconds(self) -> float:
        """Return the seconds that one round takes."""
        self.both.wait()
        began = perf_counter()
        self.both.wait()
        return perf_counter() - began

    def end(self) -> None:
        for process in self.processes:
            process.join()

    def _work(self, lane: int) -> None:
        connections["default"].ensure_connection()
        keyring.for_organisation(tenancy.current())
        coming = people(1, self.size * (ROUNDS + 1), now=self.now)
        with peak_memory() as peak:
            for turn in range(ROUNDS + 1):
                people_of_all_parts = list(islice(coming, self.size))
                gc.collect()
                gc.freeze()  # a worker has one part in memory: the others are not looked through
                self._round(lane, turn * self.parts, people_of_all_parts)
                gc.unfreeze()
                del people_of_all_parts
        with self.peak.get_lock():
            self.peak.value = max(self.peak.value, peak.highest)

    def _round(self, lane: int, first: int, changes: list[Change]) -> None:
        """Do every second part; each is written when the one before has been."""
        self.both.wait()
        for place in range(first, first + self.parts):
            if place % 2 == lane:
                start = (place - first) * ROWS
                prepared = records.prepare(changes[start : start + ROWS], now=self.now)
                self.turns[place].acquire()
                with transaction.atomic():
                    records.store(prepared, now=self.now)
                    if place + 1 < first + self.parts:
                        durable_later()
                self.turns[place + 1].release()
        self.both.wait()


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
    for start in range(0, size, ROWS):
        with owner.cursor() as cursor:
            cursor.execute("BEGIN")
            for table, rows in tables.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    for row in rows[start : start + ROWS]:
                        copy.write_row(row)
            cursor.execute("COMMIT")
