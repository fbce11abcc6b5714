"""One row a recipient of each mail that came back: what it means, never what it says."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy import TenantModel
from crypto.fields import SealedTextField
from crypto.ids import uuid7


class Returned(TenantModel):
    """A bounce, complaint, automatic answer or reply; without a message it waits for review.

    No address and no word of the mail is kept: a class, codes and the names of rules.
    """

    class Kind(models.TextChoices):
        BOUNCE = "bounce", "Bounce"
        COMPLAINT = "complaint", "Complaint"
        AUTO_REPLY = "auto_reply", "Automatic answer"
        REPLY = "reply", "Reply"
        FEEDBACK = "feedback", "Report on our mail"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.BinaryField()
    """A keyed hash of the mail and the recipient's place in it: the same mail counts once."""
    kind = models.CharField(max_length=12, choices=Kind)
    meaning = models.CharField(max_length=20, blank=True, default="")
    """A class of messaging.bounces.verdict.Class."""
    dead = models.BooleanField(default=False)
    status = models.CharField(max_length=12, blank=True, default="")
    reply = models.CharField(max_length=3, blank=True, default="")
    provider = models.CharField(max_length=24, blank=True, default="")
    """The mailbox provider, where it is one of the great ones; smaller ones could name a person."""
    evidence = ArrayField(models.CharField(max_length=40), default=list)
    message_id = models.BigIntegerField(null=True)
    contact_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=12)
    received_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "digest"], name="messaging_returned_once"
            )
        ]
        indexes = [
            models.Index(fields=["organisation", "received_at"], name="messaging_returned_when"),
            models.Index(
                fields=["contact_id", "received_at"],
                name="messaging_returned_whose",
                condition=models.Q(contact_id__isnull=False),
            ),
            models.Index(
                fields=["message_id"],
                name="messaging_returned_of",
                condition=models.Q(message_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.meaning}"


class Visit(TenantModel):
    """One opening of a mail, or one link followed: how it came, and what it is taken for.

    It becomes a contact's event when it is settled: at once where it is surely a program's, else
    when nothing more is to be expected. The evidence stays, so that later rules judge it again.
    """

    class Verdict(models.TextChoices):
        HUMAN = "human", "A person"
        MACHINE = "machine", "A program"
        UNCLEAR = "unclear", "Unclear"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    """Whose event it is: the person that the message's recipient is now."""
    kind = models.CharField(max_length=20)
    number = models.IntegerField(null=True)
    """Which link of the version; none for an opening."""
    at = models.DateTimeField()
    method = models.CharField(max_length=8)
    purpose = models.CharField(max_length=40, blank=True, default="")
    agent = SealedTextField(max_length=400, null=True)
    """What the program called itself; gone after 30 days (TR-03)."""
    agent_mark = models.BinaryField(max_length=16)
    """A keyed hash of it: whether two visits came by the same one is known for longer."""
    evidence = ArrayField(models.CharField(max_length=20), default=list)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True, default="")
    rules = models.PositiveSmallIntegerField(default=0)
    """The rules (`machines.RULES`) that gave the verdict."""
    due_at = models.DateTimeField(null=True)
    """When it is to be judged, or judged again; null when that is done."""
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["organisation", "due_at"],
                name="messaging_visit_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(fields=["message_id", "at"], name="messaging_visit_of"),
            models.Index(fields=["organisation", "at"], name="messaging_visit_when"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class ProviderFeed(TenantModel):
    """A provider that reports by webhook; what it must show, and when it was last heard.

    Its address names the feed by a token, so that no id of ours stands in it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=20)
    secret = SealedTextField(max_length=400)
    """A password of ours for basic authentication, or the provider's signing key."""
    created_at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.provider} {self.id}"
