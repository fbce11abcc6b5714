"""A FHIR Patient as facts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contacts.canonical import ValueRefused, canonical
from contacts.facts import PersonFacts
from marketing.intake import fhir_points
from marketing.intake.fhir_elements import (
    Json,
    Malformed,
    day,
    is_over,
    obj,
    objects,
    reference_tail,
    updated_at,
    word,
)

_NEVER_READ = frozenset({"SS", "SB", "DL", "PPN", "TAX", "NIIP", "MC", "MCD"})
"""Identifier types that marketing needs for nothing: social security, licence, passport ..."""
_SSN_SYSTEMS = ("http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1")
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_RELIGION = "http://hl7.org/fhir/StructureDefinition/patient-religion"
_TIME_ZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
_NAME_ORDER = ("official", "usual", "", "nickname", "temp", "anonymous", "maiden", "old")


def names(patient: Mapping[str, Any], full_url: str) -> list[str]:
    """Return the names by which other resources may refer to the patient, the id first."""
    known = [word(patient, "id"), reference_tail(full_url)]
    return [name for name in dict.fromkeys(known) if name] or [f"patient without id {id(patient)}"]


def replaced_by(patient: Mapping[str, Any]) -> str:
    """Return the name of the patient with whom this one was merged; "" where it was not.

    What is said about the merged one is about the other (R4, Patient.link).
    """
    for link in objects(patient, "link"):
        if link.get("type") == "replaced-by":
            return reference_tail(word(obj(link, "other"), "reference"))
    return ""


def facts(
    patient: Mapping[str, Any], *, place: str, full_url: str, source: str, now: datetime
) -> PersonFacts:
    """Return what the resource says of the person."""
    if obj(patient, "animal") or any(
        extension.get("url", "").endswith("/patient-animal")
        for extension in objects(patient, "extension")
    ):
        raise Malformed("this patient is an animal; contacts are people")
    numbers = _numbers(patient, source, now)
    if not numbers:
        raise Malformed("it has neither an identifier nor an id, so nobody could know it again")
    values = {
        **_name(patient, now),
        **_life(patient),
        **_telecom(patient, now),
        **_address(patient, now),
        **_about(patient),
    }
    return PersonFacts(
        place=place,
        numbers=numbers,
        values={key: value for key, value in values.items() if value not in (None, "")},
        as_of=updated_at(patient),
        references=tuple(names(patient, full_url)),
        points=fhir_points.points(patient),
    )


def _numbers(patient: Mapping[str, Any], source: str, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return (system, number), the medical record number first, the resource's id last."""
    found: list[tuple[int, str, str]] = []
    for identifier in objects(patient, "identifier"):
        kinds = {word(c, "code") for c in objects(obj(identifier, "type"), "coding")}
        system, value = word(identifier, "system"), word(identifier, "value")
        if not value or kinds & _NEVER_READ or system in _SSN_SYSTEMS:
            continue
        if is_over(identifier, now) or len(value) > 200 or len(system) > 200:
            continue
        rank = 0 if "MR" in kinds else 1 if identifier.get("use") == "usual" else 2
        found.append((rank, system or source, value))
    found.sort(key=lambda numbered: numbered[0])
    numbers = [(system, value) for _, system, value in found]
    if word(patient, "id"):
        numbers.append((source, word(patient, "id")))
    return tuple(dict.fromkeys(numbers))


def _name(patient: Mapping[str, Any], now: datetime) -> Json:
    every = objects(patient, "name")
    given = [name for name in every if not is_over(name, now)] or every
    if not given:
        return {}
    order = {use: place for place, use in enumerate(_NAME_ORDER)}
    best = min(given, key=lambda name: order.get(name.get("use", ""), 2))
    return {
        "given_name": " ".join(_words(best, "given")),
        "family_name": word(best, "family") or word(best, "text"),
        "prefix": " ".join(_words(best, "prefix")),
    }


def _words(element: Mapping[str, Any], name: str) -> Sequence[str]:
    value = element.get(name, [])
    if not isinstance(value, list):
        raise Malformed(f"name.{name} must be a list")
    return [part.strip() for part in value if isinstance(part, str) and part.strip()]


