"""The pure mapper."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contacts.facts import PersonFacts
from contacts.sample import people
from contacts.sample.fhir import bundle as sample_bundle
from marketing.intake import fhir
from marketing.intake.fhir import Entry, Mapped
from tests.conftest import NOON
from tests.intake.builders import DATA, bundle, condition, patient

EXAMPLES = DATA / "fhir-examples"


def mapped(*resources: Any) -> Mapped:
    entries = fhir.entries_of(bundle(*resources), place="file")
    return fhir.map_entries(entries, source="fhir", now=NOON)


def person(*resources: Any) -> PersonFacts:
    (only,) = mapped(*resources).people
    return only


def test_a_patient_is_known_by_the_medical_record_number_first() -> None:
    assert person(patient()).numbers == (("urn:hospital", "1"), ("fhir", "p1"))


def test_a_social_security_number_is_not_read() -> None:
    ssn = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-14-9291"}
    facts = person(patient(identifier=[ssn]))
    assert "999-14-9291" not in repr(facts)


def test_resources_join_their_patient_whatever_comes_first() -> None:
    facts = person(condition(), patient())
    assert facts.values["conditions"][0]["code"] == "44054006"
    assert facts.values["given_name"] == "Ada"


def test_a_reference_by_full_url_finds_the_patient() -> None:
    ill = condition(subject={"reference": "urn:uuid:5b1e"})
    entries = [Entry("a", "urn:uuid:5b1e", patient()), Entry("b", "", ill)]
    (facts,) = fhir.map_entries(entries, source="fhir", now=NOON).people
    assert facts.whole
    assert "conditions" in facts.values


@pytest.mark.parametrize("status", ["entered-in-error", "refuted"])
def test_hd07_a_condition_in_error_is_taken_back(status: str) -> None:
    wrong = condition(verificationStatus={"coding": [{"code": status}]})
    facts = person(patient(), wrong)
    assert "conditions" not in facts.values
    assert facts.retracted == {"Condition/c1"}


def test_hd08_a_preliminary_result_is_not_taken() -> None:
    result = {
        "resourceType": "Observation", "id": "o", "status": "preliminary",
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "subject": {"reference": "Patient/p1"}, "valueQuantity": {"value": 9.1, "unit": "%"},
    }  # fmt: skip
    found = mapped(patient(), result)
    assert "results" not in found.people[0].values
    assert found.ignored["Observation not final"] == 1


def test_both_codes_of_a_condition_are_kept() -> None:
    code = {
        "coding": [
            {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"},
            {"system": "http://snomed.info/sct", "code": "44054006"},
        ]
    }
    (item,) = person(patient(), condition(code=code)).values["conditions"]
    assert item["code"] == "44054006"
    assert item["also"] == [["http://hl7.org/fhir/sid/icd-10-cm", "E11.9"]]


def test_hd17_an_old_number_is_not_used() -> None:
    telecom = [
        {"system": "phone", "value": "617-555-0100", "period": {"end": "2014"}},
        {"system": "phone", "value": "617-555-0101"},
    ]
    assert person(patient(telecom=telecom)).values["phone"] == "+16175550101"


def test_a_birth_date_that_is_not_to_the_day_is_left_out() -> None:
    assert "birth_date" not in person(patient(birthDate="1961-02")).values


def test_hd06_a_death_is_read_from_either_element() -> None:
    assert person(patient(deceasedBoolean=True)).values["deceased"] is True
    died = person(patient(deceasedDateTime="2025-03-01T10:00:00Z")).values
    assert (died["deceased"], died["deceased_at"]) == (True, "2025-03-01")


def test_an_unknown_resource_type_is_a_problem_with_its_place() -> None:
    (problem,) = mapped(patient(), {"resourceType": "Pacient"}).problems
    assert problem.place == "file, entry 2"
    assert "Pacient" in problem.message


def test_a_known_type_that_is_not_mapped_is_counted() -> None:
    assert mapped(patient(), {"resourceType": "Claim"}).ignored == {"Claim": 1}


def test_a_malformed_element_is_named_without_its_value() -> None:
    (problem,) = mapped(patient(birthDate="born in spring")).problems
    assert problem.message == "Patient: birthDate is not a FHIR date"


def test_hd03_items_known_at_another_time_than_the_patient_keep_their_own() -> None:
    ill = condition(meta={"lastUpdated": "2026-01-05T00:00:00Z"})
    whole, items = mapped(patient(meta={"lastUpdated": "2025-01-05T00:00:00Z"}), ill).people
    assert (whole.as_of, items.as_of) == (
        datetime(2025, 1, 5, tzinfo=UTC),
        datetime(2026, 1, 5, tzinfo=UTC),
    )


def test_the_samples_patients_survive_the_way_through_fhir() -> None:
    for change in people(7, 60, now=NOON):
        entries = fhir.entries_of(sample_bundle(change), place="sample")
        facts = fhir.person_from_bundle(entries, source="fhir", now=NOON)
        for key, value in change.values.items():
            if key == "insurance":
                continue
            mine, theirs = (_comparable(one) for one in (value, facts.values[key]))
            assert mine == theirs, key


def _comparable(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [{k: v for k, v in item.items() if k != "ref"} for item in value]


@pytest.mark.skipif(not EXAMPLES.exists(), reason="needs the published FHIR examples beside it")
def test_every_published_example_is_read_or_refused_in_words() -> None:
    for path in sorted(EXAMPLES.glob("*/*.json")):
        entry = Entry(path.name, "", json.loads(path.read_text()))
        found = fhir.map_entries([entry], source="fhir", now=NOON)
        assert len(found.people) + found.ignored.total() + len(found.problems) == 1, path.name
