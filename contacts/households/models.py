"""Households, and people who act for others."""

from __future__ import annotations

from django.db import models

from accounts import tenancy
from contacts.fields import DataClass
from crypto.ids import uuid7


class Household(tenancy.TenantModel):
    """People who live together. It has no name: whom it joins says enough, and is ids alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class HouseholdMember(models.Model):
    pk = models.CompositePrimaryKey("household_id", "contact_id")
    organisation = tenancy.OrganisationKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="+", editable=False
    )
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="members")
    contact_id = models.BigIntegerField()
    joined_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["contact_id"], name="contacts_household_of")]

    def __str__(self) -> str:
        return str(self.contact_id)


class Representation(tenancy.TenantModel):
    """Somebody may act for a contact. Name and authority are sealed under the contact's key."""

    classified = {"kind": "opaque", "source": "opaque", "payload": DataClass.IDENTITY}

    class Kind(models.TextChoices):
        PARENT = "parent", "Parent of a minor"
        GUARDIAN = "guardian", "Guardian of a minor"
        REPRESENTATIVE = "representative", "Personal representative"
        EXECUTOR = "executor", "Executor or administrator after death"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact_id = models.BigIntegerField()
    holder_id = models.BigIntegerField(null=True)
    """The contact who acts, where that person is one too."""
    kind = models.CharField(max_length=14, choices=Kind)
    payload = models.BinaryField()
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    """The last day; the authority over a minor ends on the birthday of majority by itself."""
    source = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["contact_id"], name="contacts_represented"),
            models.Index(fields=["holder_id"], name="contacts_representing"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
