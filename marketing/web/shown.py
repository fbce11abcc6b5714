"""A person's values in the words of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any

from contacts.fields import DataClass, Field, FieldType, fields_of
from contacts.history.reading import Provenance
from contacts.segments.phrases import number_in_words

CLASS_LABELS: Mapping[DataClass, str] = {
    DataClass.IDENTITY: "Identity",
    DataClass.CONTACT_POINT: "Contact points",
    DataClass.DEMOGRAPHIC: "Demographics",
    DataClass.CLINICAL: "Clinical",
    DataClass.COVERAGE: "Coverage",
    DataClass.ENGAGEMENT: "Engagement",
}
LABEL_NAMES = {
    "substance_use": "Substance use (42 CFR Part 2)",
    "mental_health": "Mental health",
    "psychotherapy": "Psychotherapy notes",
    "hiv": "HIV",
    "reproductive": "Reproductive health",
    "minor": "Services that a minor may consent to alone",
}
"""The sensitivity labels as pages call them."""
MOST_ITEMS = 30


@dataclass(frozen=True)
class Fact:
    """A field and its value: one text, or lines with a detail each."""

    label: str
    text: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    more: int = 0
    key: str = ""
    origin: Provenance | None = None


def name(values: Mapping[str, Any]) -> str:
    """Return the person's name, or that none is known."""
    parts = (values.get(key, "") for key in ("prefix", "given_name", "family_name"))
    return " ".join(part for part in parts if part) or "No name known"


def facts(
    values: Mapping[str, Any], kind: DataClass, *, fields: Mapping[str, Field], zone: tzinfo
) -> list[Fact]:
    """Return the class's fields that are known, in the registry's order; moments on the clock of
    the organisation's `zone`.
    """
    return [
        _fact(field, values[field.key], zone)
        for field in fields_of(kind, fields=fields)
        if values.get(field.key) not in (None, "", [])
    ]


def _fact(field: Field, value: Any, zone: tzinfo) -> Fact:
    if not field.is_list:
        return Fact(field.label, text=_text(field, value, zone), key=field.key)
    newest = sorted(value, key=_moment, reverse=True)
    lines = tuple(_line(field, item) for item in newest[:MOST_ITEMS])
    return Fact(field.label, lines=lines, more=max(0, len(newest) - MOST_ITEMS), key=field.key)


def with_origins(known: Iterable[Fact], origins: Mapping[str, Provenance]) -> list[Fact]:
    """Return the facts, each with where it comes from."""
    return [replace(fact, origin=origins.get(fact.key)) for fact in known]


def _text(field: Field, value: Any, zone: tzinfo) -> str:
    if field.type is FieldType.BOOLEAN:
        return "yes" if value else "no"
    if field.type is FieldType.DATE:
        return f"{date.fromisoformat(value):%-d %B %Y}"
    if field.type is FieldType.DATETIME:
        return f"{datetime.fromisoformat(value).astimezone(zone):%-d %B %Y, %H:%M %Z}"
    if field.type is FieldType.NUMBER:
        return number_in_words(value)
    if field.type is FieldType.CHOICES:
        return ", ".join(value)
    if field.type is FieldType.CODED:
        return str(value["display"] or value["code"])
    return str(value)


def _moment(item: Mapping[str, Any]) -> str:
    return str(item.get("at") or item.get("date") or "")


def _line(field: Field, item: Mapping[str, Any]) -> tuple[str, str]:
    if field.type is FieldType.NUMBERS:
        return str(item["value"]), str(item["source"])
    what = str(item.get("display") or item.get("code") or item.get("class") or "Not named")
    if field.type is FieldType.RESULTS:
        what = f"{what}: {item['value']} {item.get('unit', '')}".rstrip()
    return what, " · ".join(_detail(item))


def _detail(item: Mapping[str, Any]) -> Iterable[str]:
    if item.get("status"):
        yield str(item["status"])
    if moment := _moment(item):
        yield moment[:10]
