"""One case for each message that could not be delivered and said something of a person."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7
from messaging.models import Message


class Undelivered(TenantModel):
    """Open until a person has verified the address and sent it again, or reached her otherwise."""

    class Channel(models.TextChoices):
        PHONE = "phone", "By phone, at a number known before"
        IN_PERSON = "in_person", "In person"
        LETTER = "letter", "By letter"
        PORTAL = "portal", "Signed in to a portal of ours"

    class Outcome(models.TextChoices):
        RESENT = "resent", "Sent again"
        OTHER_MEANS = "other_means", "Reached by other means"
        NOT_NEEDED = "not_needed", "Not needed any more"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="undelivered")
    cause = models.CharField(max_length=40)
    """The server's code, the class of the bounce, or our own code; never a server's words."""
    opened_at = models.DateTimeField()
    verified_by = models.CharField(max_length=64, blank=True, default="")
    """Who verified the address: a member of staff or an API key."""
    channel = models.CharField(max_length=12, choices=Channel, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, default="")
    resent_as = models.BigIntegerField(null=True)
    """The message that went in its stead."""

    class Meta:
        indexes = [
            models.Index(
                fields=["organisation", "opened_at"],
                name="messaging_undelivered_open",
                condition=models.Q(closed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
