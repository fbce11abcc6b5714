"""Tasks for staff: opened by a step, ended by a person, or over with the step's time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts import tenancy
from audit import actor, trail
from crypto.rows import binary_cursor
from workflows import versions

OPEN = """
insert into workflows_stafftask
    (organisation_id, enrolment_id, workflow_id, contact_id, node, title, state, opened_at, due_at,
     ended_by)
select %b, a.enrolment_id, a.workflow_id, a.contact_id, a.node, a.title, 'open', %b, a.due_at, ''
from unnest(%b::int8[], %b::uuid[], %b::int8[], %b::text[], %b::text[], %b::timestamptz[])
    as a (enrolment_id, workflow_id, contact_id, node, title, due_at)
on conflict (enrolment_id, node) do nothing
"""
READ = """
select t.enrolment_id, t.node, t.state from workflows_stafftask t
join unnest(%b::int8[], %b::text[]) as a (enrolment_id, node)
    on a.enrolment_id = t.enrolment_id and a.node = t.node
"""
END = """
update workflows_stafftask set state = %s, ended_at = %s, ended_by = %s
where id = %s and state = 'open' returning enrolment_id, node
"""
WAKE = """
update workflows_enrolment set due_at = least(due_at, %s)
where id = %s and node = %s and state = 'waiting'
"""
CLOSE = b"""
update workflows_stafftask t set state = 'overdue', ended_at = %b
from unnest(%b::int8[], %b::text[]) as a (enrolment_id, node)
where t.enrolment_id = a.enrolment_id and t.node = a.node and t.state = 'open'
"""


_ASKED = """
from workflows_stafftask t
join workflows_enrolment e on e.id = t.enrolment_id and e.state = 'waiting' and e.node = t.node
"""
PLACES = f"select distinct e.version_id, t.node {_ASKED} where t.state = 'open'".encode()
LIST = f"""
select t.id, t.title, t.due_at, t.workflow_id, w.name, c.public_id {_ASKED}
join unnest(%b::uuid[], %b::text[]) as p (version_id, node)
    on p.version_id = e.version_id and p.node = t.node
join workflows_workflow w on w.id = t.workflow_id
join contacts_contact c on c.id = e.contact_id
where t.state = 'open' and (t.due_at, t.id) > (
    coalesce((select due_at from workflows_stafftask where id = %b), '-infinity'), %b
)
order by t.due_at, t.id limit %b
""".encode()
VERSION = b"""
select e.version_id, t.node from workflows_stafftask t
join workflows_enrolment e on e.id = t.enrolment_id where t.id = %b
"""


@dataclass(frozen=True, slots=True)
class Open:
    """A task as staff see it."""

    id: int
    title: str
    due_at: datetime
    workflow_id: UUID
    workflow: str
    public_id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that a step asks of staff."""

    enrolment_id: int
    workflow_id: UUID
    contact_id: int
    node: str
    title: str
    due_at: datetime


def open_or_read(wanted: Sequence[Wanted], *, now: datetime) -> Mapping[tuple[int, str], str]:
    """Open the tasks that are not there yet; return the state of each."""
    ids, nodes = [one.enrolment_id for one in wanted], [one.node for one in wanted]
    with binary_cursor() as cursor:
        cursor.execute(
            OPEN.encode(),
            [
                tenancy.current(),
                now,
                ids,
                [one.workflow_id for one in wanted],
                [one.contact_id for one in wanted],
                nodes,
                [one.title for one in wanted],
                [one.due_at for one in wanted],
            ],
        )
        cursor.execute(READ.encode(), [ids, nodes])
        return {(enrolment_id, node): state for enrolment_id, node, state in cursor.fetchall()}


def end(task_id: int, *, outcome: str, now: datetime) -> bool:
    """Say what became of a task, once; whoever waits for it goes on. False: it was over before."""
    if outcome not in ("done", "failed"):
        raise ValueError("A task ends as done or as failed.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(END, [outcome, now, actor.current().id, task_id])
        row = cursor.fetchone()
        if row is None:
            return False
        cursor.execute(WAKE, [now, *row])
        trail.record("workflow.task_ended", subject=f"task:{task_id}", detail={"outcome": outcome})
    return True


def close(enrolments: Sequence[tuple[int, str]], *, now: datetime) -> None:
    """Close the tasks of steps that people have left by another way than by them."""
    with binary_cursor() as cursor:
        cursor.execute(
            CLOSE, [now, [one for one, _ in enrolments], [node for _, node in enrolments]]
        )


def open_for(
    granted: Collection[str], *, after: int = 0, limit: int = 50
) -> tuple[list[Open], bool]:
    """Return open tasks of steps whose way says nothing beyond what is granted, by urgency.

    To be at a step says what the way there asked (W8). The second value: there are others.
    """
    with binary_cursor() as cursor:
        cursor.execute(PLACES)
        places = cursor.fetchall()
        known = versions.load({version_id for version_id, _ in places})
        seen = [
            (version_id, node)
            for version_id, node in places
            if known[version_id].path_classes.get(node, frozenset()) <= set(granted)
        ]
        given = [[version_id for version_id, _ in seen], [node for _, node in seen]]
        cursor.execute(LIST, [*given, after, after, limit])
        found = [Open(*row) for row in cursor.fetchall()]
    return found, len(seen) < len(places)


def classes_of(task_id: int) -> frozenset[str] | None:
    """Return what the task says of its person; None where there is no such task."""
    with binary_cursor() as cursor:
        cursor.execute(VERSION, [task_id])
        row = cursor.fetchone()
    if row is None:
        return None
    version_id, node = row
    return versions.load([version_id])[version_id].path_classes.get(node, frozenset())
