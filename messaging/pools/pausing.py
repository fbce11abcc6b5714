"""Pause and resume a pool, or one workflow's or campaign's messages; decide what becomes of theirs.

A pool that is stopped is not claimed from. Messages of a paused source are set aside as `paused`
when they come due, so that a large backlog costs the others nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import tenancy
from audit import actions, trail
from audit.actor import current
from crypto.rows import binary_cursor
from messaging.pools import breaker
from messaging.pools.lanes import POOLS
from messaging.pools.models import Stop

for _action, _facts in {
    "sending.paused": ("pool", "source", "waiting"),
    "sending.resumed": ("pool", "source", "cause", "backlog", "count"),
}.items():
    actions.register(_action, _facts)


class NotPaused(LookupError):
    """Nothing is stopped there any more; somebody else has resumed it."""


@dataclass(frozen=True, slots=True)
class Stops:
    """What stands in the way now. `probing` pools let a few messages go."""

    everything: bool = False
    pools: frozenset[str] = frozenset()
    probing: frozenset[str] = frozenset()
    sources: frozenset[UUID] = field(default_factory=frozenset)

    def limit(self, pool: str, limit: int) -> int:
        """Return how many may be claimed of the pool."""
        if self.everything or pool in self.pools:
            return 0
        return min(limit, breaker.PROBES) if pool in self.probing else limit


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits behind a stop, before anybody decides about it."""

    waiting: int
    """Came due while it was stopped."""
    too_late: int
    """Of those, whose time is over: they are never sent, whatever is chosen."""
    later: int
    """Not due yet."""


def read() -> Stops:
    """Return what is stopped, in one statement."""
    rows = Stop.objects.filter(ended_at=None, warning=False)
    pools, probing, sources, everything = set(), set(), set(), False
    for one in rows:
        if one.source is not None:
            sources.add(one.source)
        elif not one.pool:
            everything = True
        elif one.half_open_at is not None:
            probing.add(one.pool)
        else:
            pools.add(one.pool)
    return Stops(everything, frozenset(pools), frozenset(probing - pools), frozenset(sources))


def standing() -> list[Stop]:
    return list(Stop.objects.filter(ended_at=None).order_by("-began_at"))


@transaction.atomic
def pause(*, pool: str = "", source: UUID | None = None, now: datetime) -> Stop:
    """Stop a pool or a source; doing it twice is doing it once."""
    if bool(pool) == bool(source) or (pool and pool not in POOLS):
        raise ValueError("name one pool, or one source")
    same = Stop.objects.filter(
        pool=pool, source=source, cause=Stop.Cause.STAFF, ended_at=None
    ).first()
    if same is not None:
        return same
    row = Stop.objects.create(
        pool=pool,
        source=source,
        cause=Stop.Cause.STAFF,
        began_at=now,
        began_by=current().id,
    )
    facts = {"pool": pool} if pool else {"source": str(source)}
    waiting = backlog(row, now=now).waiting
    trail.record("sending.paused", subject=f"stop:{row.id}", detail=facts | {"waiting": waiting})
    return row


_COUNTS = """
SELECT count(*) FILTER (WHERE due_at <= %b),
       count(*) FILTER (WHERE due_at <= %b AND not_after < %b),
       count(*) FILTER (WHERE due_at > %b)
FROM messaging_message
WHERE organisation_id = %b AND state IN ('queued', 'deferred', 'paused')
"""
_SKIP = """
UPDATE messaging_message SET state = 'cancelled', refusal_code = 'skipped_after_pause',
    permit = NULL
WHERE organisation_id = %b AND state IN ('queued', 'deferred', 'paused') AND due_at <= %b
"""
_RETIME = """
UPDATE messaging_message SET due_at = due_at + %b::interval,
    state = CASE state WHEN 'paused' THEN 'queued' ELSE state END
WHERE organisation_id = %b AND state IN ('queued', 'deferred', 'paused')
  AND due_at > %b AND due_at <= %b
"""
_RELEASE = """
UPDATE messaging_message SET state = 'queued'
WHERE organisation_id = %b AND state = 'paused'
"""
_NOTED = """
WITH moved AS ({} RETURNING id, state, refusal_code)
INSERT INTO messaging_transition (organisation_id, message_id, state, code, at)
SELECT %b, id, state, refusal_code, %b FROM moved
"""


def backlog(row: Stop, *, now: datetime) -> Backlog:
    """Count what waits behind the stop."""
    where, value = _of(row)
    with binary_cursor() as cursor:
        cursor.execute((_COUNTS + where).encode(), [now, now, now, now, tenancy.current(), *value])
        found = cursor.fetchone()
    assert found is not None
    return Backlog(*found)


def _of(row: Stop) -> tuple[str, list[object]]:
    if row.source is not None:
        return " AND source = %b", [row.source]
    return (" AND pool = %b", [row.pool]) if row.pool else ("", [])


@transaction.atomic
def resume(stop_id: UUID, *, choice: str, now: datetime) -> int:
    """Let it go on; return how many messages the choice concerned. Raises `NotPaused`."""
    row = Stop.objects.select_for_update().filter(pk=stop_id, ended_at=None).first()
    if row is None or row.cause == Stop.Cause.RESTORED:
        raise NotPaused
    moved = _decided(row, choice, now=now)
    row.ended_at, row.ended_by, row.backlog, row.moved = now, current().id, choice, moved
    row.save()
    facts: dict[str, str | int] = {"cause": row.cause, "backlog": choice, "count": moved}
    facts |= {"pool": row.pool} if row.pool else {"source": str(row.source)}
    trail.record("sending.resumed", subject=f"stop:{row.id}", detail=facts)
    return moved


def _decided(row: Stop, choice: str, *, now: datetime) -> int:
    """Cancel, move or release what waits. What is left `paused` of a source waits no longer."""
    where, value = _of(row)
    organisation_id = tenancy.current()
    moved = 0
    with binary_cursor() as cursor:
        if choice == Stop.Backlog.SKIP:
            statement = _NOTED.format(_SKIP + where)
            cursor.execute(statement.encode(), [organisation_id, now, *value, organisation_id, now])
            moved = cursor.rowcount
        elif choice == Stop.Backlog.RETIME:
            length = now - row.began_at
            cursor.execute(
                (_RETIME + where).encode(), [length, organisation_id, row.began_at, now, *value]
            )
            moved = cursor.rowcount
        else:
            moved = backlog(row, now=now).waiting
        if row.source is not None:
            cursor.execute((_RELEASE + where).encode(), [organisation_id, *value])
    return moved


def of_sources(sources: set[UUID]) -> dict[UUID, Stop]:
    """Return which of these workflow versions or campaigns are paused."""
    rows = Stop.objects.filter(Q(source__in=sources), ended_at=None, warning=False)
    return {one.source: one for one in rows if one.source}
