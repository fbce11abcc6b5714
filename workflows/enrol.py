"""Let people in, many at once; who has been inside before stays where they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Least

from accounts import tenancy
from audit import trail
from contacts.segments.live import touches
from crypto.rows import binary_cursor, insert_rows
from workflows import objects, versions
from workflows.models import Enrolment, Workflow

COLUMNS = (
    "organisation_id", "workflow_id", "version_id", "contact_id", "occurrence", "state", "node",
    "entered_at", "arrived_at", "due_at",
)  # fmt: skip
TYPES = (
    "int4", "uuid", "uuid", "int8", "text", "text", "text",
    "timestamptz", "timestamptz", "timestamptz",
)  # fmt: skip
PACE = b"""
update workflows_enrolment e
set entered_at = a.comes_at, arrived_at = a.comes_at, due_at = a.comes_at
from (
    select n.id, l.hour + make_interval(hours => ((l.taken + n.place) / l.most)::int) as comes_at
    from (
        select w.id as workflow_id, w.most, date_trunc('hour', %b::timestamptz) as hour, (
            select count(*) from workflows_enrolment o
            where o.workflow_id = w.id and o.entered_at <> %b
              and o.entered_at >= date_trunc('hour', %b::timestamptz)
        ) as taken
        from unnest(%b::uuid[], %b::int8[]) as w (id, most)
    ) l
    join lateral (
        select id, row_number() over (order by id) - 1 as place from workflows_enrolment
        where workflow_id = l.workflow_id and entered_at = %b and state = 'waiting'
    ) n on n.place + l.taken >= l.most
) a
where e.id = a.id
"""
ONCE = "on conflict (workflow_id, contact_id, occurrence) do nothing"


class NotLive(ValueError):
    """The workflow takes nobody in: publish it, or resume it, first."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class NeedsObject(ValueError):
    """People come into this workflow once for each object: say in occurrence which it is."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def enrol(
    workflow_id: UUID,
    contact_ids: Collection[int],
    *,
    occurrence: str = "",
    object_at: datetime | None = None,
    by: str = "api",
    now: datetime,
) -> int:
    """Let these contacts in by name; return how many were not inside before.

    `occurrence` tells apart the times that one person goes this way, e.g. an appointment's id;
    the same occurrence never lets a person in twice. `object_at` is that object's moment; said
    again, it moves the timers of whoever is inside for it.
    """
    with transaction.atomic():
        workflow = Workflow.objects.select_related("live").get(id=workflow_id)
        if workflow.state != Workflow.State.LIVE or workflow.live is None:
            raise NotLive
        version = versions.of_row(workflow.live)
        if version.graph.trigger.key and not occurrence:
            raise NeedsObject
        known = [one for one in contact_ids if one >> 40 == tenancy.current()]
        entered = insert_people(version, [(one, occurrence) for one in known], now=now)
        if object_at is not None:
            _move(version, known, occurrence, object_at, now=now)
        told: dict[str, int | str] = {
            "count": entered,
            "version": workflow.live.number,
            "trigger": by,
        }
        trail.record("workflow.enrolled", subject=f"workflow:{workflow_id}", detail=told)
    return entered


def _move(
    version: versions.Published,
    contact_ids: Collection[int],
    occurrence: str,
    object_at: datetime,
    *,
    now: datetime,
) -> None:
    if version.graph.trigger.key:
        occurrence = objects.occurrence(version.workflow_id, occurrence)
    inside = Enrolment.objects.filter(
        workflow_id=version.workflow_id,
        contact_id__in=contact_ids,
        occurrence=occurrence,
        state=Enrolment.State.WAITING,
    )
    stale = Q(object_at=None) | ~Q(object_at=object_at)
    inside.filter(stale).update(
        object_at=object_at, object_told_at=now, due_at=Least("due_at", Value(now))
    )


def pass_on(workflow_id: UUID, contact_ids: Collection[int], *, now: datetime) -> int:
    """Let in who comes from another workflow; nobody, while this one takes nobody in."""
    try:
        return enrol(workflow_id, contact_ids, now=now)
    except (NotLive, NeedsObject):
        return 0


def insert_people(
    version: versions.Published, people: Collection[tuple[int, str]], *, now: datetime
) -> int:
    """Write the enrolments of (contact, occurrence) that are not there yet."""
    organisation_id = tenancy.current()
    if version.graph.trigger.key:
        people = [(one, objects.occurrence(version.workflow_id, of)) for one, of in people if of]
    if touches.asked("journey"):
        touches.touch({contact_id for contact_id, _ in people}, "journey", now=now)
    entered = insert_rows(
        "workflows_enrolment",
        COLUMNS,
        TYPES,
        (
            (organisation_id, version.workflow_id, version.id, contact_id, occurrence, "waiting",
             version.first, now, now, now)
            for contact_id, occurrence in people
        ),
        after=ONCE,
    )  # fmt: skip
    if entered:
        pace([version], now=now)
    return entered


def pace(published: Sequence[versions.Published], *, now: datetime) -> None:
    """Let those who came in now and are too many for this hour come in by one of the next."""
    limited = [one for one in published if one.graph.trigger.per_hour]
    if not limited:
        return
    ids, most = (
        [one.workflow_id for one in limited],
        [one.graph.trigger.per_hour for one in limited],
    )
    with binary_cursor() as cursor:
        cursor.execute(PACE, [now, now, now, ids, most, now])


def overflow(workflow_id: UUID, *, now: datetime) -> int:
    """Return how many wait to come in because of the limit per hour."""
    late = Enrolment.objects.filter(workflow_id=workflow_id, state=Enrolment.State.WAITING)
    return late.filter(entered_at__gt=now).count()
