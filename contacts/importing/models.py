"""What a background import needs between two looks of its loop. All of it goes with the file."""

from __future__ import annotations

from django.db import models

from accounts import tenancy
from contacts.fields import DataClass
from crypto.fields import SealedJSONField, SealedTextField
from crypto.ids import uuid7

OPAQUE = "opaque"


class ImportJob(tenancy.TenantModel):
    """The work of one run: how the file is read, what its columns mean, and how far it has come."""

    classified = {
        "name": DataClass.IDENTITY,
        "reading": DataClass.IDENTITY,
        "header": DataClass.CLINICAL,
        "samples": DataClass.CLINICAL,
        "mapping": DataClass.CLINICAL,
        "after": OPAQUE,
        "foreseen": OPAQUE,
        "undone": OPAQUE,
        "problem": OPAQUE,
        "holder": OPAQUE,
    }

    class After(models.TextChoices):
        """What follows once the file has been read."""

        WAIT = "wait", "Wait for a mapping"
        CHECK = "check", "Check"
        RUN = "run", "Check, then import"

    run = models.OneToOneField(
        "contacts.ImportRun", on_delete=models.CASCADE, primary_key=True, related_name="job"
    )
    name = SealedTextField(max_length=255)
    size = models.BigIntegerField(default=0)
    reading = SealedJSONField()
    """encoding, delimiter, sheet, head (the header's line) as chosen; sheets and notes as found."""
    header = SealedJSONField()
    samples = SealedJSONField()
    mapping = SealedJSONField()
    after = models.CharField(max_length=5, choices=After.choices, default=After.WAIT)
    strict = models.BooleanField(default=False)
    """One refused row refuses the whole file."""
    rows = models.IntegerField(default=0)
    chunks = models.IntegerField(default=0)
    next_chunk = models.IntegerField(default=0)
    """Everything before it is done; moved in the transaction that does it."""
    begun = models.BooleanField(default=False)
    """Writing has begun."""
    foreseen = models.JSONField(default=dict)
    """What the check counted: new, changed, unchanged, refused, repeated, and warnings."""
    undone = models.JSONField(default=dict)
    """What undoing did: removed, kept, restored, partly."""
    failures = models.IntegerField(default=0)
    problem = models.CharField(max_length=300, default="")
    holder = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    """Reading a file takes more than one transaction; who holds the lease does it."""
    keep_until = models.DateTimeField()
    """The file, its rows and its refused rows are deleted then."""
    undo_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.pk)


class ImportChunk(models.Model):
    """A sealed part of a file, of its rows, or of its refused rows."""

    classified = {"kind": OPAQUE, "payload": DataClass.CLINICAL}

    class Kind(models.TextChoices):
        FILE = "file", "The file as it came"
        ROWS = "rows", "Rows as they were read"
        REFUSED = "refused", "Rows that were refused, with the reasons"

    pk = models.CompositePrimaryKey("run_id", "kind", "number")
    organisation = tenancy.OrganisationKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    run = models.ForeignKey(
        "contacts.ImportRun", on_delete=models.CASCADE, db_index=False, related_name="chunks"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.IntegerField()
    count = models.IntegerField(default=0)
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.run_id} {self.kind} {self.number}"


class ImportSeen(models.Model):
    """A record number that a check has met in this file, as its blind index."""

    classified = {"token": OPAQUE}

    pk = models.CompositePrimaryKey("run_id", "token")
    organisation = tenancy.OrganisationKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    run = models.ForeignKey(
        "contacts.ImportRun", on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    token = models.BinaryField()

    def __str__(self) -> str:
        return "a record number"


class ImportMark(models.Model):
    """What a run did to one contact, so that it can be undone."""

    classified = {"before": DataClass.CLINICAL}

    pk = models.CompositePrimaryKey("run_id", "contact_id")
    organisation = tenancy.OrganisationKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    run = models.ForeignKey(
        "contacts.ImportRun", on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    contact = models.ForeignKey(
        "contacts.Contact",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    created = models.BooleanField()
    version = models.IntegerField()
    """The contact's version when the run was done with it; a higher one means that somebody else
    has changed it since."""
    before = models.BinaryField(null=True)
    """For each field that changed: what stood there before, and what the run put there. Sealed
    with the contact's own key, so that erasing the person erases this too."""

    def __str__(self) -> str:
        return str(self.contact_id)


class ImportMapping(tenancy.TenantModel):
    """What the columns of a source's files meant the last time."""

    classified = {"source": OPAQUE, "mapping": DataClass.CLINICAL}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.CharField(max_length=200)
    mapping = SealedJSONField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "source"], name="contacts_import_mapping"
            )
        ]

    def __str__(self) -> str:
        return self.source
