"""Forms in the making, requests to sign, and signatures."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from contacts.fields import DataClass
from crypto.fields import SealedJSONField
from crypto.ids import uuid7


class Form(TenantModel):
    """A form that staff write: its draft, and the number of what was published last."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    name = models.CharField(max_length=120)
    draft = models.JSONField(default=dict)
    """The elements as `consent.signing.stored` keeps them; nothing of any person."""
    number = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="consent_form_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def next_number(self) -> int:
        return self.number + 1


class SigningRequest(TenantModel):
    """A link for one person to read and sign one form; it works once."""

    MOST_ATTEMPTS = 5

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField()
    form = models.ForeignKey(Form, on_delete=models.PROTECT, related_name="requests")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    """Wrong dates of birth given to its page."""
    signed_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["contact_id"], name="consent_signing_of")]

    def __str__(self) -> str:
        return str(self.id)


class Signature(TenantModel):
    """How one authorization was signed, bound to the bytes of the text that was shown.

    Sealed with the organisation's key, not the person's: the proof outlives an erasure
    (164.530(j), GDPR 17(3)(e)).
    """

    append_only = True
    classified = {"evidence": DataClass.IDENTITY, "method": "opaque"}

    class Method(models.TextChoices):
        LINK = "link", "By the person's own link"
        PAPER = "paper", "On paper"
        API = "api", "By another system"

    id = models.UUIDField(primary_key=True, default=uuid7)
    authorization = models.OneToOneField(
        "consent.Authorization", on_delete=models.PROTECT, related_name="signature"
    )
    request = models.ForeignKey(SigningRequest, on_delete=models.PROTECT, null=True)
    method = models.CharField(max_length=8, choices=Method)
    sha256 = models.BinaryField()
    """Of the bytes that were shown, or of the scanned paper."""
    evidence = SealedJSONField()
    """Name, drawing, representative and authority, address, program, language; see `signing`."""
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class Copy(TenantModel):
    """That the signer got a copy, and how (164.508(c)(4))."""

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid7)
    authorization = models.ForeignKey(
        "consent.Authorization", on_delete=models.PROTECT, related_name="copies"
    )
    how = models.CharField(max_length=16)
    sha256 = models.BinaryField()
    given_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class Defect(TenantModel):
    """Why a signed authorization never was valid, though it says all it must (164.508(b)(2))."""

    append_only = True

    class Kind(models.TextChoices):
        KNOWN_FALSE = "known_false", "Something material in it is known to be false"
        INCOMPLETE = "incomplete", "It is not filled in completely"
        COMPOUND = "compound", "It is combined with what it may not be combined with"
        CONDITIONED = "conditioned", "Care or benefits were made to depend on it"

    id = models.UUIDField(primary_key=True, default=uuid7)
    authorization = models.ForeignKey(
        "consent.Authorization", on_delete=models.PROTECT, related_name="defects"
    )
    kind = models.CharField(max_length=16, choices=Kind)
    found_at = models.DateTimeField()
    found_by = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.kind
