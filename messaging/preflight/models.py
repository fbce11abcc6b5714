"""What the last look at a sending domain found."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class DomainCheck(TenantModel):
    """One look at one domain; the latest counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    domain = models.CharField(max_length=253)
    passes = models.BooleanField()
    findings = models.JSONField()
    checked_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["organisation", "domain", "-checked_at"], name="messaging_domain_checked"
            )
        ]

    def __str__(self) -> str:
        return self.domain
