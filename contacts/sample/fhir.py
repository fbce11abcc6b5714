"""Invented patients as FHIR R4 transaction bundles, one a line: what the demo imports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from contacts.records import Change

Json = dict[str, Any]

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_US_CORE_RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
_KINDS = {
    "conditions": "Condition",
    "medications": "MedicationRequest",
    "results": "Observation",
    "encounters": "Encounter",
    "immunizations": "Immunization",
    "procedures": "Procedure",
    "appointments": "Appointment",
}


def write_bundles(path: Path, changes: Iterable[Change]) -> int:
    """Write each person as a bundle on a line of its own; return how many."""
    count = 0
    with path.open("w", encoding="utf-8") as lines:
        for count, change in enumerate(changes, 1):  # noqa: B007
            lines.write(json.dumps(bundle(change), separators=(",", ":")) + "\n")
    return count


def bundle(change: Change) -> Json:
    """Return the person's transaction bundle."""
    subject = f"urn:uuid:{_id(change, 'patient')}"
    resources = [_patient(change), *_clinical(change, subject)]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{resource['id']}",
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for resource in resources
        ],
    }


def _id(change: Change, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{change.source}/{change.record_number}/{name}"))


def _patient(change: Change) -> Json:
    values = change.values
    patient: Json = {
        "resourceType": "Patient",
        "id": _id(change, "patient"),
        "identifier": [
            {
                "type": {"coding": [{"system": f"{_TERMINOLOGY}v2-0203", "code": "MR"}]},
                "system": change.source,
                "value": change.record_number,
            }
        ],
        "name": [
            {
                "use": "official",
                "family": values["family_name"],
                "given": [values["given_name"]],
            }
        ],
        "telecom": [
            {"system": key, "value": values[key]} for key in ("phone", "email") if key in values
        ],
        "gender": values["gender"],
        "birthDate": values["birth_date"],
        "address": [
            {
                "line": [values["address_line"]],
                "city": values["city"],
                "state": values["state"],
                "postalCode": values["postal_code"],
                "country": values["country"],
            }
        ],
        "communication": [{"language": {"text": values["language"]}}],
        "extension": [
            {"url": _US_CORE_RACE, "extension": [{"url": "text", "valueString": values["race"]}]}
        ],
    }
    if "marital_status" in values:
        patient["maritalStatus"] = {"text": values["marital_status"]}
    if values.get("deceased"):
        patient["deceasedDateTime"] = values["deceased_at"]
    else:
        patient["deceasedBoolean"] = False
    return patient


def _clinical(change: Change, subject: str) -> Iterator[Json]:
    for field, kind in _KINDS.items():
        for place, item in enumerate(change.values.get(field, ())):
            resource = {"resourceType": kind, "id": _id(change, f"{field}/{place}")}
            yield resource | _BUILDERS[kind](item, {"reference": subject})


def _concept(item: Mapping[str, Any]) -> Json:
    pairs = [[item["system"], item["code"]], *item.get("also", [])]
    codings = [{"system": system, "code": code} for system, code in pairs]
    codings[0]["display"] = item["display"]
    return {"coding": codings, "text": item["display"]}


def _condition(item: Mapping[str, Any], subject: Json) -> Json:
    return {
        "clinicalStatus": {
            "coding": [{"system": f"{_TERMINOLOGY}condition-clinical", "code": item["status"]}]
        },
        "verificationStatus": {
            "coding": [{"system": f"{_TERMINOLOGY}condition-ver-status", "code": "confirmed"}]
        },
        "code": _concept(item),
        "subject": subject,
        "onsetDateTime": item["date"],
    }


def _medication(item: Mapping[str, Any], subject: Json) -> Json:
    return {
        "status": item["status"],
        "intent": "order",
        "medicationCodeableConcept": _concept(item),
        "subject": subject,
        "authoredOn": item["date"],
    }


def _observation(item: Mapping[str, Any], subject: Json) -> Json:
    return {
        "status": "final",
        "code": _concept(item),
        "subject": subject,
        "effectiveDateTime": item["at"],
        "valueQuantity": {"value": item["value"], "unit": item["unit"]},
    }


def _encounter(item: Mapping[str, Any], subject: Json) -> Json:
    return {
        "status": item["status"],
        "class": {"system": f"{_TERMINOLOGY}v3-ActCode", "code": item["class"]},
        "type": [_concept(item)],
        "subject": subject,
        "period": {"start": item["at"]},
    }


def _immunization(item: Mapping[str, Any], subject: Json) -> Json:
    return {
        "status": item["status"],
        "vaccineCode": _concept(item),
        "patient": subject,
        "occurrenceDateTime": item["at"],
    }


def _procedure(item: Mapping[str, Any], subject: Json) -> Json:
    return {
        "status": item["status"],
        "code": _concept(item),
        "subject": subject,
        "performedDateTime": item["at"],
    }


def _appointment(item: Mapping[str, Any], subject: Json) -> Json:
    actor = {"reference": "Patient/" + subject["reference"].removeprefix("urn:uuid:")}
    return {
        "status": item["status"],
        "serviceType": [_concept(item)],
        "start": item["at"],
        "participant": [{"actor": actor, "status": "accepted"}],
    }


_BUILDERS = {
    "Condition": _condition,
    "MedicationRequest": _medication,
    "Observation": _observation,
    "Encounter": _encounter,
    "Immunization": _immunization,
    "Procedure": _procedure,
    "Appointment": _appointment,
}
