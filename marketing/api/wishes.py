"""What people asked for, from elsewhere; the purposes and what the gate would answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from consent import gate, ledger
from consent.gate import GateRequest, Hold, Permit
from consent.models import Restriction
from consent.purposes import Purpose
from consent.rules import shelf
from consent.wishes import record
from marketing.api import people
from marketing.api.forms import Form, Recorded
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found

RECEIVED_BY = "api"
MOST_ASKED = 500
_WHO = "0199f0a0-0000-7000-8000-000000000001"


def _example(name: str, body: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=body, request_only=True)


def _for(name: str, **wish: Any) -> OpenApiExample:
    return _example(name, {"contact": _WHO, **wish})


def _codes(choices: list[str]) -> serializers.ListField:
    child = serializers.ChoiceField(choices=choices)
    return serializers.ListField(child=child, required=False, default=list)


class RestrictionForm(Form):
    contact = serializers.UUIDField()
    purposes = _codes(list(Purpose))
    classes = _codes(sorted(record.CLASSES))
    channels = _codes(["email", "sms"])


class EndingForm(Form):
    how = serializers.ChoiceField(choices=Restriction.Ending.values)


class ConfidentialForm(Form):
    contact = serializers.UUIDField()
    category = serializers.CharField(max_length=32, required=False, default="")
    channel = serializers.CharField(max_length=16, required=False, default="")


class PlainForm(Form):
    contact = serializers.UUIDField()
    channel = serializers.ChoiceField(choices=["email", "sms"])


class Part2Form(Form):
    contact = serializers.UUIDField()
    purposes = _codes(list(Purpose))
    signed_at = serializers.DateTimeField()
    expires_on = serializers.DateField(required=False, allow_null=True)
    form_version = serializers.UUIDField(required=False)


class Ended(serializers.Serializer[Any]):
    ended = serializers.BooleanField(help_text="False if it had ended before.")


class PurposeRow(serializers.Serializer[Any]):
    key = serializers.CharField()
    about = serializers.CharField()
    needs_authorization = serializers.BooleanField()
    law = serializers.CharField()


class Purposes(serializers.Serializer[Any]):
    rules = serializers.CharField(help_text="The version of the rules in force.")
    purposes = PurposeRow(many=True)


class GateQuestion(Form):
    contacts = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_ASKED
    )
    purpose = serializers.ChoiceField(choices=list(Purpose))
    channel = serializers.ChoiceField(choices=["email", "sms"], default="email")
    classes = _codes(sorted(record.CLASSES))
    topic = serializers.CharField(max_length=64, required=False, default="")


class Decision(serializers.Serializer[Any]):
    contact = serializers.UUIDField()
    answer = serializers.ChoiceField(choices=["permit", "hold", "refusal"])
    code = serializers.CharField(help_text="What it rests on, or why not (yet).")
    until = serializers.DateTimeField(required=False)


class Decisions(serializers.Serializer[Any]):
    rules = serializers.CharField()
    decisions = Decision(many=True)


class _Recording(MachineView):
    """Takes one wish and answers with its id."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    def take(
        self, request: Request, form: Form, write: Callable[[int, dict[str, Any]], UUID]
    ) -> Response:
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)

        def work() -> Response:
            contact_id = people.named(given["contact"], pointer="/contact")
            wish = {name: value for name, value in given.items() if name != "contact"}
            try:
                made = write(contact_id, wish)
            except ledger.ConsentInvalid as wrong:
                raise Problem(422, "invalid", f"Nothing was recorded: {wrong}.") from None
            return Response({"id": str(made)}, status=201)

        return self.once(work, type(self).__name__, request.data)


class Restrictions(_Recording):
    """Restrictions that were agreed (45 CFR 164.522(a))."""

    @extend_schema(
        operation_id="record_restriction",
        summary="Record an agreed restriction",
        description="What is left out means all of its kind. It binds from the answer on.",
        request=RestrictionForm,
        examples=[
            _for("No marketing about diagnoses", purposes=["marketing"], classes=["clinical"])
        ],
        responses={201: Recorded},
    )
    def post(self, request: Request) -> Response:
        return self.take(
            request,
            RestrictionForm(data=request.data),
            lambda who, wish: record.restrict(who, **wish, received_by=RECEIVED_BY, now=self.now),
        )


