"""The gate for many people at once, against reading the very same rows and deciding nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import connection

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, interleave, peak_memory
from consent import sample as consents
from consent.gate import GateRequest, ask
from consent.standing import PEOPLE, REFUSED, SIGNED, SUPPRESSED
from contacts.records import Change, upsert

FULL = 10_000
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def run(scale: float) -> Iterator[Row]:
    n = max(100, round(FULL * scale))
    organisation_id = found_organisation(now=NOW)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        people = _people(n)
        asked = [
            GateRequest(one, "marketing", classes=frozenset({"identity", "clinical"}))
            for one in people
        ]
        with peak_memory() as peak:
            took = interleave(lambda: ask(asked, now=NOW), lambda: _read(people))
    yield Row("gate", n, took.work, n / took.limit, "rate", peak.grown_mb)


def _people(n: int) -> list[int]:
    """Make the people and what most of them signed or refused."""
    changes = [
        Change(
            source="benchmark",
            record_number=str(number),
            values={"given_name": "P", "email": f"p{number}@patients.example"},
        )
        for number in range(n)
    ]
    began = NOW - timedelta(days=1)
    people = list(upsert(changes, now=began).contact_ids)
    consents.record(people, clinic="Benchmark Clinic", zone="America/New_York", now=began)
    with connection.cursor() as cursor:
        cursor.execute("select contacts_analyze()")
    return people


def _read(people: list[int]) -> None:
    """Fetch every row that the decisions rest on."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [people])
        hashes = [one for row in cursor.fetchall() for one in row[1:3] if one is not None]
        cursor.execute(SIGNED, [people])
        cursor.fetchall()
        cursor.execute(REFUSED, {"people": people, "hashes": hashes})
        cursor.fetchall()
        cursor.execute(SUPPRESSED, [hashes])
        cursor.fetchall()
