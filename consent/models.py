"""What people agreed to and refused. Rows here outlive the contact and are never rewritten.

`Entry` is the ledger; the other tables say what stands now and are written in the same transaction
by `consent.ledger` and `consent.suppression` only. The database refuses to delete from any of them,
and to update anything but the one moment at which a row stops standing (migration 0001).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Entry(TenantModel):
    """One act of consent or refusal, as it was received."""

    append_only = True

    class Kind(models.TextChoices):
        AUTHORIZED = "authorized"
        REVOKED = "revoked"
        OPTED_OUT = "opted_out"
        OPTED_IN = "opted_in"
        SUPPRESSED = "suppressed"
        RELEASED = "released"
        RESTRICTED = "restricted"
        UNRESTRICTED = "unrestricted"
        CONFIDENTIAL = "confidential", "Confidential communications"
        NOT_CONFIDENTIAL = "confidential_end", "Confidential communications ended"
        PLAIN_AGREED = "plain_agreed", "Unencrypted messages agreed"
        PLAIN_ENDED = "plain_ended", "Unencrypted messages ended"
        PART2_SIGNED = "part2_signed", "Part 2 consent"
        PART2_REVOKED = "part2_revoked", "Part 2 consent withdrawn"
        CHOSE = "chose", "Chose how often, which language, no sale"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind)
    contact_id = models.BigIntegerField(null=True)
    address_hash = models.BinaryField(null=True)
    concerns = models.UUIDField()
    channel = models.CharField(max_length=16, blank=True)
    purpose = models.CharField(max_length=32, blank=True)
    topic = models.CharField(max_length=64, blank=True)
    received_by = models.CharField(max_length=32)
    received_at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(db_default=Now())
    """The database's own clock, while claims were held off: what the order of things rests on."""

    class Meta:
        indexes = [
            models.Index(fields=["contact_id", "received_at"], name="consent_entry_contact"),
            models.Index(fields=["organisation", "received_at"], name="consent_entry_received"),
        ]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.concerns}"


class FormVersion(TenantModel):
    """The exact words that a person was shown; a later wording is another row."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid7)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=16)
    number = models.PositiveIntegerField()
    text = models.TextField()
    sha256 = models.BinaryField()
    elements = models.JSONField(null=True)
    """What it was composed of; null for a text that was handed in whole."""
    states_remuneration = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name", "language", "number"],
                name="consent_form_version_number",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.language}, {self.number}"

    @property
    def checksum(self) -> str:
        """The SHA-256 of the text's UTF-8 bytes, in hexadecimal."""
        return bytes(self.sha256).hex()


class Authorization(TenantModel):
    """A signed HIPAA authorization: scope, signature, end."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField()
    purposes = ArrayField(models.CharField(max_length=32))
    classes = ArrayField(models.CharField(max_length=32))
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, null=True)
    signed_at = models.DateTimeField()
    expires_on = models.DateField(null=True)
    zone = models.CharField(max_length=64, default="UTC")
    expires_event = models.CharField(max_length=60, blank=True)
    states_remuneration = models.BooleanField(default=False)
    channels = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    """Channels that its words name; marketing by text message needs its own (TC-01)."""
    received_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["contact_id"], name="consent_authorization_contact"),
            models.Index(
                fields=["organisation", "expires_on"], name="consent_authorization_expiry"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_on__isnull=False) | ~models.Q(expires_event=""),
                name="consent_authorization_ends",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class OptOut(TenantModel):
    """A person's no to a topic, a purpose, a channel, or (all empty) to everything.

    It names the contact, the address, or both; either is enough for it to count.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField(null=True)
    address_hash = models.BinaryField(null=True)
    channel = models.CharField(max_length=16, blank=True)
    purpose = models.CharField(max_length=32, blank=True)
    topic = models.CharField(max_length=64, blank=True)
    keyword = models.BooleanField(default=False)
    """It came as STOP or its kin (TC-03)."""
    until = models.DateTimeField(null=True)
    """A pause: it ends by itself; null for a no that stands until it is lifted."""
    received_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["contact_id"],
                name="consent_optout_contact",
                condition=models.Q(lifted_at=None),
            ),
            models.Index(
                fields=["organisation", "address_hash"],
                name="consent_optout_address",
                condition=models.Q(lifted_at=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Suppression(TenantModel):
    """An address that nobody may write to, as a keyed hash: it says nothing about whose it is."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce"
        COMPLAINT = "complaint"
        REQUEST = "request"
        STAFF = "staff"
        IMPORTED = "imported"
        REASSIGNED = "reassigned"
        DO_NOT_CALL = "do_not_call"

    OF_THEIR_OWN = frozenset({Reason.REASSIGNED, Reason.DO_NOT_CALL})
    """Reasons that a signature may outweigh: none of them stands in for another reason."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    channel = models.CharField(max_length=16, blank=True)
    """Empty: every channel."""
    address_hash = models.BinaryField(null=True)
    contact_id = models.BigIntegerField(null=True)
    """Where a person is meant, whatever the address; one of the two is always there."""
    purpose = models.CharField(max_length=32, blank=True, default="")
    topic = models.CharField(max_length=64, blank=True, default="")
    """With neither purpose nor topic, nothing at all may go."""
    reason = models.CharField(max_length=16, choices=Reason)
    source = models.CharField(max_length=32, blank=True, default="")
    effective_from = models.DateTimeField(null=True)
    effective_until = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "channel", "address_hash", "purpose", "topic", "reason"],
                condition=models.Q(released_at=None),
                name="consent_suppression_once",
            ),
            models.UniqueConstraint(
                fields=["organisation", "channel", "contact_id", "purpose", "topic"],
                condition=models.Q(released_at=None, address_hash=None),
                name="consent_suppression_person_once",
            ),
            models.CheckConstraint(
                condition=models.Q(address_hash__isnull=False) | models.Q(contact_id__isnull=False),
                name="consent_suppression_of_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["contact_id"],
                name="consent_suppression_person",
                condition=models.Q(released_at=None, address_hash=None),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


# Django finds a floor's models here; those of its rooms stand with the rest of their room.
from consent.arriving.models import ImportedConsent  # noqa: E402
from consent.choices.models import Choice, Regime, Reply, SignUp, SignUpForm, Topic  # noqa: E402
from consent.notices.models import AuditSample, Notice, NoticeReceipt  # noqa: E402
from consent.sending.models import Carrier, FrequencyCap, QuietTime, StopScope  # noqa: E402
from consent.signing.models import (  # noqa: E402
    Copy,
    Defect,
    Form,
    Signature,
    SigningRequest,
)
from consent.wishes.models import (  # noqa: E402
    ConfidentialRequest,
    Part2Consent,
    PlainPreference,
    Restriction,
)

__all__ = [
    "AuditSample",
    "Authorization",
    "Carrier",
    "Choice",
    "ConfidentialRequest",
    "Copy",
    "Defect",
    "Entry",
    "Form",
    "FormVersion",
    "FrequencyCap",
    "ImportedConsent",
    "Notice",
    "NoticeReceipt",
    "OptOut",
    "Part2Consent",
    "PlainPreference",
    "QuietTime",
    "Regime",
    "Reply",
    "Restriction",
    "SignUp",
    "SignUpForm",
    "Signature",
    "SigningRequest",
    "StopScope",
    "Suppression",
    "Topic",
]
