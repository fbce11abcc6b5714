"""What is known of receivers, the keys of people and of the organisation, and the policy."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.fields import SealedJSONField, SealedTextField
from crypto.ids import uuid7


class Receiver(TenantModel):
    """What we know of the mail servers of one domain that we write to, until `expires_at`.

    A small domain can name a person: it is sealed, and found by a keyed hash.
    """

    class Standing(models.TextChoices):
        WAITING = "waiting", "Not looked up yet"
        VERIFIED = "verified", "Verified TLS"
        UNVERIFIED = "unverified", "No verified TLS"
        DEFER = "defer", "Must wait"
        NO_MAIL = "no_mail", "Takes no mail"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.BinaryField()
    domain = SealedTextField()
    found = SealedJSONField(null=True)
    """What was seen (`messaging.protection.facts`), as plain values."""
    standing = models.CharField(max_length=12, choices=Standing, default=Standing.WAITING)
    because = models.CharField(max_length=40, blank=True, default="")
    looked_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    wanted_at = models.DateTimeField()
    """When something was last to be sent there; what nobody writes to is not looked up again."""
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "digest"], name="messaging_receiver_once"
            )
        ]
        indexes = [models.Index(fields=["organisation", "due_at"], name="messaging_receiver_due")]

    def __str__(self) -> str:
        return str(self.id)


class RecipientKey(TenantModel):
    """A certificate (S/MIME) or key (OpenPGP) that mail to one address is encrypted to.

    It belongs to the address (`address_hash`, as consent knows addresses); what it is stands
    sealed with the key of the contact for whom it was added, and goes with that.
    """

    class Kind(models.TextChoices):
        SMIME = "smime", "S/MIME certificate"
        PGP = "pgp", "OpenPGP key"

    class Source(models.TextChoices):
        STAFF = "staff", "Added by staff"
        API = "api", "Added by API"
        PORTAL = "portal", "Added by the person"
        MAIL = "mail", "Found on signed mail"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact_id = models.BigIntegerField()
    address_hash = models.BinaryField()
    kind = models.CharField(max_length=8, choices=Kind)
    source = models.CharField(max_length=8, choices=Source)
    material = models.BinaryField()
    expires_at = models.DateTimeField(null=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "address_hash", "kind"],
                name="messaging_recipient_key_once",
                condition=models.Q(removed_at=None),
            )
        ]
        indexes = [models.Index(fields=["contact_id"], name="messaging_recipient_key_of")]

    def __str__(self) -> str:
        return str(self.id)


class SigningKey(TenantModel):
    """What the organisation signs its encrypted mail with; the private part is sealed (W3)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=RecipientKey.Kind)
    public = models.TextField()
    """The certificate with its chain (PEM), or the OpenPGP certificate (armoured)."""
    private = SealedTextField()
    fingerprint = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind"],
                name="messaging_signing_key_once",
                condition=models.Q(retired_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.fingerprint


class ProtectionPolicy(TenantModel):
    """One version of the table of allowed ways; what weakens it waits for a second person."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Waits for approval"
        LIVE = "live", "In force"
        REFUSED = "refused", "Refused"
        REPLACED = "replaced", "Replaced"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveIntegerField()
    rows = models.JSONField()
    """`{"purpose", "classes", "ways"}` each (`messaging.protect.Rule`)."""
    state = models.CharField(max_length=10, choices=State)
    weakens = models.BooleanField()
    proposed_by = models.CharField(max_length=64)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=64, blank=True, default="")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "number"], name="messaging_protection_number"
            ),
            models.UniqueConstraint(
                fields=["organisation"],
                name="messaging_protection_live",
                condition=models.Q(state="live"),
            ),
        ]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"version {self.number}"
