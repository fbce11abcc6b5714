"""Text messages that came in, and the one answer that some of them get."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from contacts.fields import DataClass
from crypto.fields import SealedJSONField
from crypto.ids import uuid7


class IncomingText(TenantModel):
    """One text message that somebody sent us. Its words are in the event, or wait for a reader.

    The answer is a row before it is sent. A crash while it is on its way leaves `unclear`, and it
    is not sent again: the law allows one (47 CFR 64.1200(a)(12)).
    """

    classified = {"answer_to": DataClass.CONTACT_POINT}

    class Answer(models.TextChoices):
        STOPPED = "stopped", "Stopped"
        STARTED = "started", "Started again"
        HELP = "help", "Help"

    class State(models.TextChoices):
        DUE = "due", "Waiting"
        SENDING = "sending", "Being handed over"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        UNCLEAR = "unclear", "Unclear"
        TOO_LATE = "too_late", "Too late"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.BinaryField()
    """A keyed hash of the gateway's number for it: a report that is sent again counts once."""
    pool = models.CharField(max_length=16)
    contact_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    """The text of ours that it most likely answers."""
    verdict = models.CharField(max_length=8)
    received_at = models.DateTimeField()
    answer = models.CharField(max_length=8, choices=Answer, blank=True, default="")
    answer_state = models.CharField(max_length=8, choices=State, blank=True, default="")
    answer_to = SealedJSONField(null=True)
    """The number and the words of the answer, until it was sent."""
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "digest"], name="messaging_incoming_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "received_at"],
                name="messaging_incoming_due",
                condition=models.Q(answer_state="due"),
            ),
            models.Index(
                fields=["contact_id", "received_at"],
                name="messaging_incoming_whose",
                condition=models.Q(contact_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.answer_state}"
