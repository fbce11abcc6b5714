"""Versions of the notice, who got one, and samples that were drawn for audits."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Notice(TenantModel):
    """A version of the Notice of Privacy Practices; its words are a text like those people sign."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid7)
    text = models.OneToOneField("consent.FormVersion", on_delete=models.PROTECT)
    effective_on = models.DateField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class NoticeReceipt(TenantModel):
    """That a person got a version of the notice, and whether that was acknowledged."""

    append_only = True

    class Kind(models.TextChoices):
        DELIVERED = "delivered", "Delivered"
        ACKNOWLEDGED = "acknowledged", "Acknowledged in writing"
        NOT_OBTAINED = "not_obtained", "Asked for, not obtained"

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField()
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT)
    kind = models.CharField(max_length=16, choices=Kind)
    received_by = models.CharField(max_length=32)
    given_on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["contact_id"], name="consent_notice_of")]

    def __str__(self) -> str:
        return str(self.id)


class AuditSample(TenantModel):
    """A random sample of authorizations: what it takes to draw the very same one again."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid7)
    seed = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    population = models.PositiveIntegerField()
    filters = models.JSONField(default=dict)
    sha256 = models.BinaryField()
    """Of the ids that were drawn, in their order."""
    drawn_by = models.CharField(max_length=64)
    drawn_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)