def _life(patient: Mapping[str, Any]) -> Json:
    died = patient.get("deceasedDateTime")
    flag = patient.get("deceasedBoolean")
    if flag is not None and not isinstance(flag, bool):
        raise Malformed("deceasedBoolean must be true or false")
    return {
        "birth_date": day(patient.get("birthDate"), "birthDate"),
        "deceased": True if died is not None else flag,
        "deceased_at": day(died, "deceasedDateTime"),
    }


def _telecom(patient: Mapping[str, Any], now: datetime) -> Json:
    current = [point for point in objects(patient, "telecom") if not is_over(point, now)]
    current.sort(key=lambda point: (_rank(point), point.get("use") != "mobile"))
    return {
        "email": _first_good("email", current, ("email",)),
        "phone": _first_good("phone", current, ("phone", "sms")),
    }


def _rank(point: Mapping[str, Any]) -> int:
    rank = point.get("rank")
    return rank if isinstance(rank, int) else 1_000


def _first_good(key: str, points: Sequence[Json], systems: tuple[str, ...]) -> str | None:
    """Return the first value that can be used; a hospital's typing slip is no reason to refuse."""
    for point in points:
        if point.get("system") in systems and (good := _good(key, point.get("value"))):
            return good
    return None


def _good(key: str, value: object) -> str | None:
    try:
        found: str | None = canonical(key, value)
    except ValueRefused:
        return None
    return found


def _address(patient: Mapping[str, Any], now: datetime) -> Json:
    current = [address for address in objects(patient, "address") if not is_over(address, now)]
    if not current:
        return {"time_zone": zone} if (zone := _time_zone(patient)) else {}
    first = current[0]
    lines = first.get("line", [])
    if not isinstance(lines, list):
        raise Malformed("address.line must be a list")
    return {
        "address_line": ", ".join(line for line in lines if isinstance(line, str)),
        "city": word(first, "city"),
        "state": word(first, "state"),
        "postal_code": word(first, "postalCode"),
        "country": word(first, "country"),
        "time_zone": _time_zone(first) or _time_zone(patient),
    }


def _time_zone(element: Mapping[str, Any]) -> str | None:
    """Return the zone that an address, or the patient, is said to be in, where it is one."""
    for extension in objects(element, "extension"):
        if extension.get("url") == _TIME_ZONE:
            return _good("time_zone", extension.get("valueCode"))
    return None


def _about(patient: Mapping[str, Any]) -> Json:
    gender = word(patient, "gender")
    return {
        "gender": gender if gender in ("male", "female", "other", "unknown") else None,
        "language": _language(patient),
        "race": _us_core(patient, "us-core-race"),
        "ethnicity": _us_core(patient, "us-core-ethnicity"),
        "marital_status": _best_word(obj(patient, "maritalStatus")),
        "religion": _religion(patient),
    }


def _religion(patient: Mapping[str, Any]) -> str:
    for extension in objects(patient, "extension"):
        if extension.get("url") == _RELIGION:
            return _best_word(obj(extension, "valueCodeableConcept"))
    return ""


def _language(patient: Mapping[str, Any]) -> str:
    spoken = objects(patient, "communication")
    spoken = [s for s in spoken if s.get("preferred") is True] or spoken
    return _best_word(obj(spoken[0], "language")) if spoken else ""


def _best_word(element: Mapping[str, Any]) -> str:
    codings = objects(element, "coding")
    first = codings[0] if codings else {}
    return word(element, "text") or word(first, "display") or word(first, "code")


def _us_core(patient: Mapping[str, Any], name: str) -> str:
    for extension in objects(patient, "extension"):
        if extension.get("url") == _US_CORE + name:
            parts = objects(extension, "extension")
            texts = [word(p, "valueString") for p in parts if p.get("url") == "text"]
            codes = [word(obj(p, "valueCoding"), "display") for p in parts]
            return next((found for found in (*texts, *codes) if found), "")
    return ""
