"""Templates and their versions, one row a message, and what patients pick up from the portal."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Value, When

from accounts import tenancy
from accounts.tenancy import TenantModel
from crypto.fields import SealedJSONField
from crypto.ids import uuid7
from messaging.pools import lanes

PURPOSES = [
    ("treatment", "Treatment"),
    ("care_coordination", "Care coordination"),
    ("appointment", "Appointment"),
    ("payment", "Payment"),
    ("operations", "Health care operations"),
    ("refill", "Refill and adherence"),
    ("fundraising", "Fundraising"),
    ("marketing", "Marketing"),
    ("remunerated_marketing", "Marketing that somebody pays for"),
    ("research", "Research"),
    ("service_notice", "Service notice"),
]
"""The purposes of the rules with their labels; a test compares the two."""
CHANNELS = [(lanes.EMAIL, "E-mail"), (lanes.SMS, "Text message")]


class Template(TenantModel):
    """A mail or text message that staff write: its name, its purpose, and the draft.

    A text message has a text part only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    channel = models.CharField(max_length=8, choices=CHANNELS, default=lanes.EMAIL)
    """It never changes: what is written for one channel does not fit the other."""
    purpose = models.CharField(max_length=24, choices=PURPOSES)
    topic = models.CharField(max_length=64, blank=True, default="")
    """What a person can say no to by itself; empty means everything of this purpose."""
    remuneration = models.JSONField(null=True, blank=True)
    """Who pays for sending it, if anybody does (consent.purposes.Remuneration)."""
    drug = models.UUIDField(null=True, blank=True)
    """The code group of the drug that a refill reminder is about (PR-17)."""
    new_formulation = models.BooleanField(default=False)
    """It names a new formulation of a drug, which no refill reminder may (PR-17)."""
    subject = models.TextField(blank=True, default="")
    mjml = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    declared = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    language = models.CharField(max_length=16, default="en")
    """Its own language, and what whoever prefers one that it lacks gets."""
    conditions = SealedJSONField(default=dict, blank=True, db_column="sealed_conditions")
    """What `when.…` asks, by name: `{"label", "definition"}` in the segment language. Sealed as
    segments are: who reads a definition learns what the organisation knows of its people."""
    audience = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    """What being among its recipients says of a person, beside what it prints."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="messaging_template_slug")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_text(self) -> bool:
        return self.channel == lanes.SMS


class TemplateVersion(TenantModel):
    """What was compiled, for good: the database refuses to change a row (migration 0001)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    channel = models.CharField(max_length=8, choices=CHANNELS, default=lanes.EMAIL)
    purpose = models.CharField(max_length=24, choices=PURPOSES)
    topic = models.CharField(max_length=64, blank=True, default="")
    remuneration = models.JSONField(null=True)
    drug = models.UUIDField(null=True)
    new_formulation = models.BooleanField(default=False)
    subject = models.TextField()
    mjml = models.TextField()
    text = models.TextField()
    declared = ArrayField(models.CharField(max_length=60), default=list)
    html = models.TextField()
    """The MJML as compiled, once; links stand in it as numbers."""
    plain = models.TextField()
    """The text part as compiled."""
    fields_read = ArrayField(models.CharField(max_length=60), default=list)
    data_classes = ArrayField(models.CharField(max_length=24), default=list)
    opened = ArrayField(models.CharField(max_length=24), null=True)
    """The classes of what is printed, which alone are decrypted; null: all of `data_classes`."""
    language = models.CharField(max_length=16, default="en")
    conditions = SealedJSONField(default=dict, db_column="sealed_conditions")
    audience = ArrayField(models.CharField(max_length=24), default=list)
    blocks = models.JSONField(default=list)
    """Which version of which block stands in it: `{"slug", "number"}` each."""
    flow = models.JSONField(default=list)
    """Which field is read where (`messaging.making.flow`)."""
    unsubscribes = models.BooleanField()
    sha256 = models.CharField(max_length=64)
    author_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="messaging_version_number")
        ]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.template_id} version {self.number}"

    @property
    def is_text(self) -> bool:
        return self.channel == lanes.SMS


