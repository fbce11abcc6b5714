"""Mail that came back, handed in by a mail server or a script."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid
from messaging.hearing import intake

MOST = 2_000_000
"""Characters of base64; who sends more may leave out the returned mail's body."""


class ReturnedMailForm(Form):
    mail = serializers.CharField(max_length=MOST, trim_whitespace=False)


class ReturnedMailTaken(serializers.Serializer[Any]):
    kind = serializers.CharField()
    matched = serializers.BooleanField()
    repeated = serializers.BooleanField()


class ReturnedMail(MachineView):
    """Bounces, complaints, automatic answers and replies."""

    scopes: ClassVar[Scopes] = {"POST": Permission.EVENTS_WRITE}

    @extend_schema(
        operation_id="hand_in_returned_mail",
        summary="Hand in a mail that came back",
        description="The whole mail in base64. The same mail counts once, however often it comes.",
        request=ReturnedMailForm,
        responses=ReturnedMailTaken,
        examples=[
            OpenApiExample(
                "A bounce", value={"mail": "RnJvbTogTUFJTEVSLURBRU1PTg=="}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        form = ReturnedMailForm(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            raw = b64decode(form.validated_data["mail"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid([Fault("/mail", "This must be the whole mail in base64.")]) from None
        taken = intake.take(raw, source="api", now=self.now)
        return Response({"kind": taken.kind, "matched": taken.matched, "repeated": taken.repeated})