class RestrictionEndings(MachineView):
    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="end_restriction",
        summary="End a restriction",
        description="By notice it goes on binding what is known from before.",
        request=EndingForm,
        examples=[_example("By agreement", {"how": "agreement"})],
        responses=Ended,
    )
    def post(self, request: Request, restriction_id: UUID) -> Response:
        if not Restriction.objects.filter(pk=restriction_id).exists():
            raise not_found("restriction")
        form = EndingForm(data=request.data)
        form.is_valid(raise_exception=True)
        how = form.validated_data["how"]
        ended = record.end_restriction(
            restriction_id, how=how, received_by=RECEIVED_BY, now=self.now
        )
        return Response({"ended": ended})


class ConfidentialRequests(_Recording):
    """Requests for confidential communications (45 CFR 164.522(b))."""

    @extend_schema(
        operation_id="record_confidential_request",
        summary="Record a request for confidential communications",
        description="Such messages go to an address that is reserved for them, or not at all.",
        request=ConfidentialForm,
        examples=[_for("Reproductive health", category="reproductive")],
        responses={201: Recorded},
    )
    def post(self, request: Request) -> Response:
        return self.take(
            request,
            ConfidentialForm(data=request.data),
            lambda who, wish: record.keep_confidential(
                who, **wish, received_by=RECEIVED_BY, now=self.now
            ),
        )


class PlainPreferences(_Recording):
    """Wishes for unencrypted messages, after the warning."""

    @extend_schema(
        operation_id="record_plain_preference",
        summary="Record that a person took the warning and wishes unencrypted messages",
        request=PlainForm,
        examples=[_for("E-mail", channel="email")],
        responses={201: Recorded},
    )
    def post(self, request: Request) -> Response:
        return self.take(
            request,
            PlainForm(data=request.data),
            lambda who, wish: record.accept_plain(
                who, **wish, received_by=RECEIVED_BY, now=self.now
            ),
        )


class Part2Consents(_Recording):
    """Consents for substance use records (42 CFR 2.31)."""

    @extend_schema(
        operation_id="record_part2_consent",
        summary="Record a consent under 42 CFR Part 2",
        description="Without purposes it covers treatment, payment and operations, not marketing.",
        request=Part2Form,
        examples=[_for("For care in general", signed_at="2026-03-02T09:30:00-05:00")],
        responses={201: Recorded},
    )
    def post(self, request: Request) -> Response:
        return self.take(
            request,
            Part2Form(data=request.data),
            lambda who, wish: record.sign_part2(who, **wish, received_by=RECEIVED_BY, now=self.now),
        )


class PurposeList(MachineView):
    scopes: ClassVar[Scopes] = {"GET": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="list_purposes",
        summary="List the purposes and the version of their rules",
        responses=Purposes,
    )
    def get(self, request: Request) -> Response:
        rules = shelf.at(self.now)
        rows = PurposeRow(list(rules.purposes.values()), many=True).data
        return Response({"rules": rules.version, "purposes": rows})


class DecisionsAsked(MachineView):
    """What the gate would answer; it is asked again for every message all the same."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="ask_gate",
        summary="Ask the gate about up to 500 people",
        description="Sends nothing. Frequency caps are not counted here.",
        request=GateQuestion,
        examples=[_example("A reminder", {"contacts": [_WHO], "purpose": "appointment"})],
        responses=Decisions,
    )
    def post(self, request: Request) -> Response:
        form = GateQuestion(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        classes = frozenset(given["classes"])
        asked = [
            GateRequest(one, given["purpose"], given["channel"], classes, given["topic"])
            for one in people.every(given["contacts"], pointer="/contacts")
        ]
        answers = gate.ask(asked, now=self.now)
        permitted = sum(isinstance(one, Permit) for one in answers)
        trail.record(
            "consent.asked",
            detail={
                "purpose": given["purpose"],
                "channel": given["channel"],
                "permitted": permitted,
                "count": len(answers),
            },
        )
        told = [
            {"contact": str(who), **_told(one)}
            for who, one in zip(given["contacts"], answers, strict=True)
        ]
        return Response({"rules": shelf.at(self.now).version, "decisions": told})


def _told(answer: gate.Answer) -> dict[str, str]:
    if isinstance(answer, Permit):
        return {"answer": "permit", "code": answer.basis}
    if isinstance(answer, Hold):
        return {"answer": "hold", "code": answer.code, "until": answer.until.isoformat()}
    return {"answer": "refusal", "code": answer.code}
