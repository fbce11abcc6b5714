"""What people choose on the preference page and on sign-up forms, and what they write back."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy import TenantModel
from contacts.fields import DataClass
from crypto.fields import SealedJSONField
from crypto.ids import uuid7


class Topic(TenantModel):
    """A subject of messages that a person can say no to by itself."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    key = models.SlugField(max_length=64)
    """What templates name; it never changes, because refusals name it too."""
    words = models.JSONField(default=dict)
    """By language: name, and what it is about."""
    position = models.PositiveSmallIntegerField(default=0)
    added_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key"], name="consent_topic_key")
        ]

    def __str__(self) -> str:
        return self.key

    def name(self, language: str = "en") -> str:
        return str(self._words(language).get("name") or self.key)

    def about(self, language: str = "en") -> str:
        return str(self._words(language).get("about", ""))

    def _words(self, language: str) -> dict[str, str]:
        found: dict[str, str] = self.words.get(language) or self.words.get("en") or {}
        return found


class Choice(TenantModel):
    """A choice of a person that is no refusal: how often, in which language, no sale of data."""

    class Kind(models.TextChoices):
        FREQUENCY = "frequency"
        LANGUAGE = "language"
        SALE = "sale"

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    value = models.CharField(max_length=16)
    received_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["contact_id"],
                name="consent_choice_of",
                condition=models.Q(ended_at=None),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def topic(self) -> str:
        """What the ledger's entry names."""
        return f"{self.kind}.{self.value}"


class Regime(TenantModel):
    """Which law's data a person's record is, from a moment on; without a row it is HIPAA's."""

    append_only = True

    class Kind(models.TextChoices):
        HIPAA = "hipaa", "Patient (HIPAA)"
        CONSUMER = "consumer", "Consumer health"
        GENERAL = "general", "General"

    id = models.BigAutoField(primary_key=True)
    contact_id = models.BigIntegerField()
    regime = models.CharField(max_length=8, choices=Kind)
    since = models.DateTimeField()
    reason = models.CharField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["contact_id", "since"], name="consent_regime_of")]

    def __str__(self) -> str:
        return f"{self.contact_id} {self.regime}"


class SignUpForm(TenantModel):
    """A form that visitors of a web site fill in; its words are versions that never change."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    name = models.CharField(max_length=120)
    topics = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    channels = ArrayField(models.CharField(max_length=16), default=list)
    sites = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    """Origins of pages that may show it in a frame."""
    confirmation = models.UUIDField()
    """The approved version of the mail that asks for confirmation."""
    made_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="consent_signup_name")
        ]

    def __str__(self) -> str:
        return self.name


class SignUp(TenantModel):
    """One person's sign-up: asked by a form, and counted once confirmed from the mail."""

    classified = {"evidence": DataClass.IDENTITY}

    id = models.UUIDField(primary_key=True, default=uuid7)
    form = models.ForeignKey(SignUpForm, on_delete=models.PROTECT, related_name="sign_ups")
    form_version = models.ForeignKey("consent.FormVersion", on_delete=models.PROTECT)
    contact_id = models.BigIntegerField()
    topics = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    channels = ArrayField(models.CharField(max_length=16), default=list)
    evidence = SealedJSONField()
    """Address and program that asked; sealed with the organisation's key, to outlive erasure."""
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    authorization = models.ForeignKey("consent.Authorization", on_delete=models.PROTECT, null=True)
    confirmation = SealedJSONField(null=True)
    """Address and program that confirmed."""

    class Meta:
        indexes = [models.Index(fields=["contact_id"], name="consent_signup_of")]

    def __str__(self) -> str:
        return str(self.id)


class Reply(TenantModel):
    """What somebody wrote back, where a person must read it; it holds sends until then."""

    classified = {"said": DataClass.IDENTITY}

    class Decision(models.TextChoices):
        STOP = "stop", "Stop everything by this channel"
        EVERYTHING = "everything", "Stop every message"
        NOTHING = "nothing", "No opt-out: go on"

    id = models.UUIDField(primary_key=True, default=uuid7)
    contact_id = models.BigIntegerField(null=True)
    address_hash = models.BinaryField(null=True)
    channel = models.CharField(max_length=16)
    said = SealedJSONField(null=True)
    """The words, until somebody decided."""
    received_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=12, choices=Decision, blank=True, default="")
    decided_by = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["contact_id"],
                name="consent_reply_of",
                condition=models.Q(decided_at=None),
            ),
            models.Index(
                fields=["organisation", "address_hash"],
                name="consent_reply_from",
                condition=models.Q(decided_at=None),
            ),
        ]
        verbose_name_plural = "replies"

    def __str__(self) -> str:
        return str(self.id)
