"""What machines ask of consent: the list, coverage of a segment, and FHIR R4 both ways."""

from __future__ import annotations

import time
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tenancy
from accounts.models import ApiKey, Organisation
from accounts.roles import Permission
from audit import trail
from consent import fhir
from consent.addresses import FIELD_OF_CHANNEL
from consent.arriving import keeping
from consent.desk import agreements, as_fhir, coverage
from consent.desk.part2 import NotAccompanied
from consent.ledger import ConsentInvalid
from consent.models import Authorization
from consent.purposes import Purpose
from contacts import identity, matching, persons
from contacts.models import first_id
from contacts.segments import membership, told
from contacts.segments.models import Segment
from contacts.segments.told import Question
from marketing.api import contacts, people
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found
from marketing.web import segment_sight

MOST = 200
PATIENCE = 20.0
"""Seconds for one coverage; `asked` says how many it was enough for."""
_CONSENT = {
    "resourceType": "Consent",
    "id": "c-1",
    "status": "active",
    "patient": {"reference": "Patient/0199f0a0-0000-7000-8000-000000000001"},
    "dateTime": "2026-03-02",
    "provision": {
        "type": "permit",
        "period": {"end": "2027-03-02"},
        "purpose": [{"system": fhir.ACT_REASON, "code": "HMARKT"}],
        "class": [{"system": fhir.OURS, "code": "identity"}],
    },
}


class AgreementRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    contact = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=agreements.STATES)
    purposes = serializers.ListField(child=serializers.CharField())
    classes = serializers.ListField(child=serializers.CharField())
    text = serializers.UUIDField(allow_null=True)
    text_sha256 = serializers.CharField()
    signed_at = serializers.DateTimeField()
    expires_on = serializers.DateField(allow_null=True)
    expires_event = serializers.CharField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    has_copy = serializers.BooleanField()


class AgreementRows(serializers.Serializer[Any]):
    consents = AgreementRow(many=True)
    next = serializers.UUIDField(allow_null=True, help_text="Give it as `before` to go on.")


class AgreementsAsked(Form):
    state = serializers.ChoiceField(choices=agreements.STATES, required=False, default="")
    purpose = serializers.ChoiceField(choices=list(Purpose), required=False, default="")
    contact = serializers.UUIDField(required=False)
    ends_within = serializers.IntegerField(min_value=1, max_value=3660, required=False)
    without_copy = serializers.BooleanField(required=False, default=False)
    before = serializers.UUIDField(required=False)


class CoverageAsked(Form):
    segment = serializers.UUIDField()
    purpose = serializers.ChoiceField(choices=list(Purpose))
    channel = serializers.ChoiceField(choices=list(FIELD_OF_CHANNEL), required=False)


class CoverageTold(serializers.Serializer[Any]):
    members = serializers.IntegerField(allow_null=True)
    asked = serializers.IntegerField(allow_null=True)
    permitted = serializers.IntegerField(allow_null=True, help_text="Null where held back.")
    refused = serializers.DictField(child=serializers.IntegerField(allow_null=True))


def list_consents(view: MachineView, request: Request) -> Response:
    """One page of authorizations, the latest on record first."""
    form = AgreementsAsked(data=request.query_params.dict())
    form.is_valid(raise_exception=True)
    given = form.validated_data
    wanted = agreements.Wanted(
        state=given["state"],
        purpose=given["purpose"],
        ends_within=given.get("ends_within"),
        without_copy=given["without_copy"],
        people=_person(given["contact"]) if "contact" in given else None,
    )
    zone = Organisation.objects.get(pk=view.key().organisation_id).zone
    rows = agreements.page(wanted, before=given.get("before"), now=view.now, zone=zone)
    states = agreements.states(rows, now=view.now)
    ids = matching.public_ids({row.contact_id for row in rows})
    trail.record("report.viewed", detail={"report": "agreements", "count": len(rows)})
    last = rows[-1].id if len(rows) == agreements.PAGE else None
    told = [_agreement(row, ids.get(row.contact_id), states.get(row.id, "")) for row in rows]
    return Response({"consents": told, "next": last})


def _person(public_id: UUID) -> tuple[int, ...]:
    contact_id = people.named(public_id, pointer="/contact")
    return persons.ids_of([contact_id])[contact_id]


def _agreement(row: Authorization, contact: UUID | None, state: str) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "contact": str(contact) if contact else None,
        "state": state,
        "purposes": row.purposes,
        "classes": row.classes,
        "text": row.form_version_id,
        "text_sha256": row.form_version.checksum if row.form_version else "",
        "signed_at": row.signed_at,
        "expires_on": row.expires_on,
        "expires_event": row.expires_event,
        "revoked_at": row.revoked_at,
        "has_copy": bool(row.copies.all()),
    }


