"""People, the numbers under which sources know them, what happened to them, and how they came in.

The hot tables carry no foreign-key constraints: their rows are written by COPY in the transaction
that makes the contact, a contact's number contains its organisation, and row security keeps
organisations apart. Erasing a person is a function (`contacts.erase`), never a cascade.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts import tenancy
from audit.settled import TransactionNumberField
from contacts.fields import SEALED_CLASSES, DataClass
from crypto.fields import SealedTextField
from crypto.ids import uuid7

ORDINAL_BITS = 40
BLOCK_SIZE = 8192


def first_id(organisation_id: int) -> int:
    """Return the id of the organisation's contact with ordinal 0."""
    return organisation_id << ORDINAL_BITS


def organisation_of(contact_id: int) -> int:
    return contact_id >> ORDINAL_BITS


def ordinal_of(contact_id: int) -> int:
    return contact_id & ((1 << ORDINAL_BITS) - 1)


def _of_organisation() -> Any:
    """The organisation of a hot row: no index of its own (other indexes begin with it)."""
    return models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
        default=tenancy.current,
    )


def _of_contact() -> Any:
    return models.ForeignKey(
        "contacts.Contact",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )


class Ordinal(models.Model):
    """The organisation's next contact ordinal; its row lock lets one creator in at a time."""

    organisation = models.OneToOneField(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
        default=tenancy.current,
    )
    next = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.pk)


class Contact(models.Model):
    """A person: one sealed record for each data class, and blind indexes for exact search.

    `id` is the organisation and a dense ordinal; `public_id` is what URLs and the API show.
    """

    id = models.BigIntegerField(primary_key=True)
    organisation = _of_organisation()
    public_id = models.UUIDField(default=uuid7, editable=False)
    ordinal = models.BigIntegerField()
    email_index = models.BinaryField(null=True)
    phone_index = models.BinaryField(null=True)
    identity = models.BinaryField(null=True)
    contact_point = models.BinaryField(null=True)
    demographic = models.BinaryField(null=True)
    clinical = models.BinaryField(null=True)
    coverage = models.BinaryField(null=True)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    """Since when the row stands for nobody: its values were destroyed, or (with `merged_into`) it
    became part of another and is kept as it was. Every reader of the living leaves it out."""
    merged_into = models.BigIntegerField(null=True)
    """The contact that stands for this person since a merge; never itself merged into another."""
    deceased = models.BooleanField(default=False, db_default=False)
    """What the sealed record says, kept beside it by the writer: death stops every message."""
    origin_id = models.BigIntegerField(null=True)
    """Whence came what was first known (contacts.history); later changes have their own."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["public_id"], name="contacts_public_id")]
        indexes = [
            models.Index(
                fields=["organisation", "merged_into", "id"],
                condition=models.Q(merged_into__isnull=False),
                name="contacts_merged",
            ),
            models.Index(
                fields=["organisation", "email_index"],
                condition=models.Q(email_index__isnull=False),
                name="contacts_by_email",
            ),
            models.Index(
                fields=["organisation", "phone_index"],
                condition=models.Q(phone_index__isnull=False),
                name="contacts_by_phone",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def block(self) -> int:
        return self.ordinal // BLOCK_SIZE

    def sealed(self) -> dict[DataClass, bytes]:
        """Return the sealed records that the row holds."""
        held = {kind: getattr(self, kind.value) for kind in SEALED_CLASSES}
        return {kind: bytes(record) for kind, record in held.items() if record is not None}


class Identifier(models.Model):
    """A record number of a contact in a source system, as a blind index of source and number."""

    pk = models.CompositePrimaryKey("organisation_id", "value_index")
    organisation = _of_organisation()
    value_index = models.BinaryField()
    source = models.CharField(max_length=200)
    contact = _of_contact()
    origin = models.BigIntegerField(null=True)
    """The contact whose number it is, where it was merged into `contact`."""

    class Meta:
        indexes = [models.Index(fields=["contact"], name="contacts_identifier_of")]

    def __str__(self) -> str:
        return self.source


class Event(models.Model):
    """Something that happened to a contact: opaque ids in the clear, properties sealed.

    Partitioned by month of `received_at`, so the table is made by SQL in the migration.
    """

    id = models.BigIntegerField(primary_key=True)
    organisation = _of_organisation()
    contact = _of_contact()
    kind = models.CharField(max_length=60)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    source = models.CharField(max_length=200, default="")
    campaign = models.UUIDField(null=True)
    """The template, workflow, segment or list that it concerns."""
    message_id = models.BigIntegerField(null=True)
    link = models.CharField(max_length=100, default="")
    machine = models.BooleanField(default=False)
    """A program did it, not the person; recorded, and never drives a branch."""
    properties = models.BinaryField(null=True)
    through = models.BigIntegerField(null=True)
    """The contact that was named or had it before, where it was merged into `contact`."""
    txid = TransactionNumberField()

    class Meta:
        managed = False
        db_table = "contacts_event"

    def __str__(self) -> str:
        return str(self.id)


class EventKey(models.Model):
    """An idempotency key that was used, with a keyed hash of what it was used for."""

    pk = models.CompositePrimaryKey("organisation_id", "key_hash")
    organisation = _of_organisation()
    key_hash = models.BinaryField()
    body_hash = models.BinaryField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return "idempotency key"


class ContactList(tenancy.TenantModel):
    """A hand-made list of contacts. Its name is sealed: it often says what its people have."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = SealedTextField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)


