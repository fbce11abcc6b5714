"""How the contest between the arms of a split was decided."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class ContestVerdict(TenantModel):
    """Written once for a split of a version; without a winner the lots go on."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version_id = models.UUIDField()
    node = models.CharField(max_length=40)
    winner = models.CharField(max_length=8, blank=True, default="")
    why = models.CharField(max_length=200)
    counts = models.JSONField()
    """For each arm that took part: how many were drawn, how many had the event in time."""
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version_id", "node"], name="workflows_contest_once")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.node}"
