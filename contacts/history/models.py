"""The origin of values, and each change of one."""

from __future__ import annotations

from django.db import models

from accounts import tenancy
from contacts.fields import DataClass


class Origin(tenancy.TenantModel):
    """Who said something, by which way, at one moment: a row for each batch, not for each value."""

    classified = {
        "source": "opaque",
        "mapping": "opaque",
        "actor_kind": "opaque",
        "actor_id": "opaque",
    }

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=200)
    run = models.UUIDField(null=True)
    mapping = models.CharField(max_length=40, blank=True)
    """The version of the rules that turned the source's form into values."""
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=100)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class ValueChange(tenancy.TenantModel):
    """What one change did to one class of a contact's values, sealed under the contact's key."""

    classified = {"data_class": "opaque", "payload": DataClass.CLINICAL}

    id = models.BigAutoField(primary_key=True)
    contact_id = models.BigIntegerField()
    data_class = models.CharField(max_length=16)
    origin_id = models.BigIntegerField()
    payload = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["contact_id", "-id"], name="contacts_changes_of")]

    def __str__(self) -> str:
        return str(self.pk)
