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
from contacts.fields import DataClass
from contacts.history import reading
from contacts.history.reading import Changed
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
    return [
        {
            "at": one.origin.at,
            "data_class": one.row.data_class,
            "known_from": one.origin.source,
            "actor": f"{one.origin.actor_kind}:{one.origin.actor_id}",
            "mapping": one.origin.mapping,
            "import_id": one.origin.run and str(one.origin.run),
            "differences": _differences(values.get(one.row.pk)),
        }
        for one in every
    ]


def _differences(fields: dict[str, tuple[Any, Any]] | None) -> list[dict[str, Any]] | None:
    if fields is None:
        return None
    return [{"field": key, "before": old, "after": new} for key, (old, new) in fields.items()]
