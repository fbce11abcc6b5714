"""The trail, its seals, and the record of disclosures.

The application's role may insert and read entries and batches, never change or remove them.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.db import models
from django.db.models import Func

from audit.settled import TransactionNumberField
from crypto.fields import SealedTextField
from crypto.ids import uuid7


class ActingOrganisation(Func):
    """The organisation whose scope is set on this connection."""

    template = "nullif(current_setting('attune.organisation', true), '')::integer"
    arity = 0


class ClockTime(Func):
    """The server's clock at this very moment."""

    function = "clock_timestamp"
    arity = 0


class Entry(models.Model):
    """One act, by whom, on what. Written only by `audit.trail`; holds no PHI."""

    append_only: ClassVar = True
    id = models.BigAutoField(primary_key=True)
    organisation_id = models.IntegerField(db_default=ActingOrganisation())
    epoch = models.SmallIntegerField(db_default=0)
    """Grows when the database moves to another server, whose transaction numbers begin anew."""
    txid = TransactionNumberField()
    at = models.DateTimeField(db_default=ClockTime())
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=100)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=100, blank=True, default="")
    outcome = models.CharField(max_length=100, default="done")
    detail = models.TextField(default="{}")
    """Canonical JSON: sorted names, no spaces, ASCII."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organisation_id", "epoch", "txid", "id"], name="entry_order"),
            models.Index(fields=["organisation_id", "subject", "id"], name="entry_subject"),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}: {self.action}"

    def facts(self) -> dict[str, Any]:
        """Return the detail as data."""
        found: dict[str, Any] = json.loads(self.detail)
        return found


class Batch(models.Model):
    """A run of entries, sealed: their digest, their Merkle root, the batch before, a signature."""

    append_only: ClassVar = True
    id = models.BigAutoField(primary_key=True)
    organisation_id = models.IntegerField()
    number = models.IntegerField()
    """1, 2, 3 ... for each organisation, without gaps."""
    epoch = models.SmallIntegerField()
    last_txid = models.BigIntegerField()
    last_id = models.BigIntegerField()
    """The batch takes what comes after the batch before, up to and with this entry."""
    entries = models.IntegerField()
    total = models.BigIntegerField()
    """Entries in this batch and all before it."""
    content = models.BinaryField()
    """SHA-256 of the entries' canonical lines."""
    root = models.BinaryField()
    """RFC 6962 Merkle root over the same lines."""
    previous = models.BinaryField()
    """The hash of the batch before; 32 zero bytes for the first."""
    hash = models.BinaryField()
    sealed_at = models.DateTimeField()
    key_version = models.PositiveSmallIntegerField()
    signature = models.BinaryField()
    hints = models.BinaryField()
    """Each entry's id and the first 8 bytes of its leaf hash: names the culprit, proves nothing."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation_id", "number"], name="batch_number"),
        ]

    def __str__(self) -> str:
        return f"batch {self.number} of organisation {self.organisation_id}"


class Disclosure(models.Model):
    """What was given to someone outside: when, to whom, where, what, why, on what basis."""

    append_only: ClassVar = True
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation_id = models.IntegerField()
    contact_id = models.BigIntegerField(null=True)
    """Empty for a disclosure of many people; `count` then says how many."""
    count = models.IntegerField(default=1)
    at = models.DateTimeField()
    recipient = SealedTextField()
    address = SealedTextField()
    what = SealedTextField()
    purpose = models.CharField(max_length=60)
    basis = models.CharField(max_length=60)
    recorded_at = models.DateTimeField(db_default=ClockTime())
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=100)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organisation_id", "contact_id", "at"], name="disclosure_contact")
        ]

    def __str__(self) -> str:
        return f"disclosure {self.pk}"
