"""What is remembered of merges, so that each can be taken back."""

from __future__ import annotations

from django.db import models

from accounts import tenancy
from contacts.fields import DataClass
from crypto.ids import uuid7


class MergeProposal(tenancy.TenantModel):
    """Two contacts that may be one person, for a person to decide. `first_id` < `second_id`."""

    classified = {"reason": "opaque", "state": "opaque", "decided_by": "opaque"}

    class State(models.TextChoices):
        OPEN = "open", "To review"
        MERGED = "merged", "Merged"
        DIFFERENT = "different", "Not the same person"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    first_id = models.BigIntegerField()
    second_id = models.BigIntegerField()
    reason = models.CharField(max_length=24)
    """A code of `contacts.merge.proposing.REASONS`."""
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    made_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first_id", "second_id"], name="contacts_proposal_once")
        ]
        indexes = [models.Index(fields=["organisation", "state", "id"], name="contacts_proposals")]

    def __str__(self) -> str:
        return str(self.pk)


class Merge(tenancy.TenantModel):
    """One merge. `carried`: ids of what other floors moved; `lists`: which lists it changed."""

    classified = {"actor": "opaque", "carried": "opaque", "lists": "opaque", "undone_by": "opaque"}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    survivor_id = models.BigIntegerField()
    absorbed_id = models.BigIntegerField()
    actor = models.CharField(max_length=80)
    merged_at = models.DateTimeField()
    mark = models.BigIntegerField()
    """The last entry of `SinceMerge` at the time: later ones came after this merge."""
    lists = models.JSONField(default=dict)
    carried = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["absorbed_id"],
                condition=models.Q(undone_at=None),
                name="contacts_absorbed_once",
            )
        ]
        indexes = [models.Index(fields=["survivor_id"], name="contacts_merges_into")]

    def __str__(self) -> str:
        return str(self.pk)


class BeforeMerge(models.Model):
    """The sealed records of a survivor as they were before its first merge, byte for byte."""

    classified = {
        "identity": DataClass.IDENTITY,
        "contact_point": DataClass.CONTACT_POINT,
        "demographic": DataClass.DEMOGRAPHIC,
        "clinical": DataClass.CLINICAL,
        "coverage": DataClass.COVERAGE,
    }

    contact_id = models.BigIntegerField(primary_key=True)
    organisation = tenancy.OrganisationKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="+", editable=False
    )
    identity = models.BinaryField(null=True)
    contact_point = models.BinaryField(null=True)
    demographic = models.BinaryField(null=True)
    clinical = models.BinaryField(null=True)
    coverage = models.BinaryField(null=True)

    def __str__(self) -> str:
        return str(self.contact_id)


class SinceMerge(tenancy.TenantModel):
    """A change that came for a merged person, sealed under the key of the contact it belongs to."""

    classified = {"said": DataClass.CLINICAL}

    id = models.BigAutoField(primary_key=True)
    owner_id = models.BigIntegerField()
    said = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["owner_id", "id"], name="contacts_since_merge")]

    def __str__(self) -> str:
        return str(self.pk)
