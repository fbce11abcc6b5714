"""What workflows tell the record of care, as a feed that another system reads by a cursor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import actions, trail
from contacts.fields import DataClass
from contacts.reveal import reveal
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid
from workflows import writing_back
from workflows.writing_back import Told, communication, receivers
from workflows.writing_back.telling import PURPOSE, numbers_of

PAGE = 200
READER = r"[a-z0-9][a-z0-9-]{0,39}"

actions.register("write_backs.read", ("count",))


class CommunicationRows(serializers.Serializer[Any]):
    communications = serializers.ListField(
        child=serializers.DictField(), help_text="FHIR R4 Communication, oldest first."
    )
    next = serializers.IntegerField(
        help_text="Send it as `after` the next time, or acknowledge it as `position`."
    )


class AcknowledgementForm(Form):
    reader = serializers.RegexField(
        rf"^{READER}$", help_text="The name under which the feed is read: a-z, 0-9 and -."
    )
    position = serializers.IntegerField(
        min_value=0, help_text="`next` of the page that is safely kept."
    )


class AcknowledgementBody(serializers.Serializer[Any]):
    reader = serializers.CharField()
    position = serializers.IntegerField(help_text="Where the reader goes on; it never goes back.")
    behind = serializers.IntegerField(help_text="How many were told after it.")


class WriteBacks(MachineView):
    """The feed of steps that tell the record of care."""

    scopes: ClassVar[Scopes] = {"GET": Permission.CONTACTS_REVEAL_CLINICAL}

    @extend_schema(
        operation_id="read_write_backs",
        summary="Read what workflows tell the record of care",
        description="Each step of kind `write_back` that somebody passed, as a FHIR R4 "
        "Communication: whether the message that it is about was sent, and if not, why. Nothing "
        "is told before that is known, and the order never changes, so that who has read up to a "
        "position has missed nothing. To be at a step may say what ails somebody, which is why "
        "the scope is the one for clinical facts; record numbers come with that for identity.",
        parameters=[
            OpenApiParameter("after", OpenApiTypes.INT, description="`next` of the page before."),
            OpenApiParameter(
                "reader",
                OpenApiTypes.STR,
                description="In place of `after`: go on behind what this reader acknowledged.",
            ),
        ],
        responses=CommunicationRows,
    )
    def get(self, request: Request) -> Response:
        after = _position(request)
        told = writing_back.read(after=after, limit=PAGE)
        numbers = _numbers(told) if self.key().allows(Permission.CONTACTS_REVEAL_IDENTITY) else {}
        trail.record("write_backs.read", detail={"count": len(told)})
        return Response(
            {
                "communications": [
                    communication.resource(one, numbers.get(one.contact_id, ())) for one in told
                ],
                "next": told[-1].position if told else after,
            }
        )


class Acknowledgements(MachineView):
    """How far a system that reads the feed has kept it."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_REVEAL_CLINICAL}

    @extend_schema(
        operation_id="acknowledge_write_backs",
        summary="Acknowledge what was read of the feed of write-backs",
        description="Whoever reads with `reader` gets the same page again until it is "
        "acknowledged: after a crash between reading and keeping, nothing is missed. The place "
        "belongs to the name, not to the API key, so that keys may change. Sent again it changes "
        "nothing, and an earlier position moves nobody back.",
        request=AcknowledgementForm,
        responses=AcknowledgementBody,
        examples=[
            OpenApiExample(
                "Kept up to 1042", value={"reader": "epic", "position": 1042}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        form = AcknowledgementForm(data=request.data)
        form.is_valid(raise_exception=True)
        name, position = form.validated_data["reader"], form.validated_data["position"]
        try:
            place = receivers.acknowledge(name, position, now=self.now)
        except receivers.BeyondTheEnd:
            raise invalid([Fault("/position", "Nothing stands there yet: send next.")]) from None
        return Response({"reader": name, "position": place, "behind": receivers.behind(place)})


def _position(request: Request) -> int:
    reader, given = request.query_params.get("reader", ""), request.query_params.get("after", "")
    if reader:
        return _place(reader, given)
    given = given or "0"
    if not given.isdecimal() or len(given) > 18:
        raise invalid([Fault("/after", "Send the number that stood in next.")])
    return int(given)


def _place(reader: str, after: str) -> int:
    if not re.fullmatch(READER, reader):
        raise invalid([Fault("/reader", "Name it with a-z, 0-9 and -, a hyphen not first.")])
    if after:
        raise invalid([Fault("/after", "Send reader or after, not both.")])
    return receivers.acknowledged(reader)


def _numbers(told: Sequence[Told]) -> dict[int, list[tuple[str, str]]]:
    ids = sorted({one.contact_id for one in told})
    known = reveal(ids, [DataClass.IDENTITY], purpose=PURPOSE) if ids else {}
    return {id_: numbers_of(values) for id_, values in known.items()}
