"""Look at how the pools fare; stop, try, warn or let go as `breaker` says. Each act is a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from accounts import tenancy
from audit import actions, trail
from audit.actor import current
from crypto.rows import binary_cursor
from messaging.pools import breaker
from messaging.pools.breaker import Move, Seen, Standing
from messaging.pools.lanes import POOLS
from messaging.pools.models import Stop, Tally

for _action in ("stopped", "warned", "half_opened", "closed"):
    actions.register(f"sending.pool_{_action}", ("pool", "cause", "tried", "bad"))

COMPLAINED = timedelta(days=7)
"""Complaints about older mails say little of today's."""
KEPT = timedelta(days=40)

_ERRORS = """
SELECT t.pool, sum(t.sent + t.rejected + t.deferred), sum(t.rejected)
FROM messaging_tally t
LEFT JOIN unnest(%b::text[], %b::timestamptz[]) AS g (pool, since) ON g.pool = t.pool
WHERE t.organisation_id = %b AND t.minute > coalesce(g.since, %b)
GROUP BY t.pool
"""
_COMPLAINTS = """
WITH told AS (
    SELECT m.pool, date_trunc('day', m.sent_at, 'UTC') AS day, count(*) AS complaints
    FROM messaging_returned r JOIN messaging_message m ON m.id = r.message_id
    LEFT JOIN unnest(%b::text[], %b::timestamptz[]) AS g (pool, since) ON g.pool = m.pool
    WHERE r.organisation_id = %b AND r.kind = 'complaint'
      AND r.received_at > greatest(%b::timestamptz, g.since) AND m.sent_at IS NOT NULL
    GROUP BY 1, 2
)
SELECT told.pool, told.complaints, (
    SELECT coalesce(sum(t.sent), 0) FROM messaging_tally t
    WHERE t.organisation_id = %b AND t.pool = told.pool
      AND t.minute >= told.day AND t.minute < told.day + interval '1 day'
)
FROM told
"""


@transaction.atomic
def look(*, now: datetime) -> int:
    """Judge every pool; return how many changed."""
    standing = _standing()
    seen = _seen(standing, now=now)
    moved = 0
    for pool in POOLS:
        about = seen.get(pool, Seen())
        for move in (
            breaker.errors(about, _read(standing.get((pool, "errors"))), now=now),
            breaker.complaints(pool, about, _read(standing.get((pool, "complaints")))),
        ):
            if move is not None:
                _make(pool, move, standing.get((pool, move.cause)), now=now)
                moved += 1
    return moved


def sweep(*, now: datetime) -> None:
    Tally.objects.filter(minute__lt=now - KEPT).delete()


def _standing() -> dict[tuple[str, str], Stop]:
    rows = Stop.objects.select_for_update().filter(
        ended_at=None, cause__in=[Stop.Cause.ERRORS, Stop.Cause.COMPLAINTS]
    )
    return {(one.pool, one.cause): one for one in rows.order_by("began_at")}


def _read(row: Stop | None) -> Standing | None:
    if row is None:
        return None
    return Standing(row.cause, row.began_at, row.warning, row.half_open_at)


def _seen(standing: Mapping[tuple[str, str], Stop], *, now: datetime) -> dict[str, Seen]:
    organisation_id = tenancy.current()
    with binary_cursor() as cursor:
        since = _errors_since(standing, now=now)
        window = now - breaker.WINDOW
        cursor.execute(_ERRORS, [list(since), list(since.values()), organisation_id, window])
        errors = {pool: (int(tried), int(bad)) for pool, tried, bad in cursor.fetchall()}
        after = _let_go("complaints", now=now)
        cursor.execute(
            _COMPLAINTS,
            [
                list(after),
                list(after.values()),
                organisation_id,
                now - COMPLAINED,
                organisation_id,
            ],
        )
        days: dict[str, tuple[int, int]] = {}
        for pool, complaints, sent in cursor.fetchall():
            days[pool] = max(days.get(pool, (0, 1)), (complaints, int(sent)), key=_share)
    return {
        pool: Seen(*errors.get(pool, (0, 0)), days[pool][1], days[pool][0])
        if pool in days
        else Seen(*errors.get(pool, (0, 0)))
        for pool in {*errors, *days}
    }


def _share(day: tuple[int, int]) -> float:
    complaints, sent = day
    if complaints < breaker.FEWEST_COMPLAINTS:
        return 0.0
    return complaints / sent if sent else 1.0


def _errors_since(
    standing: Mapping[tuple[str, str], Stop], *, now: datetime
) -> dict[str, datetime]:
    """Count from the half-open moment, or from when it last closed, where that is nearer."""
    ended = _let_go("errors", now=now)
    window = now - breaker.WINDOW
    since = {pool: max(at, window) for pool, at in ended.items()}
    for (pool, cause), row in standing.items():
        if cause == "errors" and row.half_open_at is not None:
            since[pool] = row.half_open_at - timedelta(minutes=1)
    return since


def _let_go(cause: str, *, now: datetime) -> dict[str, datetime]:
    """Return when each pool was last let go after this cause: what came before is settled."""
    rows = Stop.objects.filter(cause=cause, warning=False, ended_at__gte=now - COMPLAINED)
    latest = rows.order_by("ended_at").values_list("pool", "ended_at")
    return {pool: at for pool, at in latest if at is not None}


def _make(pool: str, move: Move, row: Stop | None, *, now: datetime) -> None:
    if move.act == "half_open" and row is not None:
        Stop.objects.filter(pk=row.pk).update(half_open_at=now)
    elif row is not None:
        Stop.objects.filter(pk=row.pk).update(ended_at=now, ended_by=current().id)
    if move.act in ("stop", "warn"):
        Stop.objects.create(
            pool=pool,
            cause=move.cause,
            warning=move.act == "warn",
            tried=move.tried,
            bad=move.bad,
            began_at=now,
            began_by=current().id,
        )
    said = {"stop": "stopped", "warn": "warned", "half_open": "half_opened"}
    trail.record(
        f"sending.pool_{said.get(move.act, 'closed')}",
        subject=f"pool:{pool}",
        detail={"pool": pool, "cause": move.cause, "tried": move.tried, "bad": move.bad},
    )
