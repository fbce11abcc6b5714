"""The small pieces of which FHIR resources are made. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from contacts.codes import ICD10, RXNORM, SNOMED

Json = dict[str, Any]

_PREFERRED = (SNOMED, ICD10, RXNORM)
_MOST_CODINGS = 6
_MOMENT = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?"
)


class Malformed(ValueError):
    """A resource is not as FHIR says. The message names the element, never its value."""


def objects(resource: Mapping[str, Any], name: str) -> list[Json]:
    """Return the objects of a repeated element; [] where it is absent."""
    value = resource.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise Malformed(f"{name} must be a list of objects")
    return value


def obj(resource: Mapping[str, Any], name: str) -> Json:
    """Return an object element; {} where it is absent."""
    value = resource.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{name} must be an object")
    return value


def word(resource: Mapping[str, Any], name: str) -> str:
    """Return a text element, in one line and at most 1,000 characters; "" where it is absent."""
    value = resource.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{name} must be text")
    return " ".join(value.split())[:1000]


def concept(resource: Mapping[str, Any], name: str) -> Json:
    """Return system, code, display and further codes of a CodeableConcept."""
    return coded(obj(resource, name))


def coded(element: Mapping[str, Any]) -> Json:
    codings = [
        (word(coding, "system"), word(coding, "code"), word(coding, "display"))
        for coding in objects(element, "coding")[:_MOST_CODINGS]
        if coding.get("code")
    ]
    codings.sort(key=lambda c: _PREFERRED.index(c[0]) if c[0] in _PREFERRED else len(_PREFERRED))
    text = word(element, "text")
    if not codings:
        return {"system": "", "code": "", "display": text}
    system, code, display = codings[0]
    item: Json = {"system": system, "code": code, "display": text or display}
    if len(codings) > 1:
        item["also"] = [[other_system, other] for other_system, other, _ in codings[1:]]
    return item


def reference_tail(reference: str) -> str:
    """Return the last part of a reference: the id, whichever way it was written."""
    whole, _, _ = reference.partition("/_history/")
    return whole.rstrip("/").rpartition("/")[2].rpartition(":")[2]


def day(value: object, name: str) -> str | None:
    """Return the full date of a date or dateTime; None where it is absent or not to the day."""
    found = _parts(value, name)
    if found is None or found[2] is None:
        return None
    return "-".join(str(part) for part in found[:3])


def moment(value: object, name: str) -> str | None:
    """Return a dateTime in UTC; one that is not to the second counts from its beginning."""
    found = _parts(value, name)
    if found is None:
        return None
    year, month, of_month, time = found
    stamp = datetime.fromisoformat(f"{year}-{month or '01'}-{of_month or '01'}{time or ''}")
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parts(value: object, name: str) -> tuple[Any, ...] | None:
    if value is None:
        return None
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Malformed(f"{name} is not a FHIR date")
    year, month, of_month, _ = match.groups()
    try:
        date(int(year), int(month or 1), int(of_month or 1))
    except ValueError:
        raise Malformed(f"{name} is not a day of the calendar") from None
    return match.groups()


def updated_at(resource: Mapping[str, Any]) -> datetime | None:
    """Return when the source last changed the resource, where it says so."""
    stamp = moment(obj(resource, "meta").get("lastUpdated"), "meta.lastUpdated")
    return datetime.fromisoformat(stamp) if stamp else None


def is_over(element: Mapping[str, Any], now: datetime) -> bool:
    """Whether a name, address or telecom is old or its period has ended."""
    end = obj(element, "period").get("end")
    ended = moment(end, "period.end") if end else None
    return element.get("use") == "old" or (ended is not None and ended < now.isoformat())
