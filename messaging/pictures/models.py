"""A picture as it is shown: made anew from what was uploaded, without anything hidden in it."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Picture(TenantModel):
    """Never changed: mails that were sent show it for as long as they lie in somebody's inbox."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=4)
    """`png`, `jpeg` or `gif`: what every mail program shows."""
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    alt = models.CharField(max_length=250, blank=True)
    """The words that stand for it; empty where it only adorns."""
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    uploaded_by = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)
    """Not offered any more; mails that show it still do."""

    class Meta:
        ordering = ["-uploaded_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "sha256", "alt"], name="messaging_picture_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
