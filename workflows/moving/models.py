"""What was done to people inside a workflow by staff: migrations between versions, and pauses."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class VersionMigration(TenantModel):
    """People went from one version to another by this map. Written once, with what it did."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workflow = models.ForeignKey(
        "workflows.Workflow", on_delete=models.PROTECT, related_name="migrations"
    )
    from_number = models.PositiveIntegerField()
    to_number = models.PositiveIntegerField()
    mapping = models.JSONField()
    """From step to step; `leave` and `stay` are answers too."""
    counts = models.JSONField()
    """By step of the earlier version: how many moved, stayed and left."""
    by = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return str(self.id)


class Pause(TenantModel):
    """A workflow stood still, and what staff chose for what fell due meanwhile."""

    class Choice(models.TextChoices):
        SEND = "send", "Send what is overdue"
        SKIP = "skip", "Skip the overdue messages"
        SHIFT = "shift", "Put everything off by the length of the pause"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workflow = models.ForeignKey(
        "workflows.Workflow", on_delete=models.PROTECT, related_name="pauses"
    )
    paused_at = models.DateTimeField()
    paused_by = models.CharField(max_length=64)
    why = models.CharField(max_length=40, blank=True, default="")
    """The code of the brake that stopped it, where that was not a person."""
    figure = models.PositiveIntegerField(default=0)
    """How many came in, or how many messages were asked for, within the hour."""
    most = models.PositiveIntegerField(default=0)
    """How many of them may be."""
    resumed_at = models.DateTimeField(null=True)
    choice = models.CharField(max_length=5, choices=Choice, blank=True, default="")
    overdue = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-paused_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow"],
                condition=models.Q(resumed_at=None),
                name="workflows_one_open_pause",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
