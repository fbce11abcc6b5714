"""Places under a pool's limits, taken before messages leave; who finds none comes back later.

A place is written in the tally before the hand-over, under a lock that only limited pools take, so
two workers never both fill the same last place. Whoever is turned away gets a minute (or, while
the pool warms up, a day) in which there is room by then, so a backlog is not claimed every minute
to be turned away again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import tenancy
from crypto.rows import binary_cursor
from messaging.pools import warm_up
from messaging.pools.facts import PoolFacts

EVERYWHERE = "*"
"""Stands for the pool as a whole."""
FURTHEST = 60 * 24 * 3
"""Minutes; a message waits no longer than that by default anyway."""
_LOCK = 0x504F4F4C  # "POOL": the first half of the advisory lock's key

_COUNTED = """
INSERT INTO messaging_tally AS t
    (organisation_id, pool, minute, provider, tried, sent, rejected, deferred, booked)
SELECT %b, %b, g.minute, g.provider, g.tried, g.sent, g.rejected, g.deferred, g.booked
FROM unnest(%b::timestamptz[], %b::text[], %b::int4[], %b::int4[], %b::int4[], %b::int4[],
            %b::int4[])
     AS g (minute, provider, tried, sent, rejected, deferred, booked)
ORDER BY g.minute, g.provider
ON CONFLICT (organisation_id, pool, minute, provider) DO UPDATE
SET tried = t.tried + excluded.tried, sent = t.sent + excluded.sent,
    rejected = t.rejected + excluded.rejected, deferred = t.deferred + excluded.deferred,
    booked = t.booked + excluded.booked
"""
_TAKEN = """
SELECT minute, provider, tried, booked FROM messaging_tally
WHERE organisation_id = %b AND pool = %b AND minute >= %b
"""

Row = tuple[datetime, str, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Turned:
    """No place now: why, and when to come back."""

    code: str
    until: datetime


def minute_of(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def count(pool: str, rows: Iterable[Row]) -> None:
    """Add to the tally: minute, provider, tried, sent, rejected, deferred, booked."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        with binary_cursor() as cursor:
            cursor.execute(_COUNTED, [tenancy.current(), pool, *columns])


def tried(pool: str, providers: Iterable[str], *, now: datetime) -> None:
    """Count messages that are about to leave a pool without limits."""
    minute, seen = minute_of(now), Counter(providers)
    count(pool, ((minute, one, number, 0, 0, 0, 0) for one, number in seen.items()))


@transaction.atomic
def take(
    facts: PoolFacts, wanted: Mapping[int, str], *, zone: ZoneInfo, now: datetime
) -> dict[int, Turned]:
    """Take a place for each message, given its provider; return those that found none."""
    if not wanted:
        return {}
    with binary_cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%b::int4, %b::int4)", [_LOCK, _key(facts)])
    book = Book.read(facts, zone=zone, now=now)
    turned: dict[int, Turned] = {}
    for number, provider in wanted.items():
        if (answer := book.place(provider)) is not None:
            turned[number] = answer
    count(facts.kind, book.written())
    return turned


def _key(facts: PoolFacts) -> int:
    return (tenancy.current() * 8 + len(facts.kind)) % 2**31


@dataclass(slots=True)
class Book:
    """What is taken and promised of a pool, from the begin of the day on."""

    facts: PoolFacts
    zone: ZoneInfo
    now: datetime
    tried: dict[tuple[datetime, str], int] = field(default_factory=lambda: defaultdict(int))
    booked: dict[tuple[datetime, str], int] = field(default_factory=lambda: defaultdict(int))
    today: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    days: dict[tuple[date, str], int] = field(default_factory=lambda: defaultdict(int))
    fresh: dict[tuple[datetime, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )

    @classmethod
    def read(cls, facts: PoolFacts, *, zone: ZoneInfo, now: datetime) -> Book:
        book = cls(facts, zone, now)
        with binary_cursor() as cursor:
            cursor.execute(_TAKEN, [tenancy.current(), facts.kind, book.begin_of(book.day_of(now))])
            for minute, provider, went, promised in cursor.fetchall():
                book._add(minute, provider, went, promised)
        return book

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def begin_of(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)

    def _add(self, minute: datetime, provider: str, went: int, promised: int) -> None:
        for name in (provider, EVERYWHERE):
            self.tried[minute, name] += went
            self.booked[minute, name] += promised
        self.today[provider] += went
        self.days[self.day_of(minute), provider] += promised

    def place(self, provider: str) -> Turned | None:
        """Take a place now, or promise one."""
        if not self._room_today(provider):
            return self._another_day(provider)
        for name, code in ((provider, "destination_pace"), (EVERYWHERE, "pool_pace")):
            most = self._per_minute(name)
            if most is not None and self.tried[minute_of(self.now), name] >= most:
                return self._another_minute(provider, name, most, code)
        self._write(minute_of(self.now), provider, went=1, promised=0)
        return None

    def _per_minute(self, name: str) -> int | None:
        if name == EVERYWHERE:
            return self.facts.per_minute
        limit = self.facts.destinations.get(name)
        return limit.per_minute if limit else None

    def _allowed(self, day: date) -> int | None:
        begun = self.facts.warm_up_from
        if begun is None:
            return None
        return warm_up.allowed(day, begun=begun, first=self.facts.warm_up_first)

    def _room_today(self, provider: str) -> bool:
        most = self._allowed(self.day_of(self.now))
        return most is None or self.today[provider] < most

    def _another_day(self, provider: str) -> Turned:
        day = self.day_of(self.now)
        for _ in range(warm_up.LONGEST):
            day += timedelta(days=1)
            most = self._allowed(day)
            if most is None or self.days[day, provider] < most:
                break
        until = self.begin_of(day)
        self._write(minute_of(until), provider, went=0, promised=1)
        return Turned("warming_up", until)

    def _another_minute(self, provider: str, name: str, most: int, code: str) -> Turned:
        minute = minute_of(self.now)
        for _ in range(FURTHEST):
            minute += timedelta(minutes=1)
            if self.booked[minute, name] < most:
                break
        self._write(minute, provider, went=0, promised=1)
        return Turned(code, minute)

    def _write(self, minute: datetime, provider: str, *, went: int, promised: int) -> None:
        self._add(minute, provider, went, promised)
        fresh = self.fresh[minute, provider]
        fresh[0] += went
        fresh[1] += promised

    def written(self) -> list[Row]:
        return [
            (minute, provider, went, 0, 0, 0, promised)
            for (minute, provider), (went, promised) in self.fresh.items()
        ]
