"""What machines ask of consent: the list, coverage of a segment, and FHIR R4 both ways."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organisation
from accounts.roles import Permission
from audit import trail
from consent import fhir
from consent.arriving import keeping
from consent.desk import as_fhir
from consent.desk.part2 import NotAccompanied
from consent.ledger import ConsentInvalid
from contacts import identity, matching
from marketing.api import people
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found

MOST = 200
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
