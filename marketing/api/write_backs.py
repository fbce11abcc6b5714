"""What workflows tell the record of care, as a feed that another system reads by a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import actions, trail
from contacts.fields import DataClass
from contacts.reveal import reveal
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid
from workflows import writing_back
from workflows.writing_back import Told, communication

PAGE = 200

actions.register("write_backs.read", ("count",))


class CommunicationRows(serializers.Serializer[Any]):
    communications = serializers.ListField(
        child=serializers.DictField(), help_text="FHIR R4 Communication, oldest first."
    )
    next = serializers.IntegerField(help_text="Send it as `after` the next time.")


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
            OpenApiParameter("after", OpenApiTypes.INT, description="`next` of the page before.")
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


def _position(request: Request) -> int:
    given = request.query_params.get("after", "0")
    if not given.isdecimal() or len(given) > 18:
        raise invalid([Fault("/after", "Send the number that stood in next.")])
    return int(given)


def _numbers(told: Sequence[Told]) -> dict[int, list[tuple[str, str]]]:
    ids = sorted({one.contact_id for one in told})
    known = reveal(ids, [DataClass.IDENTITY], purpose="write-backs") if ids else {}
    return {
        id_: [(one["source"], one["value"]) for one in values.get("record_numbers", ())]
        for id_, values in known.items()
    }
