"""What the faces of the product remember by themselves: answers given, and requests refused."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Answer(TenantModel):
    """The answer to a request that carried an Idempotency-Key, given again when it is repeated.

    Holds ids, counts and codes only. Written in the transaction of the act that it answers.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=32)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    KEPT = timedelta(days=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "key_hash"], name="marketing_answer_once"
            )
        ]
        indexes = [models.Index(fields=["organisation", "created_at"], name="marketing_answer_age")]

    def __str__(self) -> str:
        return str(self.id)


class ApiRefusal(TenantModel):
    """A request that the API refused: where and why, never what was sent."""

    id = models.BigAutoField(primary_key=True)
    key_id = models.UUIDField()
    method = models.CharField(max_length=7)
    route = models.CharField(max_length=120)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=40)
    detail = models.CharField(max_length=400)
    faults = models.JSONField(default=list)
    refused_at = models.DateTimeField()

    KEPT = timedelta(days=30)

    class Meta:
        ordering = ["-refused_at"]
        indexes = [
            models.Index(fields=["organisation", "-refused_at"], name="marketing_refusal_age")
        ]

    def __str__(self) -> str:
        return str(self.id)


# Django finds a floor's models here; those of its rooms stand with the rest of their room.
from marketing.campaigns.models import (  # noqa: E402
    Campaign,
    CampaignApproval,
    Recipient,
    Run,
    Variant,
)

__all__ = ["Answer", "ApiRefusal", "Campaign", "CampaignApproval", "Recipient", "Run", "Variant"]
