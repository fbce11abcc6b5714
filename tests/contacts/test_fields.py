"""Declared fields, their canonical values and labels."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import models

from contacts import checks, codes
from contacts.canonical import ValueRefused, canonical, email_form, phone_form
from contacts.fields import FIELDS, Sensitivity
from contacts.packing import NUMBERS, Record, pack, read, unpack
from contacts.sample import people
from tests.conftest import NOON


def test_sr13_every_field_and_column_has_a_class() -> None:
    assert [problem for problem in run_checks() if (problem.id or "").startswith("contacts.")] == []


def test_sr13_a_column_without_a_class_is_found() -> None:
    class Note(models.Model):
        text = models.TextField()

        class Meta:
            app_label = "contacts_unclassified"

        def __str__(self) -> str:
            return ""

    assert checks.unclassified(Note) == ["note.text"]


def test_no_two_fields_share_a_place_in_the_record() -> None:
    assert len(set(NUMBERS.values())) == len(NUMBERS)
    assert set(NUMBERS) == {key for key, field in FIELDS.items() if not field.derived_from}


def test_a_record_comes_back_as_it_was_packed() -> None:
    for change in people(3, 30, now=NOON):
        record = Record(dict(change.values), dict.fromkeys(change.values, 17))
        assert read(pack(record)) == change.values
        assert unpack(pack(record)).as_of == record.as_of


@pytest.mark.parametrize(
    ("key", "given", "stored"),
    [
        ("postal_code", "02026", "02026"),
        ("birth_date", "1961-02-03", "1961-02-03"),
        ("birth_date", "1961-02-03T10:00:00Z", "1961-02-03"),
        ("given_name", "  Zoe\u0308 ", "Zo\u00eb"),
        ("given_name", "", None),
        ("email", "Jo.Smith@Example.TEST", "Jo.Smith@Example.TEST"),
        ("phone", "(617) 555-0101", "+16175550101"),
        ("phone", "617.555.0101 x12", "+16175550101;ext=12"),
        ("phone", "+44 20 7946 0000", "+442079460000"),
        ("phone", "(03) 5555 6473", "(03) 5555 6473"),
        ("gender", "F", "female"),
        ("deceased", "yes", True),
    ],
)
def test_a_value_has_one_stored_form(key: str, given: Any, stored: Any) -> None:
    assert canonical(key, given) == stored


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("birth_date", "1961-02-30"),
        ("birth_date", "02/03/1961"),
        ("birth_date", 1961),
        ("email", "jo@"),
        ("email", "jo@example.test\nBcc: all@example.test"),
        ("email", "jo smith@example.test"),
        ("phone", "12"),
        ("given_name", "A\x00da"),
        ("given_name", "A\ud800da"),
        ("given_name", "A" * 1001),
        ("gender", "purple"),
        ("last_visit", "2026-01-01T00:00:00Z"),
        ("conditions", "E11.9"),
        ("conditions", [{"code": "x"}]),
        ("conditions", [{"system": "s", "code": "c", "status": "active", "colour": "red"}]),
        ("encounters", [{"status": "finished", "at": "2026-02-31T09:00:00Z"}]),
        ("results", [{"system": "s", "code": "c", "value": float("nan")}]),
        ("favourite", "x"),
    ],
)
def test_what_cannot_be_stored_is_refused_without_being_repeated(key: str, given: Any) -> None:
    with pytest.raises(ValueRefused) as refused:
        canonical(key, given)
    assert refused.value.field == key
    if isinstance(given, str):
        assert given not in str(refused.value)


def test_em22_two_spellings_of_one_address_are_compared_equal() -> None:
    assert email_form("Jo.Smith@EXAMPLE.test") == email_form("jo.smith@example.TEST")
    assert email_form("jo@b\u00fccher.example") == email_form("JO@xn--bcher-kva.example")


def test_two_spellings_of_one_number_are_compared_equal() -> None:
    assert phone_form("617-555-0101") == phone_form("+1 (617) 555 0101 ext 4")


@pytest.mark.parametrize(
    ("system", "code", "label"),
    [
        (codes.SNOMED, "66590003", Sensitivity.SUBSTANCE_USE),
        (codes.ICD10, "F11.20", Sensitivity.SUBSTANCE_USE),
        (codes.ICD10, "F32.A", Sensitivity.MENTAL_HEALTH),
        (codes.ICD10, "B20", Sensitivity.HIV),
        (codes.ICD10, "O09.90", Sensitivity.REPRODUCTIVE),
        (codes.ICD10, "E11.9", Sensitivity.NONE),
        (codes.SNOMED, "F11.20", Sensitivity.NONE),
    ],
)
def test_sensitive_codes_carry_their_label(system: str, code: str, label: Sensitivity) -> None:
    assert codes.labels_for(system, code) == label
