"""What clinical resources add to their patient: conditions, results, visits, plans ... Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from contacts.codes import SNOMED
from contacts.facts import HAPPENED
from marketing.intake import fhir_social
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
from marketing.intake.fhir_social import Single

IN_ERROR = "entered-in-error"
FINAL = frozenset({"final", "amended", "corrected", "appended"})
_MOST_TEXT = 200
_INPATIENT = frozenset({"IMP", "ACUTE", "NONAC"})


class Item(NamedTuple):
    """What one resource adds to a list of its patient, or takes back."""

    field: str = ""
    items: tuple[Json, ...] = ()
    retracted: frozenset[str] = frozenset()
    ignored: str = ""
    values: tuple[Single, ...] = ()
    also: tuple[tuple[str, Json], ...] = ()
    """Further (field, item) of the same resource."""


Medications = Mapping[str, Json]
Mapper = Callable[[Json, Medications], Item]


def subjects(resource: Mapping[str, Any]) -> list[str]:
    """Return the references to the patients that the resource is about."""
    if resource.get("resourceType") == "Appointment":
        actors = [obj(p, "actor") for p in objects(resource, "participant")]
        found = [word(actor, "reference") for actor in actors]
        return [reference for reference in found if "Patient/" in reference]
    name = next((name for name in ("patient", "beneficiary") if name in resource), "subject")
    about = obj(resource, name)
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
    about = tuple(single for item in items for single in fhir_social.singles(item))
    return Item("results", items, ignored="" if items else "without a value", values=about)


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
    visit = _occurrence("encounters", resource, item)
    if item["class"] in _INPATIENT and visit.items and visit.items[0]["status"] in HAPPENED:
        return visit._replace(also=(("hospital_stays", _stay(resource, visit.items[0])),))
    return visit


def _stay(resource: Json, visit: Json) -> Json:
    period = obj(resource, "period")
    stay = {
        **{key: visit[key] for key in visit if key not in ("class", "at")},
        "date": _calendar_day(period.get("start"), "period.start"),
        "end": _calendar_day(period.get("end"), "period.end"),
    }
    return {key: value for key, value in stay.items() if value is not None}


def _care_plan(resource: Json, _: Medications) -> Item:
    status = word(resource, "status")
    if status == IN_ERROR:
        return _taken_back(resource)
    kinds = [coded(kind) for kind in objects(resource, "category")]
    kind = next((kind for kind in kinds if kind["system"] == SNOMED), (kinds or [coded({})])[-1])
    period = obj(resource, "period")
    item = {
        **kind,
        "display": kind["display"] or word(resource, "title"),
        "status": status or "unknown",
        "date": _calendar_day(period.get("start"), "period.start"),
        "end": _calendar_day(period.get("end"), "period.end"),
        **_ref(resource),
    }
    return _one("care_plans", item)


def _coverage(resource: Json, _: Medications) -> Item:
    """Of several coverages in force the first in order says insurance and plan."""
    status = word(resource, "status")
    if status == IN_ERROR:
        return _taken_back(resource)
    kind, period = coded(obj(resource, "type")), obj(resource, "period")
    payor = next((p for one in objects(resource, "payor") if (p := word(one, "display"))), "")
    found = {
        "insurance": payor,
        "plan": _plan_name(resource),
        "coverage_type": kind["display"] or kind["code"],
        "coverage_start": _calendar_day(period.get("start"), "period.start"),
        "coverage_end": _calendar_day(period.get("end"), "period.end"),
    }
    item = {
        **kind,
        "display": ", ".join(filter(None, (payor, found["plan"], kind["display"]))),
        "status": status or "unknown",
        "date": found["coverage_start"],
        "end": found["coverage_end"],
        **_ref(resource),
    }
    order = resource.get("order")
    place = order if isinstance(order, int) and 0 < order < 1000 else 999
    rank = f"{1000 - place:04}{found['coverage_start'] or ''}"
    singles = [Single(key, rank, value) for key, value in found.items() if value]
    return _one("coverages", item)._replace(values=tuple(singles) if status == "active" else ())


def _plan_name(resource: Json) -> str:
    for group in objects(resource, "class"):
        if any(word(c, "code") == "plan" for c in objects(obj(group, "type"), "coding")):
            return word(group, "name") or word(group, "value")
    return ""


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
    "CarePlan": _care_plan,
    "Coverage": _coverage,
}
