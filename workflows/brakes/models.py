"""How hard an organisation's brakes are set, and what each workflow did in each hour."""

from __future__ import annotations

from django.db import models

from accounts import tenancy
from accounts.tenancy import TenantModel


class Brakes(models.Model):
    """The organisation's settings; without a row the defaults hold."""

    organisation = models.OneToOneField(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
        default=tenancy.current,
    )
    most_a_day = models.PositiveIntegerField(default=10)
    """Messages of workflows that one person is asked for within 24 hours."""
    floor = models.PositiveIntegerField(default=2_000)
    """An hour with no more than this is never too much."""
    factor = models.PositiveIntegerField(default=5)
    """So many times what was normal or expected is too much."""

    def __str__(self) -> str:
        return str(self.pk)


class Tally(TenantModel):
    """How many came in and how many messages were asked for, in one hour of the clock."""

    workflow_id = models.UUIDField()
    hour = models.DateTimeField()
    entered = models.PositiveIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0)
    most_entered = models.PositiveIntegerField(default=0)
    """The limit of this hour, found at its first turn; 0 where it is to be found."""
    most_asked = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow_id", "hour"], name="workflows_tally_hour")
        ]
        indexes = [models.Index(fields=["organisation", "hour"], name="workflows_tally_old")]

    def __str__(self) -> str:
        return f"{self.workflow_id} {self.hour:%Y-%m-%dT%H}"
