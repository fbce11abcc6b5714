"""Values that exist nowhere else: one in every field that a contact can have."""

from __future__ import annotations

from typing import Any

from contacts.fields import FIELDS
from contacts.records import Change

STEM = "qxcanary"
"""Stands in every planted text."""
PHONE = "6175550192"
DATES = ("1907-11-23", "1908-10-21", "1909-09-19")
NUMBER = 73914.62518
SYSTEM = "http://qxcanary.example/codes"
CODE = f"{STEM}code"

CANNOT_BE_UNIQUE = frozenset({"gender", "deceased", "time_zone", "last_visit", "journey_stage"})
"""Choices, a yes or no, a time that is derived from a planted visit, and a stage."""


def change(person: str, **more: Any) -> Change:
    """Return a person whose every field holds something to be searched for."""
    return Change(source="ehr", record_number=f"{STEM}-mrn-{person}", values=values(person) | more)


def values(person: str) -> dict[str, Any]:
    words = {
        key: f"{STEM} {person} {key}" for key, field in FIELDS.items() if field.type.name == "TEXT"
    }
    return words | {
        "birth_date": DATES[0],
        "gender": "female",
        "time_zone": "America/Chicago",
        "email": f"{STEM}.{person}@patients.example",
        "phone": f"+1{PHONE}",
        "conditions": [_item("condition", status="active", date=DATES[1])],
        "medications": [_item("medication", status="active", date=DATES[1])],
        "results": [_item("result", value=NUMBER, unit=f"{STEM}unit", at="2026-01-05T10:00:00Z")],
        "encounters": [_happened("encounter", kind="AMB")],
        "immunizations": [_happened("immunization")],
        "procedures": [_happened("procedure")],
        "appointments": [_happened("appointment")],
        "care_plans": [_item("care plan", status="active", date=DATES[1])],
        "hospital_stays": [_item("stay", status="finished", date=DATES[1], end=DATES[2])],
        "coverages": [_item("coverage", status="active", date=DATES[1])],
        "coverage_start": DATES[1],
        "coverage_end": DATES[2],
        "household_size": NUMBER + 1,
        "income": NUMBER + 2,
    }


def fields_planted() -> set[str]:
    """Return the fields whose planted value is unique; the record number is the change's own."""
    return {*values("nobody"), "record_numbers", "deceased_at"} - CANNOT_BE_UNIQUE


def _item(name: str, **more: Any) -> dict[str, Any]:
    code = CODE if name == "condition" else f"{STEM}-{name}"
    return {"system": SYSTEM, "code": code, "display": f"{STEM} {name}"} | more


def _happened(name: str, *, kind: str = "") -> dict[str, Any]:
    item = _item(name, status="finished", at="2026-01-05T10:00:00Z")
    return item | ({"class": kind} if kind else {})
