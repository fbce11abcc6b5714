"""Consent from elsewhere: a signed authorization, its revocation, an opt-out."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from consent import ledger
from consent.models import Authorization
from marketing.api import people
from marketing.api.consent_reports import AgreementRows, AgreementsAsked, list_consents
from marketing.api.forms import (
    AuthorizationForm,
    OptOutForm,
    Recorded,
    RecordedMany,
    Revoked,
)
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found

RECEIVED_BY = "api"
_EXAMPLE = {
    "contact": "0199f0a0-0000-7000-8000-000000000001",
    "purposes": ["marketing"],
    "classes": ["identity", "clinical"],
    "signed_at": "2026-03-02T09:30:00-05:00",
    "expires_on": "2027-03-02",
}


class Consents(MachineView):
    """Signed authorizations (45 CFR 164.508)."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONSENT_VIEW,
        "POST": Permission.CONSENT_RECORD,
    }

    @extend_schema(
        operation_id="list_consents",
        summary="List authorizations by state, purpose, contact, end and copy",
        description="Fifty at a time, the latest on record first.",
        parameters=[AgreementsAsked],
        responses=AgreementRows,
    )
    def get(self, request: Request) -> Response:
        return list_consents(self, request)

    @extend_schema(
        operation_id="record_consent",
        summary="Record a signed authorization",
        request=AuthorizationForm,
        responses={201: Recorded},
        examples=[OpenApiExample("For marketing", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        form = AuthorizationForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(lambda: self._record(form.validated_data), "record_consent", request.data)

    def _record(self, given: dict[str, Any]) -> Response:
        signing = ledger.Signing(
            contact_id=people.named(given["contact"], pointer="/contact"),
            purposes=frozenset(given["purposes"]),
            classes=frozenset(given["classes"]),
            signed_at=given["signed_at"],
            expires_on=given.get("expires_on"),
            expires_event=given.get("expires_event", ""),
            form_version=given.get("form_version"),
            states_remuneration=given["states_remuneration"],
        )
        try:
            made = ledger.record_authorization(signing, received_by=RECEIVED_BY, now=self.now)
        except ledger.ConsentInvalid as wrong:
            raise Problem(422, "invalid", f"Nothing was recorded: {wrong}.") from None
        return Response({"id": str(made)}, status=201)


class ConsentRevocations(MachineView):
    """The end of an authorization, from this moment on."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="revoke_consent",
        summary="Revoke an authorization",
        description="Counts from the moment of the answer: no later message relies on it.",
        request=None,
        responses=Revoked,
    )
    def post(self, request: Request, consent_id: UUID) -> Response:
        if not Authorization.objects.filter(pk=consent_id).exists():
            raise not_found("authorization")
        stood = ledger.revoke(consent_id, received_by=RECEIVED_BY, now=self.now)
        return Response({"revoked": stood})


class OptOuts(MachineView):
    """A person's no, to everything or to one channel, purpose or topic."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="record_opt_out",
        summary="Record an opt-out",
        description="What is left out means all of its kind; saying no twice adds nothing.",
        request=OptOutForm,
        responses={201: RecordedMany},
        examples=[
            OpenApiExample(
                "No more e-mail",
                value={"contact": _EXAMPLE["contact"], "channel": "email"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        form = OptOutForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(lambda: self._record(form.validated_data), "record_opt_out", request.data)

    def _record(self, given: dict[str, Any]) -> Response:
        contact_id = people.named(given["contact"], pointer="/contact")
        try:
            made = ledger.opt_out(
                contact_id,
                channel=given["channel"],
                purpose=given["purpose"],
                topic=given["topic"],
                received_by=RECEIVED_BY,
                now=self.now,
            )
        except ledger.ConsentInvalid as wrong:
            raise Problem(422, "invalid", f"Nothing was recorded: {wrong}.") from None
        return Response({"ids": [str(one) for one in made]}, status=201)
