"""The suppression list from elsewhere: put on it, ask, release."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from consent import addresses, suppression
from consent.addresses import EMAIL, SMS
from consent.models import Suppression
from consent.purposes import Purpose
from marketing.api import people
from marketing.api.forms import Form, RecordedMany
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid, not_found

BY = "api"


class SuppressionForm(Form):
    address = serializers.CharField(max_length=254, required=False, help_text="Or a contact.")
    contact = serializers.UUIDField(required=False, help_text="A person, whatever the address.")
    channel = serializers.ChoiceField(choices=[EMAIL, SMS], required=False)
    reason = serializers.ChoiceField(choices=Suppression.Reason.values)
    purpose = serializers.ChoiceField(choices=list(Purpose), required=False, default="")
    topic = serializers.SlugField(max_length=64, required=False, default="")
    effective_from = serializers.DateTimeField(required=False)
    effective_until = serializers.DateTimeField(required=False)


class LookupForm(Form):
    address = serializers.CharField(max_length=254)
    channel = serializers.ChoiceField(choices=[EMAIL, SMS], default=EMAIL)


class SuppressionRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reason = serializers.CharField()
    purpose = serializers.CharField()
    topic = serializers.CharField()
    received_at = serializers.DateTimeField()


class SuppressionRows(serializers.Serializer[Any]):
    suppressions = SuppressionRow(many=True)


class Released(serializers.Serializer[Any]):
    released = serializers.BooleanField(help_text="False if it was not on the list any more.")


def _example(body: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample("An address", value=body, request_only=True)


class Suppressions(MachineView):
    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="suppress",
        summary="Put an address or a person on the suppression list",
        description="Without purpose and topic nothing goes any more. Twice is once.",
        request=SuppressionForm,
        responses={201: RecordedMany},
        examples=[
            _example({"address": "ada@example.org", "channel": "email", "reason": "request"})
        ],
    )
    def post(self, request: Request) -> Response:
        form = SuppressionForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(lambda: self._suppress(form.validated_data), "suppress", request.data)

    def _suppress(self, given: dict[str, Any]) -> Response:
        if ("address" in given) == ("contact" in given):
            raise invalid([Fault("/address", "Give either an address or a contact.")])
        scope = suppression.Scope(
            given["purpose"],
            given["topic"],
            given.get("effective_from"),
            given.get("effective_until"),
        )
        common: dict[str, Any] = {
            "reason": given["reason"],
            "received_by": BY,
            "now": self.now,
            "scope": scope,
        }
        if "contact" in given:
            who = people.named(given["contact"], pointer="/contact")
            channel = given.get("channel", "")
            made = suppression.suppress_person(who, channel=channel, **common)
        else:
            channel = given.get("channel", EMAIL)
            made = [suppression.suppress(given["address"], channel=channel, **common)]
        return Response({"ids": [str(one) for one in made]}, status=201)


class SuppressionLookups(MachineView):
    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="look_up_suppressions",
        summary="Ask what stands against an address",
        request=LookupForm,
        responses=SuppressionRows,
        examples=[_example({"address": "ada@example.org"})],
    )
    def post(self, request: Request) -> Response:
        form = LookupForm(data=request.data)
        form.is_valid(raise_exception=True)
        channel = form.validated_data["channel"]
        found = Suppression.objects.filter(
            address_hash=addresses.hash_of(form.validated_data["address"], channel=channel),
            channel=channel,
            released_at=None,
        ).order_by("id")
        trail.record("contact.searched", detail={"kind": "suppression", "found": len(found)})
        return Response({"suppressions": SuppressionRow(found, many=True).data})


class SuppressionReleases(MachineView):
    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="release_suppression",
        summary="Take an address off the list because its owner asked",
        request=None,
        responses=Released,
    )
    def post(self, request: Request, suppression_id: UUID) -> Response:
        if not Suppression.objects.filter(pk=suppression_id).exists():
            raise not_found("suppression")
        done = suppression.release(suppression_id, received_by=BY, now=self.now)
        return Response({"released": done})
