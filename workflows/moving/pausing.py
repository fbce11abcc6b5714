"""Pause, resume with a choice for what fell due meanwhile, and close with a choice for who is in.

A backlog never goes out by itself (PEERS, pain 5): whoever resumes sees how many are overdue at
which step, and decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from messaging import withdrawing
from workflows.brakes import tally
from workflows.models import Pause, Workflow
from workflows.moving import skipping
from workflows.moving.holding import pause

__all__ = ["Choice", "Overdue", "close", "overdue", "pause", "resume"]
Choice = Pause.Choice

_OVERDUE = """
select v.number, e.node, count(*) from workflows_enrolment e
join workflows_workflowversion v on v.id = e.version_id
where e.organisation_id = %s and e.workflow_id = %s and e.state = 'waiting' and e.due_at <= %s
group by 1, 2 order by 1, 2
"""
_SHIFT = """
update workflows_enrolment
set due_at = due_at + (%(now)s - %(since)s), arrived_at = arrived_at + (%(now)s - %(since)s)
where organisation_id = %(organisation)s and workflow_id = %(workflow)s and state = 'waiting'
  and due_at is not null
"""
_END = """
update workflows_enrolment
set state = 'stopped', outcome = 'stopped_by_staff', due_at = null, waiting_for = '', ended_at = %s
where organisation_id = %s and workflow_id = %s and state = 'waiting'
"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many wait at a step of a version whose time is over."""

    number: int
    node: str
    people: int


def overdue(workflow_id: UUID, *, now: datetime) -> list[Overdue]:
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, [tenancy.current(), workflow_id, now])
        return [Overdue(*row) for row in cursor.fetchall()]


@transaction.atomic
def resume(workflow_id: UUID, *, choice: str = Choice.SEND, now: datetime) -> bool:
    """Go on, after doing with what is overdue what was chosen; say whether it was paused."""
    found = Workflow.objects.select_for_update().filter(
        id=workflow_id, state=Workflow.State.PAUSED, live__isnull=False
    )
    if not found.exists():
        return False
    stood = Pause.objects.filter(workflow_id=workflow_id, resumed_at=None).first()
    people = sum(one.people for one in overdue(workflow_id, now=now))
    if choice == Choice.SHIFT and stood is not None:
        _shift(workflow_id, since=stood.paused_at, now=now)
    elif choice == Choice.SKIP:
        skipping.skip(workflow_id, now=now)
    if stood is not None:
        stood.resumed_at, stood.choice, stood.overdue = now, choice, people
        stood.save(update_fields=["resumed_at", "choice", "overdue"])
        if stood.why:
            tally.expect(workflow_id, max(people, stood.figure))  # they saw it, and go on
    Workflow.objects.filter(id=workflow_id).update(state=Workflow.State.LIVE, changed_at=now)
    trail.record(
        "workflow.resumed",
        subject=f"workflow:{workflow_id}",
        detail={"choice": choice, "count": people},
    )
    return True


def _shift(workflow_id: UUID, *, since: datetime, now: datetime) -> None:
    told: dict[str, Any] = {
        "organisation": tenancy.current(),
        "workflow": workflow_id,
        "since": since,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SHIFT, told)


@transaction.atomic
def close(workflow_id: UUID, *, end_inside: bool, now: datetime) -> int:
    """Take nobody in any more; with `end_inside` everybody inside leaves now and what waits to be
    sent is withdrawn. Return how many left."""
    found = Workflow.objects.select_for_update().get(id=workflow_id)
    ended = 0
    if end_inside:
        with connection.cursor() as cursor:
            cursor.execute(_END, [now, tenancy.current(), workflow_id])
            ended = int(cursor.rowcount)
        withdrawing.withdraw(workflow_id, code="workflow_closed", now=now)
    found.state = Workflow.State.CLOSED
    found.takes_present, found.changed_at = False, now
    found.save(update_fields=["state", "takes_present", "changed_at"])
    Pause.objects.filter(workflow_id=workflow_id, resumed_at=None).update(resumed_at=now)
    trail.record(
        "workflow.closed",
        subject=f"workflow:{workflow_id}",
        detail={"count": ended, "ended_inside": end_inside},
    )
    return ended
