"""Campaigns: what goes to whom and when, each time that it goes out, and who is in which group."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts import tenancy
from accounts.tenancy import TenantModel
from crypto.fields import SealedTextField
from crypto.ids import uuid7
from messaging.models import Template
from workflows import recurring


class Campaign(TenantModel):
    """A message to a segment, once or again and again.

    draft -> waiting (for another person's approval) -> approved -> live -> done; live <-> paused;
    cancelled from anywhere before the end. What an approval covers is `planning.fingerprint`.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        WAITING = "waiting", "Waits for approval"
        APPROVED = "approved", "Approved"
        LIVE = "live", "Under way"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    class Measure(models.TextChoices):
        CLICKS = "message.clicked", "Clicks by people"
        OPENS = "message.opened", "Opens by people"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    segment_id = models.UUIDField(null=True)
    excluded_id = models.UUIDField(null=True)
    """A segment whose members are left out."""
    starts_on = models.DateField(null=True)
    """By the clocks of the organisation, or of each recipient; null means as soon as launched."""
    starts_at = models.TimeField(null=True)
    each_zone = models.BooleanField(default=False)
    at_own_hour = models.BooleanField(default=False)
    """Within a day of its time, at the hour at which each person opened mails before."""
    repeats = models.CharField(max_length=200, blank=True, default="")
    """A rule of repetition (RFC 5545); empty for once."""
    lasts_hours = models.PositiveSmallIntegerField(default=72)
    """How long after its time a message may still go out."""
    ceiling = models.PositiveIntegerField(null=True)
    """More people than this, and a run stops before anybody is written to."""
    hold_out = models.PositiveSmallIntegerField(default=0)
    """Percent of the audience that gets nothing, to compare with."""
    trial_share = models.PositiveSmallIntegerField(default=100)
    """Percent that get the variants; the rest get the winner. 100: no winner is awaited."""
    trial_by = models.CharField(max_length=20, choices=Measure, default=Measure.CLICKS)
    trial_hours = models.PositiveSmallIntegerField(default=24)
    goal_kind = models.CharField(max_length=60, blank=True, default="")
    """The kind of contact event that the campaign wants to bring about."""
    goal_days = models.PositiveSmallIntegerField(default=14)
    changed_by = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    launched_by = models.CharField(max_length=64, blank=True, default="")
    launched_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def rule(self) -> recurring.Repeats | None:
        return recurring.read(self.repeats)

    @property
    def first_wall(self) -> datetime | None:
        """The naive time of the first run; None where it goes as soon as it is launched."""
        if self.starts_on is None or self.starts_at is None:
            return None
        return datetime.combine(self.starts_on, self.starts_at)

    @property
    def may_be_changed(self) -> bool:
        return self.state in (self.State.DRAFT, self.State.WAITING, self.State.APPROVED)

    @property
    def may_be_cancelled(self) -> bool:
        return self.state not in (self.State.DONE, self.State.CANCELLED)


class Variant(TenantModel):
    """One of the messages that are tried against each other; most campaigns have one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="variants")
    letter = models.CharField(max_length=1)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+")
    starts_at = models.TimeField(null=True)
    """A time of day of its own, where times are tried against each other."""

    class Meta:
        ordering = ["letter"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "letter"], name="marketing_variant_letter")
        ]

    def __str__(self) -> str:
        return self.letter


class CampaignApproval(TenantModel):
    """Another person's answer about exactly this audience, this content and this plan (SE-20)."""

    class Verdict(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Sent back"
        VOID = "void", "Void: it was changed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="approvals")
    fingerprint = models.CharField(max_length=64)
    pinned = models.JSONField()
    """The template version of each letter."""
    requested_by = models.CharField(max_length=64)
    requested_at = models.DateTimeField()
    verdict = models.CharField(max_length=10, choices=Verdict, default=Verdict.WAITING)
    decided_by = models.CharField(max_length=64, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    reason = SealedTextField(max_length=400, default="")

    class Meta:
        ordering = ["-requested_at"]

    def __str__(self) -> str:
        return str(self.id)


class Run(TenantModel):
    """One time that a campaign goes out. Its id is the `source` of its messages.

    due -> sending (the audience stands) -> done; stopped where something forbids it.
    """

    class State(models.TextChoices):
        DUE = "due", "Scheduled"
        SENDING = "sending", "Going out"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    wall = models.DateTimeField(null=True)
    """The wall time as if it were UTC's; null where it goes as soon as launched."""
    due_at = models.DateTimeField()
    """When the audience is drawn: the moment in the earliest zone."""
    pinned = models.JSONField()
    classes = ArrayField(models.CharField(max_length=24), default=list)
    """What it says of a person to be in the audience."""
    drawn_until = models.DateTimeField(null=True)
    """Until then one worker draws the audience; past it, whoever did is taken for dead."""
    frozen_at = models.DateTimeField(null=True)
    audience = models.PositiveIntegerField(default=0)
    at_own_hour = models.PositiveIntegerField(default=0)
    """How many of them opened enough mails before to be written to at an hour of their own."""
    decide_at = models.DateTimeField(null=True)
    winner = models.CharField(max_length=1, blank=True, default="")
    verdict = models.CharField(max_length=300, blank=True, default="")
    problem = models.CharField(max_length=40, blank=True, default="")
    figures = models.JSONField(default=dict)
    figures_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="marketing_run_number")
        ]
        indexes = [
            models.Index(
                fields=["organisation", "due_at"],
                name="marketing_run_open",
                condition=models.Q(state__in=["due", "sending"]),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    def begins(self, *, now: datetime) -> bool:
        """Say whether its time has come and its audience is about to be drawn."""
        live = self.campaign.state == Campaign.State.LIVE
        return live and self.state == self.State.DUE and self.due_at <= now

    @property
    def percent(self) -> int:
        """How much of the audience has been dealt with."""
        settled = int(self.figures.get("settled", 0))
        if self.state == self.State.DONE:
            return 100
        return min(99, 100 * settled // self.audience) if self.audience else 0


def _of_organisation() -> Any:
    """The organisation of a hot row: no constraint to check and no index of its own."""
    return models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
        default=tenancy.current,
    )


class Recipient(models.Model):
    """One person of one run: the group, the time, and whether a message was ordered.

    Which one got what stands in the message's row; who was held out stands here alone.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        ORDERED = "ordered"
        HELD_OUT = "held_out"
        BARRED = "barred"
        """Held out, and the gate would not have let a message go either."""
        DROPPED = "dropped"

    id = models.BigAutoField(primary_key=True)
    organisation = _of_organisation()
    run_id = models.UUIDField()
    contact_id = models.BigIntegerField()
    group = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "contact_id"], name="marketing_recipient_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "run_id", "due_at"],
                name="marketing_recipient_due",
                condition=models.Q(state="pending"),
            ),
            models.Index(fields=["contact_id"], name="marketing_recipient_of"),
        ]

    def __str__(self) -> str:
        return str(self.id)
