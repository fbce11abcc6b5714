"""Segments over sealed contacts against the same predicates in PostgreSQL over plain columns.

The limit's table has the same people in the clear with an index on each column, in the same
server. Every result is checked against it. `dirty_10000` is measured against the same segment
without changes; the changes are real ones, marked and unmarked in turn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.types.json import Jsonb

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, interleave, peak_memory
from contacts import records, writing
from contacts.models import Dirty
from contacts.records import Change
from contacts.segments import columns, evaluate, opening
from contacts.segments.definition import parse

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PEOPLE, CHANGED, ASKED = 1_000_000, 10_000, 1_000
BATCH = 10_000
SNOMED = "http://snomed.info/sct"
DIABETES = "44054006"
CODES = [DIABETES, *(str(10_000_000 + n * 7_919) for n in range(40))]
AREAS = [f"{n:03d}" for n in range(10, 65)]
TEN_AREAS = AREAS[:10]
SELDOM = "Plan 42"

FIVE = {
    "all": [
        {"field": "conditions", "op": "has_code", "system": SNOMED, "codes": [DIABETES]},
        {"field": "birth_date", "op": "age_gte", "value": 50},
        {"field": "postal_code", "op": "starts_with", "value": TEN_AREAS, "case": "exact"},
        {"not": {"field": "deceased", "op": "equals", "value": True}},
        {"field": "last_visit", "op": "older_than", "value": 180, "unit": "days"},
    ]
}
EQUALITY = {"field": "plan", "op": "equals", "value": SELDOM, "case": "exact"}
RANGE = {"field": "birth_date", "op": "age_gte", "value": 50}

FIVE_SQL = (
    "conditions @> ARRAY[%(code)s] AND birth_date <= %(born)s AND area = ANY(%(areas)s)"
    " AND deceased IS NOT TRUE AND last_visit < %(seen)s"
)
ASKED_SQL = {
    "code": DIABETES,
    "born": date(1976, 3, 2),
    "areas": TEN_AREAS,
    # Days count back on the clinic's wall clock, over the change of the clocks in November.
    "seen": NOW.astimezone(ZoneInfo("America/New_York")) - timedelta(days=180),
    "plan": SELDOM,
}
_TABLE = """
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
)


def run(scale: float) -> Iterator[Row]:
    organisation = found_organisation(now=NOW)
    with (
        acting_as(Actor("system", "benchmark")),
        tenancy.acting_for(organisation),
        psycopg.connect(_owner(), autocommit=True) as plain,
    ):
        bench = _Bench(plain, random.Random(20260302), scale)
        bench.load(round(PEOPLE * scale))
        yield from bench.rows()


def _owner() -> str:
    given = settings.DATABASES["owner"]
    parts = {"dbname": given["NAME"], "user": given["USER"], "host": given["HOST"]}
    parts |= {"port": given["PORT"], "password": given["PASSWORD"]}
    return psycopg.conninfo.make_conninfo(**{k: v for k, v in parts.items() if v})


