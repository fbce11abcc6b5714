"""Authorizations and refusals as FHIR R4 Consent, and back. Pure (HD-12).

What a Consent permits is read narrowly: a provision or code that is not understood permits nothing
and becomes a refusal, with a fault that a person looks at. A deny inside a permit is a refusal of
what it names; wherever both speak of the same purpose, the refusal wins at the gate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from consent.purposes import Purpose
from contacts.fields import DataClass, Sensitivity

Json = dict[str, Any]
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
CATEGORY = "http://loinc.org"
AUTHORIZATION = "64292-6"
"""LOINC: release of information consent."""
OURS = "urn:attune:consent"
"""Data classes, labels, channels and the purposes for which HL7 has no code."""
PURPOSE_CODES: Mapping[str, Purpose] = {
    "HMARKT": Purpose.MARKETING,
    "TREAT": Purpose.TREATMENT,
    "CAREMGT": Purpose.CARE_COORDINATION,
    "HPAYMT": Purpose.PAYMENT,
    "HOPERAT": Purpose.OPERATIONS,
    "HRESCH": Purpose.RESEARCH,
}
_CODES = {purpose: code for code, purpose in PURPOSE_CODES.items()}
CLASSES = frozenset(
    [*(one.value for one in DataClass), *(one.name.lower() for one in Sensitivity if one.name)]
)
_LIMITS = frozenset({"type", "period", "purpose", "class", "provision", "id", "extension"})
"""What a provision may say here; anything else narrows it in a way that is not understood."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Malformed(ValueError):
    """It is no Consent. The message names the element, never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A signed authorization, as its Consent says."""

    purposes: frozenset[str]
    classes: frozenset[str]
    signed_at: datetime
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Read:
    """What a Consent means here."""

    number: str
    active: bool
    permits: tuple[Permission, ...] = ()
    denied: frozenset[str] = frozenset()
    """Purposes that are refused; an empty text is everything."""
    faults: tuple[str, ...] = ()
    """What was not understood, by element."""


@dataclass(slots=True)
class _Reading:
    signed_at: datetime
    permits: list[Permission] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def write(  # noqa: PLR0913  (one for each element of the resource)
    *,
    number: str,
    patient: str,
    organisation: str,
    purposes: Sequence[str],
    classes: Sequence[str],
    signed_at: datetime,
    received_at: datetime,
    expires_on: date | None,
    active: bool,
    text: str,
    text_sha256: str,
) -> Json:
    """Return one authorization as a Consent; the purpose of use of marketing is HMARKT."""
    return {
        "resourceType": "Consent",
        "id": number,
        "status": "active" if active else "inactive",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": CATEGORY, "code": AUTHORIZATION}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": _instant(signed_at),
        "organization": [{"display": organisation}],
        "policy": [{"authority": "https://www.hhs.gov", "uri": "urn:us:cfr:45:164.508"}],
        "verification": [{"verified": True, "verificationDate": _instant(received_at)}],
        **({"sourceAttachment": {"title": text, "id": text_sha256}} if text else {}),
        "provision": {
            "type": "permit",
            "period": {
                "start": _instant(signed_at),
                **({"end": expires_on.isoformat()} if expires_on else {}),
            },
            "purpose": [_purpose(one) for one in purposes],
            "class": [{"system": OURS, "code": one} for one in classes],
        },
    }


def bundle(consents: Sequence[Json]) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one} for one in consents],
    }


def consents_in(resource: Any) -> list[Json]:
    """Return the Consents of a resource: itself, or those of a Bundle."""
    if not isinstance(resource, dict):
        raise Malformed("the body must be a FHIR resource")
    if resource.get("resourceType") == "Consent":
        return [resource]
    if resource.get("resourceType") != "Bundle":
        raise Malformed("resourceType must be Consent, or Bundle")
    found = [one.get("resource") for one in _objects(resource, "entry")]
    if not all(isinstance(one, dict) and one.get("resourceType") == "Consent" for one in found):
        raise Malformed("every entry of the Bundle must be a Consent")
    return [one for one in found if isinstance(one, dict)]


