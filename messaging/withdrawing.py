"""Take back what waits in the outbox for one source: a campaign that was cancelled."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from crypto.rows import binary_cursor
from messaging import claims

_WITHDRAW = """
UPDATE messaging_message SET state = 'cancelled', refusal_code = %b, permit = NULL
WHERE organisation_id = %b AND source = %b AND state IN ('queued', 'deferred', 'paused')
RETURNING id
"""
_WAITING = """
SELECT count(*) FROM messaging_message
WHERE organisation_id = %b AND source = ANY(%b::uuid[])
  AND state IN ('queued', 'deferred', 'paused')
"""


@transaction.atomic
def withdraw(source: UUID, *, code: str, now: datetime) -> int:
    """Cancel what is queued or deferred; return how many. What a worker holds goes its way."""
    with binary_cursor() as cursor:
        cursor.execute(_WITHDRAW, [code, tenancy.current(), source])
        ids = [row[0] for row in cursor.fetchall()]
    claims.note([(number, "cancelled", code) for number in ids], now=now)
    if ids:
        trail.record("message.cancelled", detail={"count": len(ids), "code": code})
    return len(ids)


def waiting(sources: Collection[UUID]) -> int:
    """Return how many messages of these sources are queued or deferred."""
    with binary_cursor() as cursor:
        cursor.execute(_WAITING, [tenancy.current(), list(sources)])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
