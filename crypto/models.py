"""Wrapped keys. Nothing here opens without the root key, which is not in the database."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class State(models.TextChoices):
    """The states of a key (SP 800-57). Writing needs ACTIVE; reading ACTIVE or DEACTIVATED."""

    PRE_ACTIVE = "pre-active"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    DESTROYED = "destroyed"


class WrappedKey(models.Model):
    """What organisation keys and installation keys share."""

    version = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=State)
    wrapped = models.BinaryField()
    """Empty once destroyed."""
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    deactivated_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class OrganisationKey(WrappedKey):
    """`sealing` keys rotate; the one `index` key, on which blind indexes rest, does not."""

    class Purpose(models.TextChoices):
        SEALING = "sealing"
        INDEX = "index"

    organisation_id = models.IntegerField()
    purpose = models.CharField(max_length=10, choices=Purpose)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation_id", "purpose", "version"], name="organisation_key_version"
            ),
            models.UniqueConstraint(
                fields=["organisation_id", "purpose"],
                condition=models.Q(state="active"),
                name="organisation_key_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} key {self.version} of organisation {self.organisation_id}"

    def context(self) -> bytes:
        """Return what the wrapping is bound to."""
        return f"organisation {self.organisation_id} {self.purpose} {self.version}".encode()


class InstallationKey(WrappedKey):
    """Keys needed before the organisation is known: tokens, and the trail's signature."""

    class Purpose(models.TextChoices):
        TOKENS = "tokens"
        TRAIL = "trail"

    purpose = models.CharField(max_length=10, choices=Purpose)
    public = models.BinaryField(default=b"")
    """The public half, for keys that have one."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purpose", "version"], name="installation_key_version"),
            models.UniqueConstraint(
                fields=["purpose"],
                condition=models.Q(state="active"),
                name="installation_key_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} key {self.version}"

    def context(self) -> bytes:
        """Return what the wrapping is bound to."""
        return f"installation {self.purpose} {self.version}".encode()


class DataKey(models.Model):
    """One subject's key, wrapped by its organisation's sealing key. No row: shredded."""

    subject_id = models.BigIntegerField(primary_key=True)
    organisation_id = models.IntegerField()
    wrapped = models.BinaryField()

    def __str__(self) -> str:
        return f"data key of subject {self.subject_id}"
