"""Pools, their limits, what they carried, and what stopped them."""

from __future__ import annotations

from django.db import models

from accounts import tenancy
from accounts.tenancy import TenantModel
from crypto.fields import SealedTextField
from crypto.ids import uuid7
from messaging.pools.lanes import LABELS

KINDS = list(LABELS.items())


class Pool(TenantModel):
    """One pool as the organisation set it; without a row the installation's relay carries it."""

    class Carrier(models.TextChoices):
        INSTALLATION = "installation", "The installation's relay"
        RELAY = "relay", "A relay of its own"
        PROVIDER = "provider", "A provider's API"
        WEBHOOK = "webhook", "A gateway that takes signed JSON"

    class Security(models.TextChoices):
        STARTTLS = "starttls", "STARTTLS, certificate verified"
        TLS = "tls", "TLS from the first byte, certificate verified"
        SAME_HOST = "same_host", "On this machine, no network between"

    class Onward(models.TextChoices):
        OPPORTUNISTIC = "opportunistic", "Tries TLS, may fall back to the clear"
        PER_DOMAIN = "per_domain", "Follows the policy that is written for each domain"
        ENFORCED = "enforced", "Delivers only over verified TLS"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=16, choices=KINDS)
    carrier = models.CharField(max_length=16, choices=Carrier, default=Carrier.INSTALLATION)
    provider = models.CharField(max_length=24, blank=True, default="")
    """A name of messaging.transports.providers or messaging.transports.carriers."""
    url = models.URLField(max_length=500, blank=True, default="")
    """Where the gateway takes messages; of a provider, its API where that is not the usual one."""
    sender_domain = models.CharField(max_length=253, blank=True, default="")
    """Some providers ask for which of an account's domains a mail is."""
    number = models.CharField(max_length=34, blank=True, default="")
    """The number, or short code, that texts come from."""
    host = models.CharField(max_length=253, blank=True, default="")
    port = models.PositiveIntegerField(default=587)
    security = models.CharField(max_length=12, choices=Security, default=Security.STARTTLS)
    server_name = models.CharField(max_length=253, blank=True, default="")
    ca_file = models.CharField(max_length=255, blank=True, default="")
    user = models.CharField(max_length=120, blank=True, default="")
    secret = SealedTextField(null=True)
    onward = models.CharField(max_length=16, choices=Onward, default=Onward.OPPORTUNISTIC)
    own = models.BooleanField(default=False)
    """The relay is the organisation's own machine: no vendor sees the messages."""
    agreement_from = models.DateField(null=True)
    """The business associate agreement with whoever runs the relay (PR-32)."""
    agreement_until = models.DateField(null=True)
    mail_from = models.EmailField(blank=True, default="")
    connections = models.PositiveSmallIntegerField(default=4)
    per_minute = models.PositiveIntegerField(null=True)
    warm_up_from = models.DateField(null=True)
    warm_up_first = models.PositiveIntegerField(default=50)
    """So many go to each mailbox provider on the first day of warming up; it doubles daily."""
    opens = models.TimeField(null=True)
    """The send window by the recipient's clock; None with `closes` is around the clock."""
    closes = models.TimeField(null=True)
    at_best_hour = models.BooleanField(default=False)
    """Send at the hour at which the person opened mails before."""
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind"], name="messaging_pool_once")
        ]

    def __str__(self) -> str:
        return self.kind


class DestinationLimit(TenantModel):
    """How much one mailbox provider gets from a pool."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    pool = models.CharField(max_length=16, choices=KINDS)
    provider = models.CharField(max_length=24)
    """A name of messaging.hearing.providers, or `other`."""
    per_minute = models.PositiveIntegerField(null=True)
    connections = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "pool", "provider"], name="messaging_destination_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pool} to {self.provider}"


class Tally(models.Model):
    """What a pool carried to a provider in one minute. `tried` is written before the hand-over."""

    pk = models.CompositePrimaryKey("organisation_id", "pool", "minute", "provider")
    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        default=tenancy.current_or_none,
        db_index=False,
    )
    pool = models.CharField(max_length=16)
    minute = models.DateTimeField()
    provider = models.CharField(max_length=24)
    tried = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    deferred = models.PositiveIntegerField(default=0)
    booked = models.PositiveIntegerField(default=0)
    """How many were told to come back in this minute: spreads them, and promises nothing."""

    def __str__(self) -> str:
        return f"{self.pool} to {self.provider}"


class Stop(TenantModel):
    """Something that holds sending back: a person's pause, the breaker, or a restored backup.

    It stands until `ended_at`. A `warning` holds nothing back.
    """

    class Cause(models.TextChoices):
        STAFF = "staff", "Paused by a person"
        COMPLAINTS = "complaints", "Too many complaints"
        ERRORS = "errors", "Too many refusals"
        RESTORED = "restored", "The database is older than what was sent"

    class Backlog(models.TextChoices):
        SEND = "send", "Send it now"
        SKIP = "skip", "Skip it"
        RETIME = "retime", "Re-time it by the length of the pause"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    pool = models.CharField(max_length=16, choices=KINDS, blank=True, default="")
    """Empty with a `source`, or where everything is stopped."""
    source = models.UUIDField(null=True)
    """The workflow version or campaign whose messages wait."""
    cause = models.CharField(max_length=12, choices=Cause)
    warning = models.BooleanField(default=False)
    tried = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    """Refusals or complaints among so many, when it began."""
    began_at = models.DateTimeField()
    began_by = models.CharField(max_length=64)
    half_open_at = models.DateTimeField(null=True)
    """From then on a few messages go, to see whether they arrive."""
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=64, blank=True, default="")
    backlog = models.CharField(max_length=8, choices=Backlog, blank=True, default="")
    moved = models.PositiveIntegerField(default=0)
    """How many messages the choice for the backlog concerned."""

    class Meta:
        indexes = [
            models.Index(
                fields=["organisation", "began_at"],
                name="messaging_stop_standing",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.Index(fields=["organisation", "ended_at"], name="messaging_stop_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.cause} {self.pool}"