def read(resource: Mapping[str, Any]) -> Read:
    """Read one Consent."""
    number, status = resource.get("id"), resource.get("status")
    if not isinstance(number, str) or not 1 <= len(number) <= 64:
        raise Malformed("id must be there: by it a repetition is known")
    if status in ("inactive", "rejected", "entered-in-error"):
        return Read(number, active=False)
    faults = [] if status == "active" else ["status"]
    signed_at = _moment(resource.get("dateTime"), "dateTime")
    reading = _Reading(signed_at)
    root = resource.get("provision")
    if not isinstance(root, dict):
        return Read(number, True, denied=frozenset({""}), faults=(*faults, "provision"))
    _provision(root, reading, path="provision", period=_period(root))
    if faults:
        reading.permits.clear()
        reading.denied.add("")
    return Read(
        number,
        True,
        tuple(reading.permits),
        frozenset(reading.denied),
        (*faults, *reading.faults),
    )


def patient_of(resource: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the patient's id here, or else the source and the record number there."""
    patient = resource.get("patient")
    if not isinstance(patient, dict):
        raise Malformed("patient must be there")
    identifier = patient.get("identifier")
    if isinstance(identifier, dict):
        return "", str(identifier.get("system") or ""), str(identifier.get("value") or "")
    return str(patient.get("reference") or "").removeprefix("Patient/"), "", ""


def _provision(one: Json, reading: _Reading, *, path: str, period: date | None) -> None:
    """Read a provision and those inside it; what narrows it beyond our terms is a fault."""
    kind = one.get("type")
    purposes, faults = _purposes(one, path)
    classes, more = _classes(one, path)
    faults += more + [f"{path}.{name}" for name in sorted(set(one) - _LIMITS)]
    if kind == "permit" and purposes and classes and not faults:
        reading.permits.append(
            Permission(
                purposes=purposes,
                classes=classes,
                signed_at=reading.signed_at,
                expires_on=_period(one) or period,
            )
        )
    elif kind == "deny" or faults or kind != "permit":
        reading.denied |= purposes or {""}
        reading.faults += faults if kind in ("permit", "deny") else [*faults, f"{path}.type"]
    for at, inner in enumerate(_objects(one, "provision")):
        _provision(inner, reading, path=f"{path}.provision[{at}]", period=_period(one) or period)


def _purposes(one: Json, path: str) -> tuple[frozenset[str], list[str]]:
    found, faults = set(), []
    for at, coding in enumerate(_objects(one, "purpose")):
        code = str(coding.get("code") or "")
        if coding.get("system") == ACT_REASON and code in PURPOSE_CODES:
            found.add(PURPOSE_CODES[code].value)
        elif coding.get("system") == OURS and code in set(Purpose):
            found.add(code)
        else:
            faults.append(f"{path}.purpose[{at}]")
    return (frozenset() if faults else frozenset(found)), faults


def _classes(one: Json, path: str) -> tuple[frozenset[str], list[str]]:
    found, faults = set(), []
    for at, coding in enumerate(_objects(one, "class")):
        if coding.get("system") == OURS and coding.get("code") in CLASSES:
            found.add(str(coding["code"]))
        else:
            faults.append(f"{path}.class[{at}]")
    return frozenset(found), faults


def _period(one: Json) -> date | None:
    period = one.get("period")
    end = period.get("end") if isinstance(period, dict) else None
    if end is None:
        return None
    try:
        return date.fromisoformat(str(end)[:10])
    except ValueError:
        raise Malformed("provision.period.end must be a date") from None


def _moment(value: Any, name: str) -> datetime:
    if not isinstance(value, str):
        raise Malformed(f"{name} must be there")
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise Malformed(f"{name} must be a date or a time") from None
    if _DAY.fullmatch(value):
        return datetime.combine(found.date(), time(), tzinfo=UTC)
    if found.tzinfo is None:
        raise Malformed(f"{name} must say its zone")
    return found


def _objects(one: Mapping[str, Any], name: str) -> list[Json]:
    value = one.get(name) or []
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise Malformed(f"{name} must be a list of objects")
    return value


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _purpose(one: str) -> Json:
    code = _CODES.get(Purpose(one))
    if code:
        return {"system": ACT_REASON, "code": code}
    return {"system": OURS, "code": one}