class CoverageOfSegments(MachineView):
    """What the gate would answer for a segment."""

    scopes: ClassVar[Scopes] = {"GET": Permission.CONSENT_VIEW}

    @extend_schema(
        operation_id="read_consent_coverage",
        summary="How many of a segment may be reached, and why not the rest",
        description="Counts are rounded, and small ones held back, where the key may not reveal "
        "what membership says of a person.",
        parameters=[CoverageAsked],
        responses=CoverageTold,
    )
    def get(self, request: Request) -> Response:
        form = CoverageAsked(data=request.query_params.dict())
        form.is_valid(raise_exception=True)
        given = form.validated_data
        segment = Segment.objects.filter(pk=given["segment"], archived_at=None).first()
        if segment is None:
            raise not_found("segment")
        classes, question = segment_sight.meaning(segment)
        sending = coverage.Sending(
            purpose=given["purpose"],
            channel=given.get("channel") or "email",
            classes=frozenset(classes) | frozenset(segment.labels),
        )
        until = time.monotonic() + PATIENCE
        first = first_id(tenancy.current())
        ids = [first + ordinal for ordinal in membership.members(segment).tolist()]
        found = coverage.cover(ids, sending, now=self.now, enough=lambda: time.monotonic() > until)
        _asked(segment, sending, found)
        key = self.key()
        reader = told.reader(classes, _granted(key), asker=key.id, now=self.now)
        about = ("reach", question, sending.purpose, sending.channel)
        cells = {"": found.permitted, **found.stopped}
        asked: dict[Question, int] = {(*about, code): count for code, count in cells.items()}
        shown = reader.many({question: found.members, **asked})
        refused = {code: shown[(*about, code)].number for code in found.stopped}
        return Response(
            {
                "members": shown[question].number,
                "asked": found.asked if reader.exact else shown[question].number,
                "permitted": shown[(*about, "")].number,
                "refused": refused,
            }
        )


def _granted(key: ApiKey) -> frozenset[str]:
    return frozenset(kind.value for kind in contacts.classes_of(key))


def _asked(segment: Segment, sending: coverage.Sending, found: coverage.Coverage) -> None:
    trail.record(
        "consent.asked",
        subject=f"segment:{segment.id}",
        detail={
            "purpose": sending.purpose,
            "channel": sending.channel,
            "classes": sorted(sending.classes),
            "permitted": found.permitted,
            "refused": found.refused,
            "count": found.asked,
        },
    )


class TakenRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["recorded", "unchanged", "ended"])
    authorizations = serializers.ListField(child=serializers.UUIDField())
    refused = serializers.ListField(child=serializers.CharField())
    not_understood = serializers.ListField(child=serializers.CharField())


class TakenRows(serializers.Serializer[Any]):
    consents = TakenRow(many=True)


class FhirConsents(MachineView):
    """Consents as FHIR R4 resources."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONSENT_EXPORT,
        "POST": Permission.CONSENT_RECORD,
    }

    @extend_schema(
        operation_id="read_fhir_consents",
        summary="Read a contact's authorizations as a Bundle of Consents",
        parameters=[OpenApiParameter("contact", UUID, required=True)],
        responses={200: dict},
    )
    def get(self, request: Request) -> Response:
        public_id = _uuid(request.query_params.get("contact", ""))
        contact_id = people.one(public_id)
        organisation = Organisation.objects.get(pk=self.key().organisation_id)
        try:
            made = as_fhir.of_person(
                contact_id, patient=str(public_id), organisation=organisation, now=self.now
            )
        except NotAccompanied as refused:
            raise Problem(409, "conflict", f"Nothing was given out: {refused}.") from None
        trail.record(
            "consent.exported",
            subject=f"contact:{contact_id}",
            detail={"format": "fhir", "count": len(made["entry"])},
        )
        return Response(made)

    @extend_schema(
        operation_id="take_fhir_consents",
        summary="Take a Consent, or a Bundle of up to 200",
        description="Known by its id: sending it again changes nothing, another version takes its "
        "place. What is not understood permits nothing and waits for a person.",
        request=dict,
        responses={200: TakenRows},
        examples=[OpenApiExample("Marketing", value=_CONSENT, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        try:
            resources = fhir.consents_in(request.data)
            if len(resources) > MOST:
                raise fhir.Malformed(f"a Bundle takes at most {MOST} entries")
            organisation = Organisation.objects.get(pk=self.key().organisation_id)
            taken = [self._take(one, organisation) for one in resources]
        except (fhir.Malformed, ConsentInvalid) as wrong:
            raise Problem(422, "invalid", f"It stopped at a Consent: {wrong}.") from None
        return Response({"consents": [_row(one) for one in taken]})

    def _take(self, resource: dict[str, Any], organisation: Organisation) -> keeping.Taken:
        return keeping.take(
            resource,
            contact_id=_patient(resource, organisation.pk),
            source=f"key:{self.key().prefix}"[:60],
            zone=organisation.zone.key,
            now=self.now,
        )


def _patient(resource: dict[str, Any], organisation_id: int) -> int:
    reference, source, number = fhir.patient_of(resource)
    if not reference:
        token = identity.tokens(organisation_id, [(source, identity.number_form(number))])
        owners = identity.known(organisation_id, token)
        found = [owner.contact_id for owner in owners.values()]
    else:
        try:
            found = list(matching.ids_by_public_id([UUID(reference)]).values())
        except ValueError:
            found = []
    if not found:
        raise fhir.Malformed("patient names nobody in your organisation")
    return found[0]


def _row(one: keeping.Taken) -> dict[str, Any]:
    return {
        "id": one.number,
        "outcome": one.outcome,
        "authorizations": [str(each) for each in one.authorizations],
        "refused": [each or "everything" for each in one.denied],
        "not_understood": list(one.faults),
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise not_found("contact") from None
