"""Go on with a trail on another PostgreSQL server, whose transaction numbers begin anew.

After a logical restore, new entries carry small transaction numbers and would sort before the old
ones. So the old epoch is closed, its last entries sealed, and a new epoch begins, which sorts
behind it. Run while nothing else writes.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connections, transaction

from audit import anchor as anchors
from audit.anchor import Anchor
from audit.seal import BATCH_SIZE, catch_up, current_epoch, seal_next


def close_epoch(*, organisation_id: int, now: datetime, anchor: Anchor | None = None) -> int:
    """Seal every entry that is left, settled or not; return how many. Inside the scope."""
    outside, sealed = anchor or anchors.configured(), 0
    while True:
        with transaction.atomic():
            taken = seal_next(organisation_id, now=now, limit=BATCH_SIZE, closing=True)
        sealed += taken
        if not taken:
            catch_up(organisation_id, outside)
            return sealed


def begin_epoch() -> int:
    """Let new entries belong to the next epoch; return it. The owner of the tables does this."""
    epoch = current_epoch() + 1
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE audit_entry ALTER COLUMN epoch SET DEFAULT {epoch:d}")
    return epoch
