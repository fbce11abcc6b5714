"""What people write back, by the portal or by e-mail, and what staff answer them."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Answer(TenantModel):
    """A person's answer to a message, sealed with their own key.

    It is unread until somebody opens it (`read_at`), somebody's (`assigned_to`, a member of staff)
    or nobody's, and open until it is done, by an answer of ours or by a word.
    """

    class Way(models.TextChoices):
        PORTAL = "portal", "Portal"
        MAIL = "mail", "E-mail"
        TEXT = "text", "Text message"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    """Whose key sealed it; the person behind it may be another contact after a merge."""
    way = models.CharField(max_length=8, choices=Way, default=Way.PORTAL)
    words = models.BinaryField()
    """Empty when the person was erased."""
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    assigned_to = models.CharField(max_length=64, blank=True, default="")
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=64, blank=True, default="")
    reply_id = models.UUIDField(null=True)
    """The same words in the consent room, where they may be a no (`consent.choices.replies`)."""

    class Meta:
        indexes = [
            models.Index(fields=["contact_id", "sent_at"], name="messaging_answer_whose"),
            models.Index(fields=["message_id"], name="messaging_answer_to"),
            models.Index(
                fields=["organisation", "sent_at"],
                name="messaging_answer_open",
                condition=models.Q(done_at=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Letter(TenantModel):
    """What a member of staff writes to a person: the text of one message, sealed for the person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, related_name="letters")
    """What it answers."""
    words = models.BinaryField()
    written_by = models.CharField(max_length=64)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "message_id"], name="messaging_letter_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
