"""When, how often and by whom an organisation's messages go. Settings, each change in the trail."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


def _codes() -> ArrayField[list[str], list[str]]:
    return ArrayField(models.CharField(max_length=32), default=list, blank=True)


class QuietTime(TenantModel):
    """Hours in which nothing goes, by the recipient's clock; empty lists mean all of their kind."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    begins = models.TimeField()
    ends = models.TimeField()
    days = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    """On which the quiet begins: 1 is Monday; empty means every day."""
    channels = _codes()
    purposes = _codes()
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class FrequencyCap(TenantModel):
    """At most so many messages to one person in so many days, over all workflows and campaigns."""

    class WhenFull(models.TextChoices):
        HOLD = "hold", "Wait until there is room"
        REFUSE = "refuse", "Do not send it"

    id = models.UUIDField(primary_key=True, default=uuid7)
    most = models.PositiveSmallIntegerField()
    days = models.PositiveSmallIntegerField()
    channels = _codes()
    purposes = _codes()
    when_full = models.CharField(max_length=8, choices=WhenFull)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class Carrier(TenantModel):
    """Who carries the messages of one channel, as of a moment; the latest row counts."""

    id = models.BigAutoField(primary_key=True)
    channel = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    own = models.BooleanField(default=False)
    """Our own machine: no business associate is involved."""
    agreement_from = models.DateField(null=True)
    agreement_until = models.DateField(null=True)
    services = _codes()
    """What the agreement names as in scope, as channels."""
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organisation", "channel"], name="consent_carrier_of")]

    def __str__(self) -> str:
        return self.name


class StopScope(TenantModel):
    """How far STOP reaches, as of a moment: the latest row counts (47 CFR 64.1200(a)(10))."""

    id = models.BigAutoField(primary_key=True)
    everything_from = models.DateField(null=True)
    """From this day STOP ends every message of its channel; until then, those it answered."""
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)