@dataclass
class _Bench:
    plain: psycopg.Connection[Any]
    chance: random.Random
    scale: float

    def load(self, people: int) -> None:
        """Store the people by the product's own path, and beside it in the clear."""
        self.people = people
        self.plain.execute(_TABLE)
        numbers = iter(range(people))
        while some := list(islice(numbers, BATCH)):
            values = [_person(self.chance) for _ in some]
            stored = records.upsert(
                [_change(n, v) for n, v in zip(some, values, strict=True)], now=NOW
            )
            self._copy(stored.contact_ids, values)
            if some[-1] % 200_000 == 199_999:
                columns.compact(now=NOW, at_least=1)
        columns.compact(now=NOW, at_least=1)
        for statement in _INDEXES:
            self.plain.execute(statement)
        with connection.cursor() as cursor:
            cursor.execute("SELECT contacts_analyze()")

    def _copy(self, ids: tuple[int, ...], people: list[dict[str, Any]]) -> None:
        with (
            self.plain.cursor() as cursor,
            cursor.copy("COPY plain_contact FROM STDIN") as copy,
        ):
            for contact_id, values in zip(ids, people, strict=True):
                copy.write_row(_plain(contact_id, values))

    def rows(self) -> Iterator[Row]:
        yield self._against_sql("five_clauses", FIVE, FIVE_SQL)
        yield self._against_sql("equality", EQUALITY, "plan = %(plan)s")
        yield self._counted("range", RANGE, "birth_date <= %(born)s")
        yield self._dirty(round(CHANGED * self.scale))
        yield self._changed(ASKED)

    def _sql_ids(self, where: str, **more: Any) -> list[int]:
        with self.plain.cursor(binary=True) as cursor:
            cursor.execute(f"SELECT id FROM plain_contact WHERE {where}", {**ASKED_SQL, **more})
            return [row[0] for row in cursor.fetchall()]

    def _sql_count(self, where: str) -> int:
        found = self.plain.execute(f"SELECT count(*) FROM plain_contact WHERE {where}", ASKED_SQL)
        row = found.fetchone()
        assert row is not None
        return int(row[0])

    def _against_sql(self, name: str, tree: Any, where: str) -> Row:
        definition = parse(tree)

        def work() -> list[int]:
            return evaluate.members(definition, now=NOW).contact_ids()

        assert work() == sorted(self._sql_ids(where)), f"{name}: other people than in plain SQL"
        return self._timed(name, work, lambda: self._sql_ids(where), self.people)

    def _counted(self, name: str, tree: Any, where: str) -> Row:
        definition = parse(tree)

        def work() -> int:
            return evaluate.members(definition, now=NOW).count

        assert work() == self._sql_count(where), f"{name}: another count than in plain SQL"
        return self._timed(name, work, lambda: self._sql_count(where), self.people)

    def _dirty(self, changed: int) -> Row:
        """Give people other values, and compare before with after folding."""
        ids = self._change(changed)
        definition, right = parse(FIVE), sorted(self._sql_ids(FIVE_SQL))

        def clean() -> list[int]:
            return evaluate.members(definition, now=NOW).contact_ids()

        assert Dirty.objects.count() == len(ids)
        assert clean() == right, "dirty_10000: other people than in plain SQL"
        columns.compact(now=NOW, at_least=1)
        assert clean() == right, "dirty_10000: folding changed the answer"
        pairs = []
        for _ in range(7):
            Dirty.objects.all().delete()
            limit = interleave(clean, lambda: None, rounds=1, warm_up=0).work
            writing.mark_dirty(tenancy.current(), ids)
            pairs.append((interleave(clean, lambda: None, rounds=1, warm_up=0).work, limit))
        Dirty.objects.all().delete()
        work, limit = (sorted(side)[len(pairs) // 2] for side in zip(*pairs, strict=True))
        return Row("dirty_10000", changed, work, limit, kind="time")

    def _change(self, count: int) -> list[int]:
        numbers = self.chance.sample(range(self.people), count)
        values = [_person(self.chance) for _ in numbers]
        later = NOW + timedelta(minutes=1)
        stored = records.upsert(
            [_change(n, v, at=later) for n, v in zip(numbers, values, strict=True)], now=later
        )
        ids = list(stored.contact_ids)
        known = opening.values_of(
            tenancy.current(), ids, ["birth_date", "postal_code", "deceased", "last_visit",
                                     "plan", "conditions"]
        )  # fmt: skip
        self.plain.execute("DELETE FROM plain_contact WHERE id = ANY(%s)", [ids])
        self._copy(tuple(ids), [known[contact_id] for contact_id in ids])
        self.plain.execute("VACUUM ANALYZE plain_contact")
        return ids

    def _changed(self, asked: int) -> Row:
        ids = self._sql_ids("true LIMIT 100000")
        some = self.chance.sample(ids, min(asked, len(ids)))
        definition = parse(FIVE)
        where = f"id = ANY(%(ids)s) AND {FIVE_SQL}"

        def work() -> set[int]:
            return evaluate.among(definition, some, now=NOW)

        assert work() == set(self._sql_ids(where, ids=some)), "changed_1000: other people"
        return self._timed("changed_1000", work, lambda: self._sql_ids(where, ids=some), len(some))

    def _timed(self, name: str, work: Callable[[], Any], limit: Callable[[], Any], n: int) -> Row:
        with peak_memory() as peak:
            work()
        taken = interleave(work, limit, rounds=9)
        return Row(name, n, taken.work, taken.limit, kind="time", peak_mb=peak.grown_mb)


def _person(chance: random.Random) -> dict[str, Any]:
    """Shares as in PERFORMANCE.md section 1: diabetic 6.4 %, over 50 44 %, ten areas 18 % ..."""
    code = DIABETES if chance.random() < 0.064 else chance.choice(CODES[1:])
    seen = NOW - timedelta(minutes=chance.randrange(60 * 24 * 500))
    values: dict[str, Any] = {
        "given_name": f"Given{chance.randrange(5000)}",
        "family_name": f"Family{chance.randrange(9000)}",
        "birth_date": (date(1936, 3, 2) + timedelta(days=chance.randrange(33_200))).isoformat(),
        "postal_code": f"{chance.choice(AREAS)}{chance.randrange(1, 13):02d}",
        "city": f"City {chance.randrange(300)}",
        "gender": chance.choice(("female", "male")),
        "plan": f"Plan {chance.randrange(100)}",
        "conditions": [_coded(code), _coded(chance.choice(CODES[1:]))],
        "encounters": [{"status": "finished", "class": "AMB", "at": f"{seen:%Y-%m-%dT%H:%M:%SZ}"}],
    }
    if chance.random() < 0.06:
        values["deceased"] = True
    return values


def _coded(code: str) -> dict[str, str]:
    return {"system": SNOMED, "code": code, "display": "", "status": "active"}


def _change(number: int, values: dict[str, Any], *, at: datetime = NOW) -> Change:
    return Change(source="bench", record_number=str(number), values=values, occurred_at=at)


def _plain(contact_id: int, values: dict[str, Any]) -> tuple[Any, ...]:
    visits = [v["at"] for v in values.get("encounters", ())]
    return (
        contact_id,
        values["birth_date"],
        values["postal_code"][:3],
        values.get("deceased"),
        values.get("last_visit") or max(visits),
        values["plan"],
        sorted({item["code"] for item in values["conditions"]}),
        Jsonb({key: values.get(key) for key in ("given_name", "family_name", "city", "gender")}),
    )
