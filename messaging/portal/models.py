"""What a person answers from the portal."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Answer(TenantModel):
    """A person's answer to a message, sealed with their own key."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    words = models.BinaryField()
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["contact_id", "sent_at"], name="messaging_answer_whose"),
            models.Index(fields=["message_id"], name="messaging_answer_to"),
        ]

    def __str__(self) -> str:
        return str(self.id)
