"""The rows of calls, as the runner opens and reads them: set-based, like tasks for staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts import tenancy
from crypto.rows import binary_cursor
from workflows.asks import CallIs

OPEN = b"""
insert into workflows_webhookcall
    (organisation_id, key, enrolment_id, workflow_id, endpoint_id, node, state, reply, reason,
     status, attempts, opened_at, due_at, deadline)
select %b, gen_random_uuid(), a.enrolment_id, a.workflow_id, a.endpoint_id, a.node, 'open', 0, '',
       0, 0, %b, %b, a.deadline
from unnest(%b::int8[], %b::uuid[], %b::uuid[], %b::text[], %b::timestamptz[])
    as a (enrolment_id, workflow_id, endpoint_id, node, deadline)
on conflict (enrolment_id, node) do nothing
"""
READ = b"""
select c.enrolment_id, c.node, c.state, c.reply from workflows_webhookcall c
join unnest(%b::int8[], %b::text[]) as a (enrolment_id, node)
    on a.enrolment_id = c.enrolment_id and a.node = c.node
for update of c
"""
"""Locked, so that an answer which comes at this moment finds the call open or closed, not both."""
CLOSE = b"""
update workflows_webhookcall c set state = 'failed', reason = 'time_over', ended_at = %b
from unnest(%b::int8[], %b::text[]) as a (enrolment_id, node)
where c.enrolment_id = a.enrolment_id and c.node = a.node and c.state = 'open'
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call that a step asks for."""

    enrolment_id: int
    workflow_id: UUID
    endpoint_id: UUID
    node: str
    deadline: datetime


def open_or_read(wanted: Sequence[Wanted], *, now: datetime) -> Mapping[tuple[int, str], CallIs]:
    """Open the calls that are not there yet; return what became of each.

    One whose time is over is closed here: an answer that comes later changes nothing.
    """
    ids, nodes = [one.enrolment_id for one in wanted], [one.node for one in wanted]
    with binary_cursor() as cursor:
        cursor.execute(
            OPEN,
            [
                tenancy.current(),
                now,
                now,
                ids,
                [one.workflow_id for one in wanted],
                [one.endpoint_id for one in wanted],
                nodes,
                [one.deadline for one in wanted],
            ],
        )
        cursor.execute(READ, [ids, nodes])
        found = {(id_, node): CallIs(state, reply) for id_, node, state, reply in cursor.fetchall()}
        over = [
            one
            for one in wanted
            if now >= one.deadline and found[one.enrolment_id, one.node].state == "open"
        ]
        if over:
            late = [[one.enrolment_id for one in over], [one.node for one in over]]
            cursor.execute(CLOSE, [now, *late])
    return found