class Approval(TenantModel):
    """Another person's word that exactly this version may go out."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.OneToOneField(
        TemplateVersion, on_delete=models.PROTECT, related_name="approval"
    )
    sha256 = models.CharField(max_length=64)
    approver_id = models.CharField(max_length=64)
    audience = ArrayField(models.CharField(max_length=24), null=True)
    """For whom it was approved; null where nobody was asked to look at that."""
    approved_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class Link(TenantModel):
    """Where a numbered link of a version goes. A redirect goes nowhere else."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="links")
    number = models.PositiveSmallIntegerField()
    destination = models.URLField(max_length=2000)
    label = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="messaging_link_number")
        ]
        ordering = ["number"]

    def __str__(self) -> str:
        return self.destination


class Message(TenantModel):
    """One message to one contact from one fact: the outbox, its fate, and the evidence.

    queued -> claimed -> handing_over -> sent | deferred | failed | unknown; refused is an answer of
    the gate; cancelled and paused are staff's. `fence` counts claims: only the latest may write a
    result.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        PAUSED = "paused", "Paused"
        CLAIMED = "claimed", "Being prepared"
        HANDING_OVER = "handing_over", "Being handed over"
        SENT = "sent", "Sent"
        DEFERRED = "deferred", "Will be tried again"
        REFUSED = "refused", "Not permitted"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unclear"
        CANCELLED = "cancelled", "Cancelled"

    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        default=tenancy.current_or_none,
        db_index=False,
    )
    """Hot row: every index that is asked begins with the organisation already."""
    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    contact_id = models.BigIntegerField()
    version = models.ForeignKey(
        TemplateVersion, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    channel = models.CharField(max_length=16, default="email")
    purpose = models.CharField(max_length=24, choices=PURPOSES)
    pool = models.GeneratedField(
        expression=Case(
            When(
                channel=lanes.SMS,
                purpose__in=lanes.purposes_of(lanes.TEXTS),
                then=Value(lanes.TEXTS),
            ),
            When(channel=lanes.SMS, then=Value(lanes.MARKETING_TEXTS)),
            *(When(purpose__in=names, then=Value(one)) for one, names in lanes.PURPOSES.items()),
            default=Value(lanes.MARKETING),
        ),
        output_field=models.CharField(max_length=16),
        db_persist=True,
    )
    topic = models.CharField(max_length=64, blank=True, default="")
    source = models.UUIDField()
    step = models.CharField(max_length=64)
    visit = models.IntegerField()
    occurrence = models.CharField(max_length=64)
    classes = ArrayField(models.CharField(max_length=24), default=list)
    """What the message says of the person: its fields and the path that led to it."""
    state = models.CharField(max_length=16, choices=State)
    refusal_code = models.CharField(max_length=40, blank=True, default="")
    permit = models.JSONField(null=True)
    route = models.CharField(max_length=16, blank=True, default="")
    provider = models.CharField(max_length=24, blank=True, db_default="")
    """The mailbox provider that it was handed over for: a name of `hearing.providers`."""
    due_at = models.DateTimeField()
    not_after = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    message_id_header = models.CharField(max_length=255, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    merge = models.BinaryField(null=True)
    """What was merged in, sealed with the contact's own key: gone when that is destroyed."""
    smtp_reply = models.CharField(max_length=16, blank=True, default="")
    reference = models.CharField(max_length=120, blank=True, default="", db_default="")
    """The number that a gateway or provider gave it."""
    line = models.BigIntegerField(null=True)
    """The `lines.Line` that it was handed over by; null where no mail server took it by TLS."""
    created_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    """When the receiving side said that it has it; null where nobody ever says."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "source", "contact_id", "step", "visit", "occurrence"],
                name="messaging_message_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "pool", "due_at"],
                name="messaging_message_due",
                condition=models.Q(state__in=["queued", "deferred"]),
            ),
            models.Index(
                fields=["organisation", "lease_until"],
                name="messaging_message_leased",
                condition=models.Q(state__in=["claimed", "handing_over"]),
            ),
            models.Index(fields=["contact_id", "id"], name="messaging_message_contact"),
            models.Index(
                fields=["organisation", "state", "id"],
                name="messaging_message_attention",
                condition=models.Q(state__in=["refused", "failed", "unknown", "cancelled"]),
            ),
            models.Index(
                fields=["organisation", "source"],
                name="messaging_message_paused",
                condition=models.Q(state="paused"),
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Transition(TenantModel):
    """Each result that a message came to, with its moment; a retried message has several."""

    id = models.BigAutoField(primary_key=True)
    message_id = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=Message.State)
    code = models.CharField(max_length=40, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["message_id", "id"], name="messaging_transition_of")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.state}"


class Pickup(TenantModel):
    """A body that waits on the portal until the person shows who they are."""

    MOST_ATTEMPTS = 5

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="pickup")
    attempts = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    renewed = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    """When the message was first shown to the person."""
    language = models.CharField(max_length=8, blank=True, default="")
    """In which its pages and mails speak; the person may choose another."""
    code_number = models.PositiveSmallIntegerField(default=0)
    """How many one-time codes were asked for; each is derived from its number."""
    code_by = models.CharField(max_length=8, blank=True, default="")
    """Which carrier takes the code (`messaging.portal.carriers`)."""
    code_asked_at = models.DateTimeField(null=True)
    code_sent_at = models.DateTimeField(null=True)
    sessions = models.PositiveSmallIntegerField(default=0)
    """How often somebody came in or went: a pass is good for the latest alone."""
    recalled_at = models.DateTimeField(null=True)
    held = models.BinaryField(default=b"", db_default=b"")
    """A reply that came after its session had ended (`messaging.portal.holding`), sealed."""
    held_for = models.CharField(max_length=64, blank=True, default="", db_default="")
    """SHA-256 of the secret of the browser that sent it."""
    held_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["organisation", "code_asked_at"],
                name="messaging_pickup_code_due",
                condition=models.Q(code_asked_at__isnull=False, code_sent_at=None),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    def locked(self) -> bool:
        return self.attempts >= self.MOST_ATTEMPTS

    def expired(self, *, now: datetime) -> bool:
        return now >= self.expires_at

    def count_attempt(self) -> bool:
        """Count an attempt before it is judged; False when there are none left."""
        open_still = Pickup.objects.filter(id=self.id, attempts__lt=self.MOST_ATTEMPTS)
        won = open_still.update(attempts=models.F("attempts") + 1) == 1
        self.refresh_from_db(fields=["attempts"])
        return won


# Django finds a floor's models here; those of its rooms stand with the rest of their room.
from messaging.answers.models import Answer, Letter  # noqa: E402
from messaging.attachments.models import Attachment  # noqa: E402
from messaging.domain_reports.models import DomainReport, DomainReportLine  # noqa: E402
from messaging.hearing.models import ProviderFeed, Returned, Visit  # noqa: E402
from messaging.lines.models import Line  # noqa: E402
from messaging.making.models import (  # noqa: E402
    BlockVersion,
    ContentBlock,
    Review,
    ReviewRule,
    Translation,
    VersionTranslation,
)
from messaging.paying.models import SendPayment  # noqa: E402
from messaging.pictures.models import Picture  # noqa: E402
from messaging.pools.models import DestinationLimit, Pool, Stop, Tally  # noqa: E402
from messaging.preflight.models import DomainCheck  # noqa: E402
from messaging.protection.models import (  # noqa: E402
    ProtectionPolicy,
    Receiver,
    RecipientKey,
    SigningKey,
)
from messaging.texts.models import IncomingText  # noqa: E402
from messaging.undelivered.models import Undelivered  # noqa: E402

__all__ = [
    "Answer",
    "Approval",
    "Attachment",
    "BlockVersion",
    "ContentBlock",
    "DestinationLimit",
    "DomainCheck",
    "DomainReport",
    "DomainReportLine",
    "IncomingText",
    "Letter",
    "Line",
    "Link",
    "Message",
    "Pickup",
    "Picture",
    "Pool",
    "ProtectionPolicy",
    "ProviderFeed",
    "Receiver",
    "RecipientKey",
    "Returned",
    "Review",
    "ReviewRule",
    "SendPayment",
    "SigningKey",
    "Stop",
    "Tally",
    "Template",
    "TemplateVersion",
    "Transition",
    "Translation",
    "Undelivered",
    "VersionTranslation",
    "Visit",
]
