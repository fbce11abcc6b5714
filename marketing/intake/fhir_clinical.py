"""Conditions, medications, results, visits, immunizations, procedures, appointments. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from marketing.intake.fhir_elements import (
    Json,
    Malformed,
    coded,
    concept,
    day,
    moment,
    obj,
    objects,
    reference_tail,
    word,
)

IN_ERROR = "entered-in-error"
FINAL = frozenset({"final", "amended", "corrected", "appended"})
_MOST_TEXT = 200


class Item(NamedTuple):
    """What one resource adds to a list of its patient, or takes back."""

    field: str = ""
    items: tuple[Json, ...] = ()
    retracted: frozenset[str] = frozenset()
    ignored: str = ""


Medications = Mapping[str, Json]
Mapper = Callable[[Json, Medications], Item]


def subjects(resource: Mapping[str, Any]) -> list[str]:
    """Return the references to the patients that the resource is about."""
    if resource.get("resourceType") == "Appointment":
        actors = [obj(p, "actor") for p in objects(resource, "participant")]
        found = [word(actor, "reference") for actor in actors]
        return [reference for reference in found if "Patient/" in reference]
    about = obj(resource, "patient" if "patient" in resource else "subject")
    reference = word(about, "reference")
    is_patient = reference.startswith("urn:") or "Patient/" in reference
    return [reference] if is_patient else []


def medications(resources: Iterable[object]) -> Medications:
    """Return the Medication resources of a group by id, for orders that refer to one."""
    return {
        reference_tail(word(resource, "id")): resource
        for resource in resources
        if isinstance(resource, dict) and resource.get("resourceType") == "Medication"
    }


def _ref(resource: Mapping[str, Any]) -> Json:
    """Name the item in its source. Without an id it is known by its code and time."""
    identifier = word(resource, "id")
    return {"ref": f"{resource['resourceType']}/{identifier}"[:_MOST_TEXT]} if identifier else {}


def _taken_back(resource: Mapping[str, Any]) -> Item:
    return Item(retracted=frozenset(_ref(resource).values()), ignored=IN_ERROR)


def _condition(resource: Json, _: Medications) -> Item:
    verified = _status_code(obj(resource, "verificationStatus"))
    if verified in (IN_ERROR, "refuted"):
        return _taken_back(resource)
    since = next(
        (
            found
            for element, name in (
                (resource, "onsetDateTime"),
                (obj(resource, "onsetPeriod"), "start"),
                (resource, "recordedDate"),
            )
            if (found := _calendar_day(element.get(name), name))
        ),
        None,
    )
    item = {
        **concept(resource, "code"),
        "status": _status_code(obj(resource, "clinicalStatus")) or "unknown",
        "date": since,
        "end": _calendar_day(resource.get("abatementDateTime"), "abatementDateTime"),
        **_ref(resource),
    }
    return _one("conditions", item)


def _medication(resource: Json, known: Medications) -> Item:
    status = word(resource, "status")
    if status == IN_ERROR:
        return _taken_back(resource)
    if resource.get("doNotPerform") is True:
        return Item(ignored="doNotPerform")
    item = {
        **_medicine(resource, known),
        "status": status or "unknown",
        "date": _calendar_day(resource.get("authoredOn"), "authoredOn"),
        **_ref(resource),
    }
    return _one("medications", item)


def _medicine(resource: Json, known: Medications) -> Json:
    if "medicationCodeableConcept" in resource:
        return concept(resource, "medicationCodeableConcept")
    reference = obj(resource, "medicationReference")
    tail = reference_tail(word(reference, "reference").lstrip("#"))
    contained = medications(objects(resource, "contained"))
    medicine = contained.get(tail) or known.get(tail)
    if medicine is not None:
        return concept(medicine, "code")
    return {"system": "", "code": "", "display": word(reference, "display")}


def _observation(resource: Json, _: Medications) -> Item:
    status = word(resource, "status")
    if status in (IN_ERROR, "cancelled"):
        return _taken_back(resource)
    if status not in FINAL:
        return Item(ignored="not final")
    at = _first_moment(
        resource, "effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"
    )
    parts = [(resource, _ref(resource)), *((p, {}) for p in objects(resource, "component"))]
    items = tuple(item for part, ref in parts if (item := _result(part, at, ref)) is not None)
    return Item("results", items, ignored="" if items else "without a value")


def _result(part: Json, at: str | None, ref: Json) -> Json | None:
    value, unit = _value(part)
    code = concept(part, "code")
    if value is None or not (code["code"] or code["display"]):
        return None
    return {**code, "value": value, "unit": unit or None, "at": at, **ref}


def _value(part: Json) -> tuple[float | str | None, str]:
    quantity = obj(part, "valueQuantity")
    if quantity:
        return _number(quantity.get("value")), word(quantity, "unit") or word(quantity, "code")
    if "valueInteger" in part:
        return _number(part["valueInteger"]), ""
    if "valueCodeableConcept" in part:
        found = coded(obj(part, "valueCodeableConcept"))
        return (found["display"] or found["code"] or None), ""
    if "valueBoolean" in part:
        return str(part["valueBoolean"] is True).lower(), ""
    return word(part, "valueString") or word(part, "valueDateTime") or None, ""


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed("value must be a number")
    return value


def _encounter(resource: Json, _: Medications) -> Item:
    start = obj(resource, "period").get("start")
    kinds = objects(resource, "type")
    item = {
        **coded(kinds[0] if kinds else {}),
        "class": word(obj(resource, "class"), "code") or None,
        "at": moment(start, "period.start"),
    }
    return _occurrence("encounters", resource, item)


def _immunization(resource: Json, _: Medications) -> Item:
    at = moment(resource.get("occurrenceDateTime"), "occurrenceDateTime")
    return _occurrence("immunizations", resource, {**concept(resource, "vaccineCode"), "at": at})


def _procedure(resource: Json, _: Medications) -> Item:
    at = _first_moment(resource, "performedDateTime", "performedPeriod")
    return _occurrence("procedures", resource, {**concept(resource, "code"), "at": at})


def _appointment(resource: Json, _: Medications) -> Item:
    kinds = objects(resource, "serviceType")
    kind = coded(kinds[0]) if kinds else concept(resource, "appointmentType")
    item = {**kind, "at": moment(resource.get("start"), "start")}
    return _occurrence("appointments", resource, item)


def _occurrence(field: str, resource: Json, item: Json) -> Item:
    status = word(resource, "status")
    if status == IN_ERROR:
        return _taken_back(resource)
    return _one(field, {**item, "status": status or "unknown", **_ref(resource)})


def _one(field: str, item: Json) -> Item:
    return Item(field, ({key: value for key, value in item.items() if value is not None},))


def _status_code(element: Json) -> str:
    codings = objects(element, "coding")
    return word(codings[0], "code") if codings else word(element, "text")


def _calendar_day(value: object, name: str) -> str | None:
    """Return the day; one that is not known to the day counts from its beginning."""
    found = moment(value, name)
    return day(value, name) or (found[:10] if found else None)


def _first_moment(resource: Json, *names: str) -> str | None:
    for name in names:
        value = resource.get(name)
        if isinstance(value, dict):
            value = value.get("start") or value.get("end")
        if value is not None:
            return moment(value, name)
    return None


MAPPERS: Mapping[str, Mapper] = {
    "Condition": _condition,
    "MedicationRequest": _medication,
    "Observation": _observation,
    "Encounter": _encounter,
    "Immunization": _immunization,
    "Procedure": _procedure,
    "Appointment": _appointment,
}
