"""One row a recipient of each mail that came back: what it means, never what it says."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy import TenantModel
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
