"""Nobody who was erased goes any further: their ways stop in the erasing transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from audit import trail
from crypto.rows import binary_cursor
from workflows import staff_tasks
from workflows.models import Enrolment

OUTCOME = "erased"
_STOP = """
UPDATE workflows_enrolment
SET state = 'stopped', outcome = %b, due_at = NULL, waiting_for = '', ended_at = %b
WHERE contact_id = ANY(%b::int8[]) AND state = 'waiting' RETURNING id, node
"""


def forget(contact_ids: Sequence[int], now: datetime) -> None:
    """Stop the ways of these people, and close what staff were asked to do for them."""
    with binary_cursor() as cursor:
        cursor.execute(_STOP.encode(), [OUTCOME, now, list(contact_ids)])
        stopped = [(number, node) for number, node in cursor.fetchall()]
    staff_tasks.close(stopped, now=now)
    if stopped:
        trail.record("workflow.removed", detail={"count": len(stopped), "reason": OUTCOME})


def gone(contact_ids: Sequence[int]) -> dict[str, int]:
    """Count the ways that erasing these people stops."""
    waiting = Enrolment.objects.filter(contact_id__in=contact_ids, state=Enrolment.State.WAITING)
    return {"journeys": waiting.count()}
