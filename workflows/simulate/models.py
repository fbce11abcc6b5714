"""What was simulated and what came of it, and what a workflow is tried with again and again."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Simulation(TenantModel):
    """One simulation: its plan, how far it is, and its result. Nothing else is ever written."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workflow = models.ForeignKey(
        "workflows.Workflow", on_delete=models.PROTECT, related_name="simulations"
    )
    number = models.PositiveIntegerField(null=True)
    """The version; empty for the draft, which stands in `graph` as it was."""
    graph = models.JSONField()
    plan = models.JSONField()
    promises = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    progress = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, default="")
    result = models.JSONField(default=dict)
    timelines = models.JSONField(default=list)
    """Of the first people: number, contact, outcome, lines."""
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.id)


class KeptSimulation(TenantModel):
    """The plan and the promises that a workflow is tried with by command."""

    workflow = models.OneToOneField(
        "workflows.Workflow", on_delete=models.PROTECT, related_name="kept", primary_key=True
    )
    plan = models.JSONField()
    promises = models.JSONField(default=list)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.workflow_id)
