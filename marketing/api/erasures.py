"""Erase a person for good: what goes and what stays is told first."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from contacts import erase
from marketing.api import people
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found


class ErasureForm(Form):
    reason = serializers.ChoiceField(
        choices=list(erase.REASONS.items()), help_text="Stands in the trail."
    )
    expected = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="The `total` that was read. Where it is another by now, nothing is erased (409).",
    )


class ErasureRow(serializers.Serializer[Any]):
    gone = serializers.DictField(
        child=serializers.IntegerField(), help_text="What goes, counted by name."
    )
    kept = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="What stays as proof, or so that nobody writes to the addresses again.",
    )
    total = serializers.IntegerField(help_text="Of all that goes.")


class Erasure(MachineView):
    """The end of a contact."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONTACTS_ERASE,
        "POST": Permission.CONTACTS_ERASE,
    }

    @extend_schema(
        operation_id="foresee_erasure",
        summary="Count what erasing a contact would take",
        responses=ErasureRow,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        trail.record(
            "contact.viewed", subject=f"contact:{contact_id}", detail={"purpose": "erasing"}
        )
        return Response(_row(erase.foresee(contact_id)))

    @extend_schema(
        operation_id="erase_contact",
        summary="Erase a contact for good",
        description="The person's key is destroyed, so that no copy opens again, in backups "
        "neither. Contacts that were merged into it go with it. Opt-outs and suppressions stay.",
        request=ErasureForm,
        responses=ErasureRow,
        examples=[
            OpenApiExample(
                "The person asked", value={"reason": "request", "expected": 12}, request_only=True
            )
        ],
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        form = ErasureForm(data=request.data)
        if not form.is_valid():
            people.one(public_id)  # nobody learns of a body's faults where there is no contact
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: self._erase(public_id, form.validated_data),
            "erase_contact",
            [str(public_id), request.data],
        )

    def _erase(self, public_id: UUID, given: dict[str, Any]) -> Response:
        try:
            return Response(_row(erase.erase(people.one(public_id), now=self.now, **given)))
        except erase.AlreadyErased:
            raise not_found("contact") from None
        except erase.CountChanged:
            detail = "Nothing was erased: what is known changed since. Read the counts again."
            raise Problem(409, "conflict", detail) from None


def _row(one: erase.Foreseen) -> dict[str, Any]:
    return {"gone": dict(one.gone), "kept": dict(one.kept), "total": one.total}
