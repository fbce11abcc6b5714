"""A made-up clinic's people and events, by the hundred thousand, sealed and beside it in the clear.

Shares are those of PERFORMANCE.md section 1: diabetic 6.4 %, fifty or older 44 %, one of ten areas
18 %. People are written as `contacts.writing` writes them, past the matching that an import does;
events and the plain table by the owner's COPY and INSERT ... SELECT, which row security allows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from accounts import tenancy
from contacts import events, merging, writing
from contacts.models import Ordinal, first_id

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BATCH = 20_000
SEED = 20260302
SNOMED = "http://snomed.info/sct"
DIABETES = "44054006"
CODES = [DIABETES, *(str(10_000_000 + n * 7_919) for n in range(40))]
AREAS = [f"{n:03d}" for n in range(10, 65)]
CAMPAIGNS = [UUID(int=n + 1) for n in range(40)]
EVENTS_EACH = 10
"""Events for each person, on average."""
_BORN, _DAYS = date(1936, 3, 2), 33_200
_MINUTES = 60 * 24 * 500

_PLAIN = """
CREATE TABLE plain_contact (
    id bigint PRIMARY KEY, birth_date date, area text, deceased boolean, last_visit timestamptz,
    plan text, conditions text[], rest jsonb
)
"""
_INDEXES = (
    "CREATE INDEX ON plain_contact (birth_date)",
    "CREATE INDEX ON plain_contact (area)",
    "CREATE INDEX ON plain_contact (deceased)",
    "CREATE INDEX ON plain_contact (last_visit)",
    "CREATE INDEX ON plain_contact (plan)",
    "CREATE INDEX ON plain_contact USING gin (conditions)",
    "VACUUM ANALYZE plain_contact",
    "VACUUM ANALYZE contacts_event",
    "VACUUM ANALYZE contacts_contact",
    "VACUUM ANALYZE crypto_datakey",
)
_HAPPENED = """
INSERT INTO contacts_event
    (organisation_id, contact_id, kind, occurred_at, received_at, source, campaign, machine)
SELECT %(organisation)s, %(first)s + (random() * (%(people)s - 1))::bigint,
    (ARRAY['message.delivered', 'message.delivered', 'message.opened', 'message.clicked'])
        [1 + (random() * 3.999)::int %% 4],
    %(now)s::timestamptz - random() * interval '500 days', %(now)s::timestamptz, 'bench',
    ('00000000-0000-0000-0000-0000000000' || lpad(to_hex(1 + n %% 40), 2, '0'))::uuid,
    random() < 0.1
FROM generate_series(%(start)s::int, %(end)s::int) AS n
"""


def settle(owner: psycopg.Connection[Any], people: int) -> None:
    """Write the people, the same in the clear, and ten events for each."""
    owner.execute(_PLAIN)
    chance = np.random.default_rng(SEED)
    first = first_id(tenancy.current())
    for start in range(0, people, BATCH):
        some = range(first + start, first + min(start + BATCH, people))
        values = persons(chance, len(some))
        with transaction.atomic():
            writing.create(tenancy.current(), list(_rows(some, values, NOW)), now=NOW)
        copy_plain(owner, some, values)
    Ordinal.objects.update_or_create(organisation_id=tenancy.current(), defaults={"next": people})
    _happen(owner, people)
    for statement in _INDEXES:
        owner.execute(statement)


def change(owner: psycopg.Connection[Any], chance: np.random.Generator, ids: Sequence[int]) -> None:
    """Give these people other values, and mark them dirty as any change does."""
    values = persons(chance, len(ids))
    later = NOW + timedelta(minutes=1)
    with transaction.atomic():
        writing.update(tenancy.current(), list(_rows(ids, values, later)), now=later)
        writing.mark_dirty(tenancy.current(), ids)
    owner.execute("DELETE FROM plain_contact WHERE id = ANY(%s)", [list(ids)])
    copy_plain(owner, ids, values)
    owner.execute("VACUUM ANALYZE plain_contact")


def persons(chance: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """Canonical values of so many people."""
    drawn = zip(
        *(
            chance.integers(top, size=count).tolist()
            for top in (5000, 9000, _DAYS, len(AREAS), 12, 300, 2, 100, 40, 40, _MINUTES)
        ),
        chance.random(count).tolist(),
        chance.random(count).tolist(),
        strict=True,
    )
    return [_person(*one) for one in drawn]


def _person(  # noqa: PLR0913, PLR0917 - what chance drew for one person
    given: int, family: int, born: int, area: int, place: int, city: int, gender: int, plan: int,
    one: int, other: int, minutes: int, ill: float, dead: float,
) -> dict[str, Any]:  # fmt: skip
    seen = NOW - timedelta(minutes=minutes)
    values: dict[str, Any] = {
        "given_name": f"Given{given}",
        "family_name": f"Family{family}",
        "birth_date": (_BORN + timedelta(days=born)).isoformat(),
        "postal_code": f"{AREAS[area]}{place + 1:02d}",
        "city": f"City {city}",
        "gender": ("female", "male")[gender],
        "plan": f"Plan {plan}",
        "conditions": [
            _coded(DIABETES if ill < 0.064 else CODES[1 + one]),
            _coded(CODES[1 + other]),
        ],
        "encounters": [_visit(f"{seen:%Y-%m-%dT%H:%M:%SZ}")],
    }
    if dead < 0.06:
        values["deceased"] = True
    return values


def _coded(code: str) -> dict[str, Any]:
    return {"system": SNOMED, "code": code, "display": "", "status": "active"}


def _visit(at: str) -> dict[str, Any]:
    return {
        "system": "", "code": "", "display": "", "status": "finished", "class": "AMB", "at": at,
    }  # fmt: skip


def _rows(
    ids: Sequence[int], people: Sequence[dict[str, Any]], at: datetime
) -> Iterator[writing.Row]:
    stamp = round(at.timestamp() * 1_000_000)
    for contact_id, values in zip(ids, people, strict=True):
        yield writing.Row(contact_id, merging.fresh(values, as_of=stamp), "bench", at)


def copy_plain(
    owner: psycopg.Connection[Any], ids: Sequence[int], people: Sequence[dict[str, Any]]
) -> None:
    with owner.cursor() as cursor, cursor.copy("COPY plain_contact FROM STDIN") as copy:
        for contact_id, values in zip(ids, people, strict=True):
            copy.write_row(_plain(contact_id, values))


def _plain(contact_id: int, values: dict[str, Any]) -> tuple[Any, ...]:
    return (
        contact_id,
        values["birth_date"],
        values["postal_code"][:3],
        values.get("deceased"),
        values["encounters"][0]["at"],
        values["plan"],
        sorted({item["code"] for item in values["conditions"]}),
        Jsonb({key: values[key] for key in ("given_name", "family_name", "city", "gender")}),
    )


def _happen(owner: psycopg.Connection[Any], people: int) -> None:
    events.ensure_partitions(now=NOW)
    connection.close()  # so that no transaction of ours is open beside the owner's
    given = {"organisation": tenancy.current(), "first": first_id(tenancy.current())}
    count, step = people * EVENTS_EACH, 1_000_000
    owner.execute("SELECT setseed(0.42)")
    for start in range(1, count + 1, step):
        end = min(start + step - 1, count)
        owner.execute(
            _HAPPENED, {**given, "people": people, "now": NOW, "start": start, "end": end}
        )
