"""Segments, the sealed columns they are evaluated over, and who was in at the last refresh."""

from __future__ import annotations

from django.db import models

from accounts import tenancy
from contacts.fields import DataClass
from crypto.fields import SealedJSONField, SealedTextField
from crypto.ids import uuid7


class Segment(tenancy.TenantModel):
    """A named definition. Name, definition and labels are sealed: they say what its people have.

    An invalid segment keeps its last members and cannot be sent to.
    """

    classified = {
        "name": DataClass.CLINICAL,
        "definition": DataClass.CLINICAL,
        "labels": DataClass.CLINICAL,
        "status": "opaque",
        "problem": "opaque",
        "changed_by": "opaque",
    }

    class Status(models.TextChoices):
        VALID = "valid", "Valid"
        INVALID = "invalid", "Broken"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = SealedTextField(max_length=120)
    definition = SealedJSONField()
    labels = SealedJSONField()
    """Sensitivity labels that follow the data in: names such as `substance_use`."""
    version = models.IntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.VALID)
    problem = models.CharField(max_length=500, default="", blank=True)
    count = models.BigIntegerField(null=True)
    counted_at = models.DateTimeField(null=True)
    refreshed_at = models.DateTimeField(null=True)
    """When the members were last worked out; null until the first time."""
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)
    changed_by = models.CharField(max_length=120, default="")
    """Whoever wrote the present definition: the one who may not approve it."""
    awaits_approval = models.BooleanField(default=False)
    """It reads a sensitive label, and no second person has approved what it means now."""

    class Meta:
        indexes = [models.Index(fields=["organisation", "refreshed_at"], name="contacts_seg_due")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def sendable(self) -> bool:
        """Whether it may be sent to; `approvals.why_not` says why not, from the rows."""
        usable = self.status == self.Status.VALID and self.archived_at is None
        return usable and not self.awaits_approval


class SegmentApproval(tenancy.TenantModel):
    """A second person's answer about a segment that reads a sensitive label.

    `fingerprint` is a keyed hash of what the segment meant when it was asked: a plain one would let
    whoever holds a dump try definitions out.
    """

    classified = {
        "fingerprint": "opaque",
        "requested_by": "opaque",
        "decided_by": "opaque",
        "verdict": "opaque",
        "reason": DataClass.CLINICAL,
    }

    class Verdict(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        VOID = "void", "Void: it was changed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="approvals")
    version = models.IntegerField()
    fingerprint = models.BinaryField(max_length=32)
    requested_by = models.CharField(max_length=120)
    requested_at = models.DateTimeField()
    verdict = models.CharField(max_length=10, choices=Verdict.choices, default=Verdict.WAITING)
    decided_by = models.CharField(max_length=120, default="")
    decided_at = models.DateTimeField(null=True)
    reason = SealedTextField(max_length=400, default="")

    def __str__(self) -> str:
        return str(self.id)


class SegmentColumn(models.Model):
    """One column of one block of 8,192 contacts, sealed. Derived: backups leave it out."""

    classified = {"field": "opaque", "payload": DataClass.CLINICAL}

    pk = models.CompositePrimaryKey("organisation_id", "field", "block")
    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    field = models.CharField(max_length=80)
    block = models.IntegerField()
    version = models.IntegerField()
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.field} {self.block}"


class Membership(models.Model):
    """Which of a block's contacts were in the segment at its last refresh: a sealed bitmap."""

    classified = {"payload": DataClass.CLINICAL}

    pk = models.CompositePrimaryKey("segment_id", "block")
    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    block = models.IntegerField()
    version = models.IntegerField()
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"block {self.block}"


class CountTold(tenancy.TenantModel):
    """What a blurred count was answered from, so that asking again tells nothing new.

    The question is a keyed hash: a dump says how many of nobody knows what.
    """

    classified = {"question": "opaque"}

    id = models.BigAutoField(primary_key=True)
    question = models.BinaryField(max_length=16)
    size = models.BigIntegerField()
    epoch = models.IntegerField()
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "question"], name="contacts_count_told_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