class ListMember(models.Model):
    pk = models.CompositePrimaryKey("list_id", "contact_id")
    organisation = _of_organisation()
    list = models.ForeignKey(ContactList, on_delete=models.CASCADE, related_name="members")
    contact = _of_contact()
    added_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["contact"], name="contacts_lists_of")]

    def __str__(self) -> str:
        return str(self.contact_id)


class Dirty(models.Model):
    """A contact whose sealed columns no longer tell the truth; written with the change itself."""

    seq = models.BigAutoField(primary_key=True)
    organisation = _of_organisation()
    contact = _of_contact()
    gathered = models.IntegerField(null=True)
    """The side block that has the contact's values since (`contacts.segments.gathering`)."""

    class Meta:
        indexes = [models.Index(fields=["organisation", "seq"], name="contacts_dirty_of")]

    def __str__(self) -> str:
        return str(self.contact_id)


class ImportRun(tenancy.TenantModel):
    """One file that came in: what it was, who brought it, and what became of it."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        MAPPING = "mapping", "Waits for its columns"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked, nothing written"
        REFUSED = "refused", "Refused, nothing written"
        RUNNING = "running", "Being imported"
        PAUSED = "paused", "Paused"
        FAILED = "failed", "Stopped by a failure"
        DONE = "done", "Imported"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"
        DROPPED = "dropped", "Given up, nothing written"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    form = models.CharField(max_length=10)
    """fhir, csv or xlsx."""
    source = models.CharField(max_length=200)
    sha256 = models.BinaryField(null=True)
    state = models.CharField(max_length=10, choices=State.choices)
    actor = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    read = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    """Rows that were left out, each with its reason."""
    ignored = models.JSONField(default=dict)
    """How many resources of each type, or columns, were read past."""

    class Meta:
        indexes = [models.Index(fields=["organisation", "-started_at"], name="contacts_imports")]

    def __str__(self) -> str:
        return str(self.id)


class ImportProblem(tenancy.TenantModel):
    """One thing wrong with a file: its place and what to do, never a value."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="problems")
    place = models.CharField(max_length=300)
    message = models.CharField(max_length=500)

    def __str__(self) -> str:
        return self.place


# Django finds a floor's models here; those of other rooms stand with the rest of their room.
from contacts.declared.models import (  # noqa: E402
    CodeGroup,
    CodeGroupVersion,
    CustomField,
    FieldMark,
)
from contacts.history.models import Origin, ValueChange  # noqa: E402
from contacts.households.models import (  # noqa: E402
    Household,
    HouseholdMember,
    Representation,
)
from contacts.importing.models import (  # noqa: E402
    ImportChunk,
    ImportJob,
    ImportMapping,
    ImportMark,
    ImportSeen,
)
from contacts.merge.models import (  # noqa: E402
    BeforeMerge,
    Merge,
    MergeProposal,
    SinceMerge,
)
from contacts.points.models import ContactPoint  # noqa: E402
from contacts.segments.live.models import (  # noqa: E402
    Feed,
    Following,
    Foreseen,
    SegmentCount,
    Touch,
)
from contacts.segments.models import (  # noqa: E402
    CountTold,
    Membership,
    Segment,
    SegmentApproval,
    SegmentColumn,
)

__all__ = [
    "BeforeMerge",
    "CodeGroup",
    "CodeGroupVersion",
    "Contact",
    "ContactList",
    "ContactPoint",
    "CountTold",
    "CustomField",
    "Dirty",
    "Event",
    "EventKey",
    "Feed",
    "FieldMark",
    "Following",
    "Foreseen",
    "Household",
    "HouseholdMember",
    "Identifier",
    "ImportChunk",
    "ImportJob",
    "ImportMapping",
    "ImportMark",
    "ImportProblem",
    "ImportRun",
    "ImportSeen",
    "ListMember",
    "Membership",
    "Merge",
    "MergeProposal",
    "Ordinal",
    "Origin",
    "Representation",
    "Segment",
    "SegmentApproval",
    "SegmentColumn",
    "SegmentCount",
    "SinceMerge",
    "Touch",
    "ValueChange",
]
