"""Two hundred published patients, and twenty questions whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from accounts import organisations, tenancy
from audit.actor import Actor, acting_as
from contacts import matching
from contacts.models import Contact
from contacts.segments import columns, evaluate
from contacts.segments.definition import parse
from marketing.intake import fhir_files
from tests.conftest import NOON
from tests.ground.server import OwnDatabase
from tests.intake.builders import DATA

PATIENTS = DATA / "fhir-patients"
pytestmark = pytest.mark.skipif(not PATIENTS.exists(), reason="needs the published patients")

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
CVX = "http://hl7.org/fhir/sid/cvx"
ON = "2019-06-01"
ALIVE = {"not": {"field": "deceased", "op": "equals", "value": True}}
FLU = {"field": "immunizations", "system": CVX, "code": "140", "status": "completed"}


def condition(*codes: str) -> dict[str, Any]:
    return {
        "field": "conditions",
        "op": "has_code",
        "system": SNOMED,
        "codes": list(codes),
        "where": {"status": "active"},
    }


def since(day: str) -> dict[str, Any]:
    """The resources' days are UTC days; a plain day would be the clinic's own."""
    return {"since": f"{day}T00:00:00+00:00"}


QUESTIONS: dict[str, Any] = {
    "deceased": {"field": "deceased", "op": "equals", "value": True},
    "minor": {"field": "birth_date", "op": "age_lt", "value": 18, "on": ON},
    "age_50_to_75_alive": {
        "all": [{"field": "birth_date", "op": "age_between", "value": [50, 75], "on": ON}, ALIVE]
    },
    "female_40_plus_alive": {
        "all": [
            {"field": "gender", "op": "equals", "value": "female"},
            {"field": "birth_date", "op": "age_gte", "value": 40, "on": ON},
            ALIVE,
        ]
    },
    "language_not_english": {
        "not": {"field": "language", "op": "starts_with", "value": "English", "case": "exact"}
    },
    "diabetes_active": condition("44054006"),
    "prediabetes_not_diabetes": {
        "all": [condition("15777000"), {"not": condition("44054006")}]
    },
    "hypertension_active": condition("38341003", "59621000"),
    "flu_shot_since_2018_06_01": {**FLU, "op": "has_code", **since("2018-06-01")},
    "no_flu_shot_since_2018_06_01_alive": {
        "all": [{"not": {**FLU, "op": "has_code", **since("2018-06-01")}}, ALIVE]
    },
    "three_or_more_flu_shots": {**FLU, "op": "count_gte", "value": 3},
    "last_a1c_6_5_or_more": {
        "field": "results", "op": "latest_gte", "system": LOINC, "code": "4548-4", "value": 6.5,
    },
    "last_bmi_30_or_more": {
        "field": "results", "op": "latest_gte", "system": LOINC, "code": "39156-5", "value": 30,
    },
    "no_visit_since_2017_06_01_alive": {
        "all": [
            {"field": "encounters", "op": "count_eq", "value": 0, **since("2017-06-01")},
            ALIVE,
        ]
    },
    "emergency_visit_ever": {
        "field": "encounters", "op": "count_gte", "value": 1, "class": "EMER",
    },
    "two_or_more_visits_since_2018_06_01": {
        "field": "encounters", "op": "count_gte", "value": 2, **since("2018-06-01"),
    },
    "postal_code_021": {"field": "postal_code", "op": "starts_with", "value": "021"},
    "no_postal_code": {"not": {"field": "postal_code", "op": "exists"}},
    "active_opioid": {
        "field": "medications",
        "op": "has_code",
        "where": {"status": "active", "text": ["Hydrocodone", "Oxycodone", "Meperidine"]},
    },
    "birthday_in_june": {"field": "birth_date", "op": "month_is", "value": 6},
}  # fmt: skip


def cohorts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PATIENTS / "cohorts.json").read_text())
    return found


@pytest.fixture(scope="module")
def patients(test_server: Any, django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    """The patients in a database of their own, imported once for all questions."""
    with django_db_blocker.unblock(), test_server.own_database() as own:
        assert isinstance(own, OwnDatabase)
        with acting_as(Actor("system", "test")):
            clinic = organisations.found(
                "Published", slug="published", timezone="America/New_York", now=NOON
            )
            with tenancy.acting_for(clinic.pk):
                fhir_files.import_files([PATIENTS / "bundles.ndjson.xz"], now=NOON)
                yield clinic.pk


@pytest.mark.parametrize("folded", [False, True], ids=["from records", "from columns"])
def test_all_twenty_cohorts_are_segments_with_the_exact_patients(
    patients: int, folded: bool
) -> None:
    if folded:
        assert columns.compact(now=NOON, at_least=1) >= 200
    expected = cohorts()
    assert QUESTIONS.keys() == expected.keys()
    found = {
        name: set(evaluate.members(parse(tree), now=NOON).contact_ids())
        for name, tree in QUESTIONS.items()
    }
    assert found == {
        name: set(matching.ids_by_number([("fhir", patient) for patient in cohort["patients"]]))
        for name, cohort in expected.items()
    }


def test_the_published_patients_are_two_hundred(patients: int) -> None:
    assert Contact.objects.count() == 200
