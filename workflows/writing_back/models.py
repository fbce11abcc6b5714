"""What a workflow tells the record of care."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class WriteBack(TenantModel):
    """One thing told of one person; `position` is its place in the feed, once it is released."""

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(unique=True)
    position = models.BigIntegerField(null=True)
    enrolment_id = models.BigIntegerField()
    version_id = models.UUIDField()
    contact_id = models.BigIntegerField()
    node = models.CharField(max_length=40)
    event = models.CharField(max_length=60)
    about = models.CharField(max_length=40, blank=True, default="")
    """The send step whose message it is about."""
    message_id = models.BigIntegerField(null=True)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment_id", "node"], name="workflows_write_back_once"
            ),
            models.UniqueConstraint(
                fields=["organisation", "position"], name="workflows_write_back_place"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "id"],
                name="workflows_write_back_new",
                condition=models.Q(position=None),
            )
        ]

    def __str__(self) -> str:
        return str(self.key)


class WriteBackReceiver(TenantModel):
    """An endpoint that is told each thing in order: how, and how far it has accepted."""

    class Form(models.TextChoices):
        FHIR = "fhir", "JSON: FHIR R4 Communication"
        MDM = "mdm", "HL7 v2.5.1: MDM^T02, a note"
        ORU = "oru", "HL7 v2.5.1: ORU^R01, a result"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(
        "workflows.Endpoint", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    form = models.CharField(max_length=4, choices=Form)
    source = models.CharField(max_length=60, blank=True, default="")
    """Only record numbers of this source system are told; empty tells all."""
    application = models.CharField(max_length=60, blank=True, default="")
    facility = models.CharField(max_length=60, blank=True, default="")
    document = models.CharField(max_length=20, blank=True, default="")
    position = models.BigIntegerField()
    """Everything up to it was accepted or set aside."""
    attempts = models.PositiveIntegerField(default=0)
    """Of what comes next."""
    fence = models.BigIntegerField(default=0)
    """One more with each claim: whoever comes back with an earlier number writes nothing."""
    due_at = models.DateTimeField()
    reason = models.CharField(max_length=40, blank=True, default="")
    """Why the last attempt came to nothing, as a code."""
    accepted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=models.Q(archived_at=None),
                name="workflows_write_back_receiver_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "due_at"],
                name="workflows_write_back_due",
                condition=models.Q(archived_at=None),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class WriteBackSetAside(TenantModel):
    """One thing that a receiver would not have, or may not be told; the others went on."""

    receiver = models.ForeignKey(WriteBackReceiver, on_delete=models.CASCADE, related_name="+")
    position = models.BigIntegerField()
    reason = models.CharField(max_length=40)
    at = models.DateTimeField()
    again = models.BooleanField(default=False)
    """Staff asked for another attempt."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["receiver", "position"], name="workflows_write_back_aside_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.receiver_id} {self.position}"


class WriteBackReader(TenantModel):
    """How far a system that reads the feed by API has acknowledged it."""

    name = models.SlugField(max_length=40)
    position = models.BigIntegerField()
    acknowledged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"], name="workflows_write_back_reader_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
