"""Consents that another system sent."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class ImportedConsent(TenantModel):
    """One version of a Consent from elsewhere, and what became of it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    source = models.CharField(max_length=60)
    number = models.CharField(max_length=64)
    """Its id over there."""
    sha256 = models.BinaryField()
    contact_id = models.BigIntegerField()
    authorizations = ArrayField(models.UUIDField(), default=list)
    denied = ArrayField(models.CharField(max_length=32, blank=True), default=list)
    faults = ArrayField(models.CharField(max_length=120), default=list)
    """Elements that were not understood, never their values."""
    received_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "source", "number"],
                condition=models.Q(superseded_at=None),
                name="consent_imported_once",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
