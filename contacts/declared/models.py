"""Fields and code groups of an organisation's own, and the mark that tells of changed fields."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.db import models

from accounts import tenancy
from contacts.fields import SEALED_CLASSES, DataClass, Field, FieldType, Sensitivity
from crypto.ids import uuid7

KINDS = (
    FieldType.TEXT,
    FieldType.NUMBER,
    FieldType.DECIMAL,
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.TIME,
    FieldType.DATETIME,
    FieldType.CHOICE,
    FieldType.CHOICES,
    FieldType.CODED,
)
"""The types that a field of one's own may have."""


class CustomField(tenancy.TenantModel):
    """A field that an organisation added.

    Key, type and data class never change: values stand under the key in the sealed record of the
    class, so a key that moved could show them to roles that its old class kept out. A deleted
    field keeps its row, so that nobody uses its key again.
    """

    classified = {
        "key": "opaque",
        "label": "opaque",
        "type": "opaque",
        "data_class": "opaque",
        "labels": "opaque",
        "choices": "opaque",
        "state": "opaque",
    }

    class State(models.TextChoices):
        ACTIVE = "active", "In use"
        ARCHIVED = "archived", "Archived"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=47)
    label = models.CharField(max_length=80)
    type = models.CharField(max_length=20)
    data_class = models.CharField(max_length=20)
    labels = models.JSONField()
    """Names of sensitivity labels; an empty list says that somebody decided for none."""
    choices = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    swept = models.BigIntegerField(null=True)
    """Of a deleted field: its values are gone from contacts up to this id; null when from all."""
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key"], name="contacts_field_key"),
            models.CheckConstraint(
                condition=models.Q(data_class__in=[kind.value for kind in SEALED_CLASSES]),
                name="contacts_field_has_class",
            ),
            models.CheckConstraint(
                condition=models.Q(type__in=[kind.value for kind in KINDS]),
                name="contacts_field_has_type",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def as_field(self) -> Field:
        """Return the field as the registry holds it; an archived one cannot be asked about."""
        archived = self.state == self.State.ARCHIVED
        return Field(
            key=self.key,
            label=self.label,
            type=FieldType(self.type),
            data_class=DataClass(self.data_class),
            sensitivity=sensitivity_of(self.labels),
            segmentable=not archived,
            choices=tuple(self.choices),
            custom=True,
            archived=archived,
        )


def sensitivity_of(names: list[str]) -> Sensitivity:
    """Return the labels of these names."""
    found = Sensitivity.NONE
    for name in names:
        found |= Sensitivity[name.upper()]
    return found


class FieldMark(models.Model):
    """Which state an organisation's own fields are in: every change writes another random mark.

    Random, not counted: a count that was rolled back would come again and mean something else.
    """

    organisation = models.OneToOneField(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
        default=tenancy.current,
    )
    mark = models.UUIDField(default=uuid4)

    def __str__(self) -> str:
        return str(self.mark)


class CodeGroup(tenancy.TenantModel):
    """A named set of codes, "diabetes" for example; what it holds stands in its versions."""

    classified = {"name": "opaque", "starter": "opaque"}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    starter = models.CharField(max_length=40, default="", blank=True)
    """Which shipped group it began as; empty for one's own."""
    version = models.IntegerField(default=0)
    """The newest one: the one that segments ask for."""
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "starter"],
                condition=~models.Q(starter=""),
                name="contacts_code_group_starter",
            )
        ]

    def __str__(self) -> str:
        return self.name


class CodeGroupVersion(tenancy.TenantModel):
    """What a group held from one moment on. The database lets nobody change or remove it."""

    append_only: ClassVar = True
    classified = {"codes": "opaque", "actor": "opaque"}

    group = models.ForeignKey(CodeGroup, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    codes = models.JSONField()
    """`[system, code, display]` each, in the order of their systems and codes."""
    actor = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "number"], name="contacts_code_group_number")
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
