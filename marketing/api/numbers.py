"""Numbers that get no texts, many at once: changed hands, or on a do-not-call list (TC-06)."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from consent.choices import number_checks
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes

MOST = 10_000


class NumberListForm(Form):
    reason = serializers.ChoiceField(choices=list(number_checks.REASONS))
    numbers = serializers.ListField(
        child=serializers.CharField(max_length=32), min_length=1, max_length=MOST
    )


class RefusedNumber(serializers.Serializer[Any]):
    place = serializers.IntegerField(help_text="From 1 on.")
    why = serializers.CharField()


class NumberListTaken(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Stood before.")
    refused = RefusedNumber(many=True)


class NumberLists(MachineView):
    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="list_numbers",
        summary="Leave numbers out of texts",
        description="Numbers of the United States, ten digits or with +1. A signature that is "
        "younger than `reassigned`, or that names texts, outweighs the list.",
        request=NumberListForm,
        responses={201: NumberListTaken},
        examples=[
            OpenApiExample(
                "Changed hands",
                value={"reason": "reassigned", "numbers": ["+16175550101"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        form = NumberListForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(lambda: self._listed(form.validated_data), "numbers", request.data)

    def _listed(self, given: dict[str, Any]) -> Response:
        lines = "\n".join(one.replace("\n", " ").replace(",", " ") for one in given["numbers"])
        took = number_checks.take_list(
            lines.encode(), reason=given["reason"], received_by="api", now=self.now
        )
        refused = [{"place": line, "why": why} for line, why in took.faults]
        said = {"added": took.added, "known": took.known, "refused": refused}
        return Response(said, status=201)
