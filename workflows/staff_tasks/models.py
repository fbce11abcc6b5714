"""What a workflow asks of staff, and what became of it."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel


class StaffTask(TenantModel):
    """One thing to do for one person at one step; the step waits for what became of it."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        FAILED = "failed", "Not done"
        OVERDUE = "overdue", "Time over"

    id = models.BigAutoField(primary_key=True)
    enrolment_id = models.BigIntegerField()
    workflow_id = models.UUIDField()
    contact_id = models.BigIntegerField()
    node = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment_id", "node"], name="workflows_staff_task_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "due_at", "id"],
                name="workflows_staff_task_open",
                condition=models.Q(state="open"),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
