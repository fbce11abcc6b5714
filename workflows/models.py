"""Workflows, their published versions, who is inside, and every step that anybody passed."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts import tenancy
from accounts.tenancy import TenantModel
from crypto.ids import uuid7


def _of_organisation() -> Any:
    """The organisation of a hot row: no constraint to check and no index of its own."""
    return models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
        default=tenancy.current,
    )


class Workflow(TenantModel):
    """A journey that staff work on: its name, its draft, and the version that takes people in."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        LIVE = "live", "Live"
        PAUSED = "paused", "Paused"
        CLOSED = "closed", "Closed to newcomers"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    draft = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    live = models.ForeignKey(
        "workflows.WorkflowVersion", on_delete=models.PROTECT, null=True, related_name="+"
    )
    listens_to = models.CharField(max_length=60, blank=True, default="")
    """The kind of contact event that lets people in; empty where only calls do."""
    listens_about = models.UUIDField(null=True)
    """The segment that the event must be about."""
    lets_in_each = models.BooleanField(default=False)
    takes_present = models.BooleanField(default=False)
    """The people who are in the segment already are still to be let in."""
    comes_at = models.DateTimeField(null=True)
    """When everybody in the trigger's segment is let in next, by its rule."""
    expects = models.PositiveIntegerField(default=0)
    """So many within an hour are no surprise (`workflows.brakes`)."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="workflows_slug")
        ]

    def __str__(self) -> str:
        return self.name


class WorkflowVersion(TenantModel):
    """What was published, for good: the database refuses to change a row (migration 0001)."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    graph = models.JSONField()
    templates = models.JSONField()
    """The template version that each send step is pinned to."""
    path_classes = models.JSONField()
    """What a message of each step says of the person by the way that led to it."""
    published_by = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="workflows_version_number")
        ]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.workflow_id} version {self.number}"


class Enrolment(models.Model):
    """One person's way through one version; the row is the place, the moves are the history."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        STOPPED = "stopped"

    id = models.BigAutoField(primary_key=True)
    organisation = _of_organisation()
    workflow_id = models.UUIDField()
    version_id = models.UUIDField()
    contact_id = models.BigIntegerField()
    occurrence = models.CharField(max_length=64, default="")
    """Empty where a person goes this way once; else what let the person in this time."""
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    node = models.CharField(max_length=40)
    path = ArrayField(models.CharField(max_length=40), default=list)
    entered_at = models.DateTimeField()
    arrived_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    waiting_for = models.CharField(max_length=60, default="")
    reached = ArrayField(models.CharField(max_length=40), default=list, db_default=[])
    """Goals that were reached and are not taken in yet."""
    object_at = models.DateTimeField(null=True)
    """The moment of the business object that this way is about, such as an appointment."""
    object_told_at = models.DateTimeField(null=True)
    """When the event occurred that said so: what an earlier one says comes too late."""
    outcome = models.CharField(max_length=64, default="")
    """Why it is over: finished, refused:<code>, deceased, or what stopped it."""
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workflow_id", "contact_id", "occurrence"], name="workflows_enrolment_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "due_at"],
                name="workflows_enrolment_due",
                condition=models.Q(state="waiting"),
            ),
            models.Index(
                fields=["contact_id"],
                name="workflows_enrolment_of",
                condition=models.Q(state="waiting"),
            ),
            models.Index(fields=["version_id", "node"], name="workflows_enrolment_place"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Move(models.Model):
    """One step that one person left behind; a step is left at most once."""

    append_only = True

    pk = models.CompositePrimaryKey("enrolment_id", "node")
    organisation = _of_organisation()
    enrolment_id = models.BigIntegerField()
    version_id = models.UUIDField()
    node = models.CharField(max_length=40)
    way = models.CharField(max_length=8)
    arrived_at = models.DateTimeField()
    left_at = models.DateTimeField()
    message_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.enrolment_id} {self.node}"


class Cursor(models.Model):
    """How far the organisation's contact events were taken in."""

    organisation = models.OneToOneField(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
        default=tenancy.current,
    )
    txid = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.pk)


from workflows.brakes.models import Brakes, Tally  # noqa: E402
from workflows.contests.models import ContestVerdict  # noqa: E402
from workflows.moving.models import Pause, VersionMigration  # noqa: E402
from workflows.simulate.models import KeptSimulation, Simulation  # noqa: E402
from workflows.staff_tasks.models import StaffTask  # noqa: E402
from workflows.webhooks.models import Endpoint, WebhookCall  # noqa: E402
from workflows.writing_back.models import (  # noqa: E402
    WriteBack,
    WriteBackReader,
    WriteBackReceiver,
    WriteBackSetAside,
)

__all__ = [
    "Brakes",
    "ContestVerdict",
    "Cursor",
    "Endpoint",
    "Enrolment",
    "KeptSimulation",
    "Move",
    "Pause",
    "Simulation",
    "StaffTask",
    "Tally",
    "VersionMigration",
    "WebhookCall",
    "Workflow",
    "WorkflowVersion",
    "WriteBack",
    "WriteBackReader",
    "WriteBackReceiver",
    "WriteBackSetAside",
]
