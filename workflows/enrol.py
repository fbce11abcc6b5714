"""Let people in, many at once; who has been inside before stays where they are."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from contacts.segments.live import touches
from crypto.rows import insert_rows
from workflows import versions
from workflows.models import Workflow

COLUMNS = (
    "organisation_id", "workflow_id", "version_id", "contact_id", "occurrence", "state", "node",
    "entered_at", "arrived_at", "due_at",
)  # fmt: skip
TYPES = (
    "int4", "uuid", "uuid", "int8", "text", "text", "text",
    "timestamptz", "timestamptz", "timestamptz",
)  # fmt: skip
ONCE = "on conflict (workflow_id, contact_id, occurrence) do nothing"


class NotLive(ValueError):
    """The workflow takes nobody in: publish it, or resume it, first."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def enrol(
    workflow_id: UUID, contact_ids: Collection[int], *, occurrence: str = "", now: datetime
) -> int:
    """Let these contacts in by name; return how many were not inside before.

    `occurrence` tells apart the times that one person goes this way, e.g. an appointment's id;
    the same occurrence never lets a person in twice.
    """
    with transaction.atomic():
        workflow = Workflow.objects.select_related("live").get(id=workflow_id)
        if workflow.state != Workflow.State.LIVE or workflow.live is None:
            raise NotLive
        version = versions.of_row(workflow.live)
        known = [one for one in contact_ids if one >> 40 == tenancy.current()]
        entered = insert_people(version, [(one, occurrence) for one in known], now=now)
        told: dict[str, int | str] = {
            "count": entered,
            "version": workflow.live.number,
            "trigger": "api",
        }
        trail.record("workflow.enrolled", subject=f"workflow:{workflow_id}", detail=told)
    return entered


def pass_on(workflow_id: UUID, contact_ids: Collection[int], *, now: datetime) -> int:
    """Let in who comes from another workflow; nobody, while this one takes nobody in."""
    try:
        return enrol(workflow_id, contact_ids, now=now)
    except NotLive:
        return 0


def insert_people(
    version: versions.Published, people: Collection[tuple[int, str]], *, now: datetime
) -> int:
    """Write the enrolments of (contact, occurrence) that are not there yet."""
    organisation_id = tenancy.current()
    if touches.asked("journey"):
        touches.touch({contact_id for contact_id, _ in people}, "journey", now=now)
    return insert_rows(
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
