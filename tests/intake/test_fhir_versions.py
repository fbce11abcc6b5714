"""Other versions of FHIR, merged patients, and elements that change a meaning."""

from __future__ import annotations

from typing import Any

import pytest

from marketing.intake import fhir
from marketing.intake.fhir import Entry, Mapped
from tests.conftest import NOON

ADA = {
    "resourceType": "Patient",
    "id": "ada",
    "identifier": [
        {"system": "urn:old", "value": "1", "period": {"end": "2001-01-01"}},
        {"system": "urn:mrn", "value": "7", "type": {"coding": [{"code": "MR"}]}},
    ],
    "name": [
        {"use": "official", "family": "Byron", "period": {"end": "1835-07-08"}},
        {"use": "usual", "family": "Lovelace"},
    ],
}
ABOUT = {"subject": {"reference": "Patient/ada"}}


def mapped(*resources: dict[str, Any]) -> Mapped:
    entries = [Entry(f"line {n}", "", one) for n, one in enumerate(resources, 1)]
    return fhir.map_entries(entries, source="epic", now=NOON)


@pytest.mark.parametrize(
    ("resource", "version"),
    [
        ({"resourceType": "Condition", "clinicalStatus": "active", **ABOUT}, "STU3"),
        ({"resourceType": "Immunization", "notGiven": False, "patient": ABOUT["subject"]}, "STU3"),
        ({"resourceType": "Encounter", "class": [{"coding": []}], **ABOUT}, "R5"),
        ({"resourceType": "MedicationRequest", "medication": {"concept": {}}, **ABOUT}, "R5"),
        ({"resourceType": "Procedure", "occurrenceDateTime": "2024-01-01", **ABOUT}, "R5"),
    ],
)
def test_another_version_is_refused_by_name(resource: dict[str, Any], version: str) -> None:
    (problem,) = mapped(ADA, resource).problems
    assert version in problem.message
    assert "export it as R4" in problem.message


def test_what_a_modifier_extension_may_turn_around_is_refused() -> None:
    (problem,) = mapped({**ADA, "modifierExtension": [{"url": "urn:not"}]}).problems
    assert "modifier extension" in problem.message


def test_a_name_and_a_number_whose_time_is_over_are_not_taken() -> None:
    (person,) = mapped(ADA).people
    assert person.values["family_name"] == "Lovelace"
    assert person.numbers == (("urn:mrn", "7"), ("epic", "ada"))


def test_a_patient_who_was_merged_is_nobody_and_what_is_said_goes_to_the_other() -> None:
    link = [{"other": {"reference": "Patient/ada"}, "type": "replaced-by"}]
    merged = {"resourceType": "Patient", "id": "old", "active": False, "link": link}
    about = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/old"}}
    found = mapped(about, merged, ADA)
    assert [person.numbers[0] for person in found.people] == [("urn:mrn", "7")]
    assert len(found.people[0].values["conditions"]) == 1
    assert found.ignored == {"Patient replaced by another": 1}
