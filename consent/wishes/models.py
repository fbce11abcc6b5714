"""What people asked of us besides yes and no. Rows end, once, and are never rewritten."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


def _codes() -> ArrayField[list[str], list[str]]:
    return ArrayField(models.CharField(max_length=32), default=list, blank=True)


class Restriction(TenantModel):
    """A use that we agreed to leave (164.522(a)); what is left empty means all of its kind."""

    class Ending(models.TextChoices):
        AGREEMENT = "agreement", "The person agreed"
        NOTICE = "notice", "By notice: binds what is known from before"

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField()
    purposes = _codes()
    classes = _codes()
    channels = _codes()
    received_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_how = models.CharField(max_length=16, choices=Ending, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["contact_id"], name="consent_restriction_of")]

    def __str__(self) -> str:
        return str(self.id)


class ConfidentialRequest(TenantModel):
    """Another address or channel for some messages (164.522(b)); no reason is asked for."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField()
    category = models.CharField(max_length=32, blank=True)
    """A data class, a label or a purpose; empty means every message."""
    channel = models.CharField(max_length=16, blank=True)
    received_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["contact_id"],
                name="consent_confidential_of",
                condition=models.Q(ended_at=None),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def topic(self) -> str:
        """What the ledger's entry names."""
        return self.category


class PlainPreference(TenantModel):
    """A person's wish for unencrypted messages by one channel, after the warning in these words."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField()
    channel = models.CharField(max_length=16)
    warning = models.ForeignKey("consent.FormVersion", on_delete=models.PROTECT)
    received_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["contact_id"], name="consent_plain_of", condition=models.Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class Part2Consent(TenantModel):
    """A consent under 42 CFR 2.31 for substance use records; no authorization stands in for it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField()
    purposes = _codes()
    """Empty: treatment, payment and operations, also in future; never marketing."""
    form_version = models.ForeignKey("consent.FormVersion", on_delete=models.PROTECT, null=True)
    signed_at = models.DateTimeField()
    expires_on = models.DateField(null=True)
    zone = models.CharField(max_length=64, default="UTC")
    received_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["contact_id"], name="consent_part2_of")]

    def __str__(self) -> str:
        return str(self.id)
