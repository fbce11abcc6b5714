"""Goals and stops: what is heard of people inside, and counts, carries on, or ends their way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crypto.rows import binary_cursor
from workflows import objects
from workflows.opened import Opened
from workflows.versions import Published, load

INSIDE = b"""
select distinct e.version_id from heard h
join workflows_enrolment e on e.contact_id = h.contact_id and e.state = 'waiting'
"""
HEARD_OF = """
select e.id, l.node, l.kind from heard h
join unnest(%b::uuid[], %b::text[], %b::uuid[], %b::text[]) as l (version_id, kind, about, node)
    on l.kind = h.kind and (l.about is null or l.about = h.campaign)
join workflows_enrolment e on e.contact_id = h.contact_id and e.state = 'waiting'
    and e.version_id = l.version_id
where not h.machine and h.occurred_at >= e.entered_at
"""
OF_OBJECTS = """
select e.id, l.node, l.kind
from unnest(%b::uuid[], %b::int8[], %b::text[], %b::timestamptz[], %b::text[], %b::text[])
    as l (version_id, contact_id, occurrence, occurred_at, node, kind)
join workflows_enrolment e on e.contact_id = l.contact_id and e.state = 'waiting'
    and e.version_id = l.version_id and e.occurrence = l.occurrence
where e.object_told_at is null or l.occurred_at >= e.object_told_at
"""
REACH = """
update workflows_enrolment e
set reached = e.reached || a.nodes::varchar[], due_at = least(e.due_at, %b)
from (
    select id, array_agg(distinct node) as nodes
    from unnest(%b::int8[], %b::text[]) as u (id, node) group by id
) a
where e.id = a.id and e.state = 'waiting'
"""
STOP = """
update workflows_enrolment e
set state = 'stopped', outcome = 'stopped:' || left(a.kind, 56), due_at = null, waiting_for = '',
    reached = '{}', ended_at = %b
from unnest(%b::int8[], %b::text[]) as a (id, kind)
where e.id = a.id and e.state = 'waiting'
"""


@dataclass(frozen=True, slots=True)
class _Listener:
    """One kind of event that a version listens for; no node where it ends the way at once."""

    version: Published
    kind: str
    about: UUID | None = None
    node: str = ""

    @property
    def of_object(self) -> bool:
        return bool(self.version.graph.trigger.key) and objects.is_about_one(self.kind)


def inside() -> list[Published]:
    """Return the versions in which the people of the events in hand are."""
    with binary_cursor() as cursor:
        cursor.execute(INSIDE)
        found = {version_id for (version_id,) in cursor.fetchall()}
    return list(load(found).values())


def apply(published: Collection[Published], events: Sequence[Opened], *, now: datetime) -> int:
    """Note the goals that were reached, end what is to end; return how many ways were ended."""
    listeners = [one for version in published for one in _listeners(version)]
    if not listeners:
        return 0
    personal = [one for one in listeners if not one.of_object]
    found = _heard_of(personal) if personal else []
    found += _of_objects([one for one in listeners if one.of_object], events)
    ended = {id_: kind for id_, node, kind in found if not node}
    reached = [(id_, node) for id_, node, _ in found if node and id_ not in ended]
    with binary_cursor() as cursor:
        if reached:
            ids, nodes = [id_ for id_, _ in reached], [node for _, node in reached]
            cursor.execute(REACH.encode(), [now, ids, nodes])
        if ended:
            cursor.execute(STOP.encode(), [now, list(ended), list(ended.values())])
    return len(ended)


def _listeners(version: Published) -> Iterator[_Listener]:
    trigger = version.graph.trigger
    for goal in version.graph.goals():
        yield _Listener(version, goal.event, goal.segment, goal.id)
    for kind in trigger.stops:
        yield _Listener(version, kind)
    if trigger.stays:
        yield _Listener(version, "segment.left", trigger.segment)
    if trigger.during:
        yield _Listener(version, "segment.left", trigger.during)


def _heard_of(listeners: Sequence[_Listener]) -> list[tuple[int, str, str]]:
    with binary_cursor() as cursor:
        cursor.execute(
            HEARD_OF.encode(),
            [
                [one.version.id for one in listeners],
                [one.kind for one in listeners],
                [one.about for one in listeners],
                [one.node for one in listeners],
            ],
        )
        return [(int(id_), str(node), str(kind)) for id_, node, kind in cursor.fetchall()]


def _of_objects(
    listeners: Sequence[_Listener], events: Sequence[Opened]
) -> list[tuple[int, str, str]]:
    """An event that names no object says nothing of any."""
    asked = [
        (one.version.id, event.contact_id, objects.occurrence(one.version.workflow_id, key),
         event.happening.at, one.node, one.kind)
        for one in listeners
        for event in events
        if event.happening.kind == one.kind and (key := event.value(one.version.graph.trigger.key))
    ]  # fmt: skip
    if not asked:
        return []
    with binary_cursor() as cursor:
        cursor.execute(OF_OBJECTS.encode(), [list(column) for column in zip(*asked, strict=True)])
        return [(int(id_), str(node), str(kind)) for id_, node, kind in cursor.fetchall()]
