"""Twenty questions about two hundred published patients, each put together in the builder's form.

And the question of the brochure: diabetic, 50 or older, ZIP begins 021, not seen for 180 days,
opened none of the last three newsletters.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import tenancy
from accounts.models import Organisation, User
from contacts import matching
from contacts.models import Contact
from contacts.segments import catalogue, evaluate
from contacts.segments.models import Segment
from marketing.intake import fhir_files
from tests.browser import axe
from tests.browser.building import Ask, add, build, save
from tests.browser.conftest import OpenAs
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.contacts.segments.test_cohorts import PATIENTS, cohorts

ON = {"On this day (empty: today)": "2019-06-01"}
ALIVE = Ask("Deceased", "is", pick={"Value": "yes"}, negated=True)


def condition(*codes: str, negated: bool = False) -> Ask:
    return Ask(
        "Conditions",
        "include",
        pick={"Code system": "SNOMED CT"},
        chips={"Codes": list(codes), "Status": ["active"]},
        negated=negated,
    )


def flu(how: str, *, number: str = "", since: str = "", negated: bool = False) -> Ask:
    return Ask(
        "Immunizations",
        how,
        pick={"Code system": "CVX"},
        fill={"How many": number} if number else {},
        chips={"Codes": ["140"], "Status": ["completed"]},
        since=since,
        negated=negated,
    )


def latest(code: str, value: str) -> Ask:
    return Ask(
        "Results",
        "latest is at least",
        pick={"Code system": "LOINC"},
        fill={"Value": value},
        chips={"Codes": [code]},
    )


FLU_SINCE = "2018-06-01T00:00:00+00:00"
COHORTS: dict[str, list[Ask]] = {
    "deceased": [Ask("Deceased", "is", pick={"Value": "yes"})],
    "minor": [Ask("Date of birth", "age: below", fill={"Years": "18", **ON})],
    "age_50_to_75_alive": [
        Ask("Date of birth", "age: between", fill={"From": "50", "To": "75", **ON}),
        ALIVE,
    ],
    "female_40_plus_alive": [
        Ask("Gender", "is", pick={"Value": "female"}),
        Ask("Date of birth", "age: at least", fill={"Years": "40", **ON}),
        ALIVE,
    ],
    "language_not_english": [
        Ask(
            "Language",
            "starts with",
            pick={"Case": "to the letter"},
            chips={"Texts": ["English"]},
            negated=True,
        )
    ],
    "diabetes_active": [condition("44054006")],
    "prediabetes_not_diabetes": [condition("15777000"), condition("44054006", negated=True)],
    "hypertension_active": [condition("38341003", "59621000")],
    "flu_shot_since_2018_06_01": [flu("include", since=FLU_SINCE)],
    "no_flu_shot_since_2018_06_01_alive": [flu("include", since=FLU_SINCE, negated=True), ALIVE],
    "three_or_more_flu_shots": [flu("number at least", number="3")],
    "last_a1c_6_5_or_more": [latest("4548-4", "6.5")],
    "last_bmi_30_or_more": [latest("39156-5", "30")],
    "no_visit_since_2017_06_01_alive": [
        Ask("Visits", "number exactly", fill={"How many": "0"}, since="2017-06-01T00:00:00+00:00"),
        ALIVE,
    ],
    "emergency_visit_ever": [
        Ask("Visits", "number at least", fill={"How many": "1"}, check=("emergency",))
    ],
    "two_or_more_visits_since_2018_06_01": [
        Ask("Visits", "number at least", fill={"How many": "2"}, since=FLU_SINCE)
    ],
    "postal_code_021": [Ask("Postal code", "starts with", chips={"Texts": ["021"]})],
    "no_postal_code": [Ask("Postal code", "is known", negated=True)],
    "active_opioid": [
        Ask(
            "Medications",
            "include",
            chips={
                "Text contains": ["Hydrocodone", "Oxycodone", "Meperidine"],
                "Status": ["active"],
            },
        )
    ],
    "birthday_in_june": [Ask("Date of birth", "falls in", check=("June",))],
}


@pytest.mark.skipif(not PATIENTS.exists(), reason="needs the published patients")
def test_all_twenty_cohorts_are_built_in_the_form_with_the_exact_patients(
    open_as: OpenAs, harbor: Organisation, mara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenancy.acting_for(harbor.pk):
        fhir_files.import_files([PATIENTS / "bundles.ndjson.xz"], now=NOON)
    expected = cohorts()
    assert COHORTS.keys() == expected.keys()
    page = open_as(mara, "/segments/")
    for name, asks in COHORTS.items():
        build(page, name, asks)
        save(page)
    with tenancy.acting_for(harbor.pk):
        found = {row.name: members(row) for row in Segment.objects.all()}
        assert found == {
            name: set(matching.ids_by_number([("fhir", one) for one in cohort["patients"]]))
            for name, cohort in expected.items()
        }


def members(segment: Segment) -> set[int]:
    definition = catalogue.definition_of(segment)
    return set(evaluate.members(definition, now=NOON).contact_ids())


FIVE = [
    Ask("Conditions", "include", chips={"Codes": ["44054006"], "Status": ["active"]}),
    Ask("Date of birth", "age: at least", fill={"Years": "50"}),
    Ask("Postal code", "starts with", chips={"Texts": ["021"]}),
    Ask("Last visit", "is more than … ago", fill={"How many": "180"}, pick={"Unit": "days"}),
    Ask(
        "Last messages opened or clicked",
        "opened, of the last",
        fill={"How many": "3", "Of the topic": "newsletter"},
        pick={"Which": "none"},
    ),
]


def patient(**more: Any) -> dict[str, Any]:
    ill = {"system": "http://snomed.info/sct", "code": "44054006", "status": "active"}
    seen = f"{timezone.now() - timedelta(days=400):%Y-%m-%dT%H:%M:%SZ}"
    visit = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "code": "AMB",
        "display": "Visit",
        "status": "finished",
        "class": "AMB",
        "at": seen,
    }
    return {
        "birth_date": "1950-04-05",
        "postal_code": "02139",
        "conditions": [{**ill, "display": "Diabetes type 2"}],
        "encounters": [visit],
        **more,
    }


def test_the_five_clauses_are_built_read_counted_and_explained(
    open_as: OpenAs, harbor: Organisation, mara: User, omar: User
) -> None:
    with tenancy.acting_for(harbor.pk):
        ids = world.add([patient(), patient(postal_code="03101"), patient(conditions=[])])
        public_id = Contact.objects.get(pk=ids[0]).public_id
    page = open_as(mara, "/segments/new/")
    build(page, "Diabetic, not seen, silent", FIVE[:4])
    sentence = page.locator("#preview .preview-sentence")
    expect(sentence).to_contain_text("age is 50 or more")
    expect(sentence).to_contain_text("postal code starts with “021”")
    expect(sentence).to_contain_text("last visit is more than 180 days ago")
    expect(page.locator("#preview strong")).to_have_text("<11")
    assert page.locator("#preview .funnel tbody tr").count() == 4
    add(page, FIVE[4])
    expect(sentence).to_contain_text("“newsletter”")
    save(page)
    assert axe.findings(page) == []
    with tenancy.acting_for(harbor.pk):
        segment = Segment.objects.get()
    _explained(open_as(omar, f"/segments/{segment.id}/why/{public_id}/"))


def _explained(page: Page) -> None:
    """Nobody sent this person a newsletter: the last clause fails, the others hold."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Not in the segment")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(6)
    expect(rows.nth(1)).to_contain_text("Diabetes type 2, active")
    expect(rows.nth(2)).to_contain_text("1950-04-05")
    expect(rows.nth(3)).to_contain_text("02139")
    answers = [row.locator("td").first.inner_text() for row in rows.all()]
    assert answers == ["no", "yes", "yes", "yes", "yes", "no"]
    assert axe.findings(page) == []
