"""Addresses of people: those beyond the one of each kind that the record itself holds."""

from __future__ import annotations

from django.db import models

from accounts import tenancy
from contacts.fields import DataClass
from crypto.ids import uuid7


class ContactPoint(tenancy.TenantModel):
    """One address of one person. A row for the record's own address says more of it (bounced,
    reserved); without one the record's own is in use.

    `payload` is sealed under the contact's key: the value, and the categories of communication
    that go only there. That an address is reserved stands in the clear; for what it is does not.
    """

    classified = {
        "kind": "opaque",
        "use": "opaque",
        "state": "opaque",
        "verified_by": "opaque",
        "source": "opaque",
        "value_index": "opaque",
        "payload": DataClass.CONTACT_POINT,
    }

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        POSTAL = "postal", "Postal address"

    class Use(models.TextChoices):
        HOME = "home", "Home"
        WORK = "work", "Work"
        MOBILE = "mobile", "Mobile"
        TEMPORARY = "temp", "Temporary"
        BILLING = "billing", "Billing"
        OLD = "old", "Old"

    class State(models.TextChoices):
        UNVERIFIED = "unverified", "Not verified"
        VERIFIED = "verified", "Verified"
        BOUNCED = "bounced", "Bounced"

    class Verified(models.TextChoices):
        DOUBLE_OPT_IN = "double_opt_in", "Confirmed by the person"
        STAFF = "staff", "Checked by staff"
        EHR = "ehr", "Checked by the source"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact_id = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    use = models.CharField(max_length=8, choices=Use, default=Use.HOME)
    rank = models.PositiveSmallIntegerField(default=1)
    preferred = models.BooleanField(default=False)
    confidential = models.BooleanField(default=False)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    """The last day on which it may be used."""
    state = models.CharField(max_length=12, choices=State, default=State.UNVERIFIED)
    verified_by = models.CharField(max_length=14, choices=Verified, blank=True)
    verified_at = models.DateTimeField(null=True)
    value_index = models.BinaryField(null=True)
    payload = models.BinaryField()
    source = models.CharField(max_length=200)
    known_at = models.DateTimeField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["contact_id"], name="contacts_points_of"),
            models.Index(
                fields=["organisation", "value_index"],
                condition=models.Q(value_index__isnull=False),
                name="contacts_points_by_value",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
