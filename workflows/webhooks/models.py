"""Endpoints of other systems, and the calls that steps of workflows make to them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy import TenantModel
from crypto.fields import SealedTextField
from crypto.ids import uuid7


class Endpoint(TenantModel):
    """One address outside, whose it is, and what it may be told of a person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    url = SealedTextField(max_length=500)
    """Sealed: receivers put secrets into their addresses."""
    authorization = SealedTextField(null=True)
    """What the receiver wants in the header of this name."""
    secret = SealedTextField()
    """Signs every call; `whsec_` and 32 random bytes in base64."""
    earlier_secret = SealedTextField(null=True)
    """Signs as well until `earlier_until`, so that the receiver has time to change over."""
    earlier_until = models.DateTimeField(null=True)
    recipient = models.CharField(max_length=120, blank=True, default="")
    """Who receives, by name and address, as a record of disclosures wants it (PR-24)."""
    address = models.CharField(max_length=200, blank=True, default="")
    own = models.BooleanField(default=False)
    """The organisation's own system: nobody else sees what is sent."""
    agreement_from = models.DateField(null=True)
    """The business associate agreement with the recipient (PR-32)."""
    agreement_until = models.DateField(null=True)
    classes = ArrayField(models.CharField(max_length=16), default=list)
    """The data classes that it may be told (W8)."""
    paused = models.BooleanField(default=False)
    rests_until = models.DateTimeField(null=True)
    """It did not answer: nobody calls before that, so that the others are not kept waiting."""
    answered_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "workflows_endpoint"

    def __str__(self) -> str:
        return self.name


class WebhookCall(TenantModel):
    """What one step asks an endpoint for one person; the step waits for what became of it."""

    class State(models.TextChoices):
        OPEN = "open"
        ANSWERED = "answered"
        FAILED = "failed"

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(unique=True)
    """The same for every attempt: by it the receiver knows a repeat."""
    enrolment_id = models.BigIntegerField()
    workflow_id = models.UUIDField()
    endpoint_id = models.UUIDField()
    node = models.CharField(max_length=40)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    reply = models.PositiveSmallIntegerField(default=0)
    """Which reply of the step fitted, from 1; 0 is any other good answer."""
    reason = models.CharField(max_length=40, blank=True, default="")
    """Why the last attempt came to nothing, as a code."""
    status = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    """Also the fence: whoever comes back with an earlier number writes nothing."""
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    deadline = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment_id", "node"], name="workflows_webhook_call_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "due_at"],
                name="workflows_webhook_call_due",
                condition=models.Q(state="open"),
            ),
            models.Index(fields=["endpoint_id", "-id"], name="workflows_webhook_call_of"),
        ]

    def __str__(self) -> str:
        return str(self.key)
