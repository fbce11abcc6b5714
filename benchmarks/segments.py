"""Segments over sealed contacts against the same predicates in PostgreSQL over plain columns.

The limit's table has the same people in the clear with an index on each column, in the same server,
beside ten events for each person. Every result is checked against it. `with_events` asks of events
too, which both sides read from the same rows. `dirty_10000` is measured against the same segment
without changes; the changes are real ones, marked and unmarked in turn. They are gathered as the
loop does every ten seconds; `dirty_at_once` asks before that, and opens each one's records.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
from django.conf import settings

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from benchmarks import kept, population
from benchmarks.ground import found_organisation
from benchmarks.measure import Peak, Row, interleave, peak_memory, seconds
from benchmarks.population import AREAS, CAMPAIGNS, DIABETES, NOW, SNOMED
from contacts import writing
from contacts.models import Dirty, first_id
from contacts.segments import columns, evaluate, gathering
from contacts.segments.definition import parse

PEOPLE, CHANGED, ASKED = 1_000_000, 10_000, 1_000
TEN_AREAS = AREAS[:10]
SELDOM = "Plan 42"
RECENT = CAMPAIGNS[:3]

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
OPENED = {
    "any": [{"event": "message.opened", "campaign": str(one), "within_days": 30} for one in RECENT]
}
WITH_EVENTS = {"all": [*FIVE["all"], OPENED]}

FIVE_SQL = (
    "conditions @> ARRAY[%(code)s] AND birth_date <= %(born)s AND area = ANY(%(areas)s)"
    " AND deceased IS NOT TRUE AND last_visit < %(seen)s"
)
EVENTS_SQL = (
    f"{FIVE_SQL} AND id IN (SELECT contact_id FROM contacts_event"
    " WHERE organisation_id = %(organisation)s AND campaign = ANY(%(recent)s)"
    " AND kind = 'message.opened' AND occurred_at >= %(opened)s AND occurred_at < %(now)s"
    " AND NOT machine)"
)
_WALL = NOW.astimezone(ZoneInfo("America/New_York"))
ASKED_SQL = {
    "code": DIABETES,
    "born": date(1976, 3, 2),
    "areas": TEN_AREAS,
    # Days count back on the clinic's wall clock, over the change of the clocks in November.
    "seen": _WALL - timedelta(days=180),
    "opened": _WALL - timedelta(days=30),
    "now": NOW + timedelta(microseconds=1),
    "recent": RECENT,
    "plan": SELDOM,
}


def run(scale: float, *, folder: Path | None = None) -> Iterator[Row]:
    """`folder` is where the world stays, or None."""
    fresh = not kept.is_whole(folder)
    organisation = found_organisation(now=NOW) if fresh else _the_only_one()
    with (
        acting_as(Actor("system", "benchmark")),
        tenancy.acting_for(organisation),
        psycopg.connect(_owner(), autocommit=True) as plain,
    ):
        bench = _Bench(plain, round(PEOPLE * scale), scale, folder)
        bench.load(fresh=fresh)
        yield from bench.rows()


def _the_only_one() -> int:
    with tenancy.door():
        return Organisation.objects.get().pk


def _owner() -> str:
    given = settings.DATABASES["owner"]
    parts = {"dbname": given["NAME"], "user": given["USER"], "host": given["HOST"]}
    parts |= {"port": given["PORT"], "password": given["PASSWORD"]}
    return psycopg.conninfo.make_conninfo(**{k: v for k, v in parts.items() if v})


@dataclass
class _Bench:
    plain: psycopg.Connection[Any]
    people: int
    scale: float
    folder: Path | None

    def load(self, *, fresh: bool) -> None:
        """Fill the world, or take it as it stands; make the columns where they are not there."""
        with kept.changing(self.folder):
            if fresh:
                population.settle(self.plain, self.people)
            if not kept.columns_are_current(self.folder) or fresh:
                columns.rebuild()
                self.plain.execute("VACUUM ANALYZE contacts_segmentcolumn")

    def rows(self) -> Iterator[Row]:
        yield self._against_sql("five_clauses", FIVE, FIVE_SQL)
        yield self._against_sql("equality", EQUALITY, "plan = %(plan)s")
        yield self._counted("range", RANGE, "birth_date <= %(born)s")
        yield self._against_sql("with_events", WITH_EVENTS, EVENTS_SQL)
        yield from self._dirty(round(CHANGED * self.scale))
        yield self._changed(ASKED)

    def _sql_ids(self, where: str, **more: Any) -> list[int]:
        given = {**ASKED_SQL, "organisation": tenancy.current(), **more}
        with self.plain.cursor(binary=True) as cursor:
            cursor.execute(f"SELECT id FROM plain_contact WHERE {where}", given)
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

        with peak_memory() as peak:
            found = work()
        assert found == sorted(self._sql_ids(where)), f"{name}: other people than in plain SQL"
        return self._timed(name, work, lambda: self._sql_ids(where), self.people, peak)

    def _counted(self, name: str, tree: Any, where: str) -> Row:
        definition = parse(tree)

        def work() -> int:
            return evaluate.members(definition, now=NOW).count

        with peak_memory() as peak:
            found = work()
        assert found == self._sql_count(where), f"{name}: another count than in plain SQL"
        return self._timed(name, work, lambda: self._sql_count(where), self.people, peak)

    def _dirty(self, changed: int) -> Iterator[Row]:
        """Give people other values, and compare before with after folding."""
        definition = parse(FIVE)

        def members() -> list[int]:
            return evaluate.members(definition, now=NOW).contact_ids()

        with kept.changing(self.folder):
            ids = self._change(changed)
            right = sorted(self._sql_ids(FIVE_SQL))
            assert Dirty.objects.count() == len(ids)
            assert members() == right, "dirty_10000: other people than in plain SQL"
            columns.compact(now=NOW, at_least=1)
            assert members() == right, "dirty_10000: folding changed the answer"
            self.plain.execute("VACUUM ANALYZE contacts_segmentcolumn, contacts_contact")
            taken: dict[str, list[float]] = {"": [], "dirty_10000": [], "dirty_at_once": []}
            for _ in range(7):
                taken[""].append(seconds(members))
                writing.mark_dirty(tenancy.current(), ids)
                with peak_memory() as at_once:
                    taken["dirty_at_once"].append(seconds(members))
                gathering.gather()
                assert members() == right, "dirty_10000: gathering changed the answer"
                with peak_memory() as gathered:
                    taken["dirty_10000"].append(seconds(members))
                Dirty.objects.all().delete()
                columns.scatter()
        middle = {name: statistics.median(times) for name, times in taken.items()}
        for name, peak in (("dirty_10000", gathered), ("dirty_at_once", at_once)):
            yield Row(name, changed, middle[name], middle[""], kind="time", peak_mb=peak.grown_mb)

    def _change(self, count: int) -> list[int]:
        chance = np.random.default_rng()
        ordinals = chance.choice(self.people, size=count, replace=False)
        ids: list[int] = (np.sort(ordinals) + first_id(tenancy.current())).tolist()
        population.change(self.plain, chance, ids)
        return ids

    def _changed(self, asked: int) -> Row:
        ordinals = np.random.default_rng(7).choice(self.people, size=asked, replace=False)
        some: list[int] = (ordinals + first_id(tenancy.current())).tolist()
        definition = parse(FIVE)
        where = f"id = ANY(%(ids)s) AND {FIVE_SQL}"

        def work() -> set[int]:
            return evaluate.among(definition, some, now=NOW)

        def limit() -> list[int]:
            return self._sql_ids(where, ids=some)

        with peak_memory() as peak:
            found = work()
        assert found == set(limit()), "changed_1000: other people"
        return self._timed("changed_1000", work, limit, len(some), peak)

    def _timed(
        self, name: str, work: Callable[[], Any], limit: Callable[[], Any], n: int, peak: Peak
    ) -> Row:
        """`peak` is that of the first time."""
        taken = interleave(work, limit, rounds=9)
        return Row(name, n, taken.work, taken.limit, kind="time", peak_mb=peak.grown_mb)
