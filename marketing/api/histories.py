"""What was known of a contact before, and who changed it; values as far as the key may see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from contacts.fields import SEALED_CLASSES, DataClass
from contacts.history import reading
from contacts.history.reading import Changed, Provenance
from contacts.models import Contact
from marketing.api import people
from marketing.api.contacts import classes_of
from marketing.api.machines import MachineView, Scopes


class DifferenceRow(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="The key of a field; `addresses` for an address.")
    before = serializers.JSONField(allow_null=True, help_text="Of a list, what left it.")
    after = serializers.JSONField(allow_null=True, help_text="Of a list, what came to it.")


class ChangeRow(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    data_class = serializers.ChoiceField(choices=[one.value for one in DataClass])
    known_from = serializers.CharField(help_text="The system that said it.")
    actor = serializers.CharField(help_text="Who brought it: `staff:…`, `api_key:…`, `system:…`.")
    mapping = serializers.CharField(
        help_text="The rules that turned the source's form into values."
    )
    import_id = serializers.UUIDField(allow_null=True)
    message_id = serializers.CharField(
        allow_null=True,
        help_text="Of the message that it came with; null where there was none, or where the "
        "key's scopes do not open the class.",
    )
    differences = DifferenceRow(
        many=True, allow_null=True, help_text="Null where the key's scopes do not open the class."
    )


class ChangeRows(serializers.Serializer[Any]):
    changes = ChangeRow(many=True)
    withheld = serializers.ListField(child=serializers.CharField())


class History(MachineView):
    """The changes of one contact."""

    scopes: ClassVar[Scopes] = {"GET": Permission.CONTACTS_VIEW}

    @extend_schema(
        operation_id="read_history",
        summary="Read what changed of a contact",
        description=f"The newest {reading.MOST} changes. What somebody first came with is no "
        "change. Values need the scopes that open their class, as `read_contact` does; every "
        "reading is in the trail.",
        responses=ChangeRows,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        opened = classes_of(self.key())
        with transaction.atomic():
            every = reading.changes_of(contact_id)
            shown = reading.revealed(contact_id, opened, purpose="api_history") if opened else []
            trail.record("contact.viewed", subject=f"contact:{contact_id}")
        return Response(
            {
                "changes": _rows(every, shown),
                "withheld": sorted(set(DataClass) - set(opened)),
            }
        )


def _rows(every: Sequence[Changed], shown: Sequence[Changed]) -> list[dict[str, Any]]:
    values = {one.row.pk: one.fields for one in shown}
    messages = {one.row.pk: one.message for one in shown}
    return [
        {
            "at": one.origin.at,
            "data_class": one.row.data_class,
            "known_from": one.origin.source,
            "actor": f"{one.origin.actor_kind}:{one.origin.actor_id}",
            "mapping": one.origin.mapping,
            "import_id": one.origin.run and str(one.origin.run),
            "message_id": messages.get(one.row.pk) or None,
            "differences": _differences(values.get(one.row.pk)),
        }
        for one in every
    ]


def _differences(fields: dict[str, tuple[Any, Any]] | None) -> list[dict[str, Any]] | None:
    if fields is None:
        return None
    return [{"field": key, "before": old, "after": new} for key, (old, new) in fields.items()]


class OriginRow(serializers.Serializer[Any]):
    field = serializers.CharField()
    data_class = serializers.ChoiceField(choices=[one.value for one in DataClass])
    known_from = serializers.CharField(help_text="The system that said it.")
    known_at = serializers.DateTimeField(help_text="When it was known there.")
    came_at = serializers.DateTimeField(allow_null=True, help_text="When it came here.")
    actor = serializers.CharField(help_text="Who brought it.")
    import_id = serializers.UUIDField(allow_null=True)
    message_id = serializers.CharField(allow_null=True)
    mapping = serializers.CharField(help_text="The version of the rules that read it.")


class OriginRows(serializers.Serializer[Any]):
    fields = OriginRow(many=True)  # type: ignore[assignment]  # the name that the answer has
    withheld = serializers.ListField(child=serializers.CharField())


class Origins(MachineView):
    """Where the values of one contact come from."""

    scopes: ClassVar[Scopes] = {"GET": Permission.CONTACTS_VIEW}

    @extend_schema(
        operation_id="read_provenance",
        summary="Read where each value comes from",
        description="Source, message, time and version of the mapping of each field that has a "
        "value, of the classes that the key's scopes open. The reading is in the trail.",
        responses=OriginRows,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        opened = [kind for kind in classes_of(self.key()) if kind in SEALED_CLASSES]
        contact = Contact.objects.get(pk=contact_id)
        with transaction.atomic():
            trail.record("contact.viewed", subject=f"contact:{contact_id}")
            rows = [
                _origin(field, kind, one)
                for kind, found in reading.origins(
                    contact, opened, purpose="api_provenance"
                ).items()
                for field, one in found.items()
            ]
        return Response({"fields": rows, "withheld": sorted(set(SEALED_CLASSES) - set(opened))})


def _origin(field: str, kind: DataClass, one: Provenance) -> dict[str, Any]:
    return {
        "field": field,
        "data_class": kind.value,
        "known_from": one.source,
        "known_at": one.known_at,
        "came_at": one.came_at,
        "actor": one.actor,
        "import_id": one.run and str(one.run),
        "message_id": one.message or None,
        "mapping": one.mapping,
    }
