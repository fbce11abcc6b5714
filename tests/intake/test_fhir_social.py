"""What FHIR says of somebody's coverage, plans, stays and life."""

from __future__ import annotations

from typing import Any

import pytest

from contacts.facts import PersonFacts
from marketing.intake.fhir import Entry, map_entries
from tests.conftest import NOON
from tests.intake.builders import Json, patient

ABOUT = {"subject": {"reference": "Patient/p1"}}


def mapped(*resources: Json) -> PersonFacts:
    entries = [Entry(f"entry {n}", "", resource) for n, resource in enumerate(resources)]
    found = map_entries(entries, source="ehr", now=NOON)
    assert found.problems == []
    (person,) = found.people
    return person


def values(*resources: Json) -> Any:
    return mapped(patient(), *resources).values


def coverage(number: str = "1", **more: Any) -> Json:
    return {
        "resourceType": "Coverage",
        "id": f"v{number}",
        "status": "active",
        "beneficiary": {"reference": "Patient/p1"},
        "subscriberId": "999-12-3456",
        "type": {"coding": [{"system": "urn:types", "code": "PPO", "display": "preferred"}]},
        "payor": [{"display": f"Payor {number}"}],
        "class": [
            {"type": {"coding": [{"code": "group"}]}, "value": "G"},
            {"type": {"coding": [{"code": "plan"}]}, "value": "P", "name": f"Plan {number}"},
        ],
        "period": {"start": "2025-01-01", "end": "2026-12-31"},
        **more,
    }


def answer(code: str, at: str = "2026-01-05", **value: Any) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": at,
        **ABOUT,
        **value,
    }


def said(text: str) -> Json:
    return {"valueCodeableConcept": {"text": text}}


def test_a_coverage_in_force_says_insurance_and_plan() -> None:
    found = values(coverage())
    assert (found["insurance"], found["plan"]) == ("Payor 1", "Plan 1")
    assert found["coverage_type"] == "preferred"
    assert (found["coverage_start"], found["coverage_end"]) == ("2025-01-01", "2026-12-31")
    (item,) = found["coverages"]
    assert (item["code"], item["status"], item["ref"]) == ("PPO", "active", "Coverage/v1")


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_coverages_the_first_in_order_says_it(turned: bool) -> None:
    both = [coverage("1", order=2), coverage("2", order=1)]
    found = values(*(both[::-1] if turned else both))
    assert found["insurance"] == "Payor 2"
    assert len(found["coverages"]) == 2


def test_a_coverage_that_is_over_is_listed_and_says_nothing_else() -> None:
    found = values(coverage(status="cancelled"))
    assert "insurance" not in found
    assert found["coverages"][0]["status"] == "cancelled"


def test_a_coverage_in_error_is_taken_back() -> None:
    person = mapped(patient(), coverage(status="entered-in-error"))
    assert person.retracted == {"Coverage/v1"}
    assert "coverages" not in person.values


def test_a_number_of_the_insurance_is_not_read() -> None:
    assert "999-12-3456" not in str(values(coverage()))


def test_a_plan_of_care_has_its_category_and_days() -> None:
    plan = {
        "resourceType": "CarePlan",
        "id": "cp",
        "status": "active",
        "category": [
            {"coding": [{"system": "http://hl7.org/fhir/us/core", "code": "assess-plan"}]},
            {"coding": [{"system": "http://snomed.info/sct", "code": "698360004"}],
             "text": "Diabetes self management plan"},
        ],
        "period": {"start": "2026-01-05T09:00:00Z"},
        **ABOUT,
    }  # fmt: skip
    (item,) = values(plan)["care_plans"]
    assert (item["code"], item["display"]) == ("698360004", "Diabetes self management plan")
    assert (item["status"], item["date"]) == ("active", "2026-01-05")
    assert "end" not in item


def encounter(kind: str, status: str = "finished") -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": status,
        "class": {"code": kind},
        "period": {"start": "2026-01-05T09:00:00Z", "end": "2026-01-08T10:00:00Z"},
        **ABOUT,
    }


@pytest.mark.parametrize("kind", ["IMP", "ACUTE", "NONAC"])
def test_an_inpatient_visit_is_a_stay_too(kind: str) -> None:
    found = values(encounter(kind))
    (stay,) = found["hospital_stays"]
    assert (stay["date"], stay["end"]) == ("2026-01-05", "2026-01-08")
    assert stay["ref"] == found["encounters"][0]["ref"]


@pytest.mark.parametrize(
    ("kind", "status"), [("AMB", "finished"), ("EMER", "finished"), ("IMP", "cancelled")]
)
def test_other_visits_are_no_stays(kind: str, status: str) -> None:
    assert "hospital_stays" not in values(encounter(kind, status))


@pytest.mark.parametrize(
    ("code", "value", "field", "stored"),
    [
        ("82589-3", said("High school diploma"), "education", "High school diploma"),
        ("67875-5", said("Full-time work"), "employment", "Full-time work"),
        ("63586-2", {"valueQuantity": {"value": 41000, "unit": "/a"}}, "income", 41000),
        ("63512-8", {"valueInteger": 4}, "household_size", 4),
    ],
)
def test_an_answer_about_life_is_a_demographic_fact_and_stays_a_result(
    code: str, value: Json, field: str, stored: Any
) -> None:
    found = values(answer(code, **value))
    assert found[field] == stored
    assert found["results"][0]["code"] == code


def test_the_newest_answer_stays() -> None:
    old = answer("67875-5", "2025-01-01", **said("Unemployed"))
    new = answer("67875-5", "2026-01-01", **said("Full-time work"))
    assert values(new, old)["employment"] == "Full-time work"


def test_an_answer_withheld_is_no_answer() -> None:
    found = values(answer("82589-3", **said("I choose not to answer this question")))
    assert "education" not in found


def test_an_answer_of_a_survey_part_is_heard() -> None:
    part = {"code": {"coding": [{"system": "http://loinc.org", "code": "63512-8"}]},
            "valueQuantity": {"value": 3}}  # fmt: skip
    assert values(answer("93025-5", component=[part]))["household_size"] == 3


def test_religion_is_read_from_its_extension() -> None:
    told = {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-religion",
        "valueCodeableConcept": {"coding": [{"code": "1013", "display": "Christian"}]},
    }
    assert mapped(patient(extension=[told])).values["religion"] == "Christian"


TIME_ZONE = "http://hl7.org/fhir/StructureDefinition/timezone"


def test_the_time_zone_of_an_address_is_read_from_its_extension() -> None:
    there = [{"state": "TX", "extension": [{"url": TIME_ZONE, "valueCode": "America/Denver"}]}]
    assert mapped(patient(address=there)).values["time_zone"] == "America/Denver"


def test_a_time_zone_that_is_none_refuses_no_patient() -> None:
    told = {"url": TIME_ZONE, "valueCode": "Mountain"}
    assert not mapped(patient(extension=[told])).values.get("time_zone")
