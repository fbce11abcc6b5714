"""Payments that were stated of what sends messages."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class SendPayment(TenantModel):
    """Somebody pays for what this campaign or workflow sends; stated once, never taken back.

    A payment that was agreed is a fact of what went out under it. Who is not paid any more makes
    another campaign, or another step.
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.UUIDField()
    """The workflow, the campaign, or one run of it."""
    step = models.CharField(max_length=64, blank=True)
    """The step of the workflow; empty for all that the source sends."""
    paid = models.JSONField()
    stated_by = models.CharField(max_length=64)
    stated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["source"], name="messaging_payment_source")]

    def __str__(self) -> str:
        return str(self.id)
