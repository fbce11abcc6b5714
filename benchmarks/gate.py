"""The gate for many people at once, against reading the very same rows and deciding nothing.

Every input takes part: signatures, refusals, restrictions, confidential and open channels, Part 2
consents, representatives, quiet hours by the State in each sealed record, and a frequency cap. What
is read is what the decisions rest on, the sealed records included; opening them is the gate's own
work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, interleave, peak_memory
from consent import sample as consents
from consent.gate import GateRequest, Use, ask
from consent.sending import terms
from consent.standing import PEOPLE, REFUSED, SIGNED, SUPPRESSED, WISHED
from consent.wishes import record
from contacts.households import representing
from contacts.records import Change, upsert
from crypto.rows import binary_cursor

FULL = 100_000
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
STATES = ("MA", "NY", "FL", "CA", "TX", "HI")
SEALED = b"""
SELECT c.id, c.identity, c.contact_point, k.wrapped FROM contacts_contact c
JOIN crypto_datakey k ON k.subject_id = c.id WHERE c.id = ANY(%b::int8[])
"""


def run(scale: float) -> Iterator[Row]:
    n = max(100, round(FULL * scale))
    organisation_id = found_organisation(now=NOW)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        people = _people(n)
        asked = [
            GateRequest(one, "marketing", classes=frozenset({"identity", "clinical"}))
            for one in people
        ]
        used = {one: (Use("marketing", "email", NOW - timedelta(days=3)),) for one in people[::3]}
        with peak_memory() as peak:
            took = interleave(lambda: ask(asked, now=NOW, used=used), lambda: _read(people))
    yield Row("gate", n, took.work, n / took.limit, "rate", peak.grown_mb)


def _people(n: int) -> list[int]:
    """Make the people, what most of them signed or refused, and what some asked for."""
    began = NOW - timedelta(days=1)
    people: list[int] = []
    for start in range(0, n, 10_000):
        numbers = range(start, min(start + 10_000, n))
        people += upsert([_change(number) for number in numbers], now=began).contact_ids
    with transaction.atomic():  # thousands of acts, one by one: a commit for each takes minutes
        consents.record(people, clinic="Benchmark Clinic", zone="America/New_York", now=began)
        _wishes(people, began)
    terms.add_quiet(time(21), time(8), now=began)
    terms.add_cap(2, 7, when_full="hold", now=began)
    with connection.cursor() as cursor:
        cursor.execute("select contacts_analyze()")
    return people


def _change(number: int) -> Change:
    return Change(
        source="benchmark",
        record_number=str(number),
        values={
            "given_name": "P",
            "birth_date": f"{1940 + number % 60}-05-17",
            "email": f"p{number}@patients.example",
            "state": STATES[number % len(STATES)],
        },
    )


def _wishes(people: Sequence[int], began: datetime) -> None:
    """Of each hundred, one has a restriction, one a request, one likes open mail, one a proxy."""
    for one in people[::100]:
        record.restrict(one, purposes=["fundraising"], received_by="staff", now=began)
        record.keep_confidential(one + 1, category="hiv", received_by="staff", now=began)
        record.accept_plain(one + 2, channel="email", received_by="staff", now=began)
        record.sign_part2(one + 4, signed_at=began, received_by="staff", now=began)
        representing.appoint(
            one + 3,
            kind="representative",
            name="",
            holder_id=one,
            authority="Power of attorney",
            source="staff",
            now=began,
        )


def _read(people: list[int]) -> None:
    """Fetch every row that the decisions rest on."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [people])
        hashes = [one for row in cursor.fetchall() for one in row[1:3] if one is not None]
        cursor.execute(SIGNED, [people])
        cursor.fetchall()
        told: dict[str, Any] = {"people": people, "hashes": hashes, "now": NOW}
        cursor.execute(REFUSED, told)
        cursor.fetchall()
        cursor.execute(SUPPRESSED, told)
        cursor.fetchall()
        cursor.execute(WISHED, {"people": people})
        cursor.fetchall()
    with binary_cursor() as cursor:
        cursor.execute(SEALED, [people])
        cursor.fetchall()
