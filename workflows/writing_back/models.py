"""What a workflow tells the record of care."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel


class WriteBack(TenantModel):
    """One thing told of one person; `position` is its place in the feed, once it is released."""

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(unique=True)
    position = models.BigIntegerField(null=True)
    enrolment_id = models.BigIntegerField()
    version_id = models.UUIDField()
    contact_id = models.BigIntegerField()
    node = models.CharField(max_length=40)
    event = models.CharField(max_length=60)
    about = models.CharField(max_length=40, blank=True, default="")
    """The send step whose message it is about."""
    message_id = models.BigIntegerField(null=True)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment_id", "node"], name="workflows_write_back_once"
            ),
            models.UniqueConstraint(
                fields=["organisation", "position"], name="workflows_write_back_place"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "id"],
                name="workflows_write_back_new",
                condition=models.Q(position=None),
            )
        ]

    def __str__(self) -> str:
        return str(self.key)
