"""A file of a message, sealed with the key of the person whom the message is for."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Attachment(TenantModel):
    """Sent with a message, or with a person's answer to it (`answer_id`).

    Name and content are sealed with the contact's own key: destroying that destroys them.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message_id = models.BigIntegerField()
    answer_id = models.UUIDField(null=True)
    contact_id = models.BigIntegerField()
    """Whose key sealed it; the message itself may move when contacts are merged."""
    place = models.PositiveSmallIntegerField()
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    """Of the content, as it came."""
    name = models.BinaryField()
    content = models.BinaryField()
    added_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["message_id", "place"], name="messaging_attachment_of")]

    def __str__(self) -> str:
        return str(self.id)
