"""The segment pages: what each role sees, and what a broken definition says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Organisation, User
from contacts.models import Contact
from contacts.segments import catalogue, membership
from contacts.segments.models import Segment
from tests.conftest import NOON
from tests.contacts.segments import world

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]

BOSTON = {"field": "city", "op": "equals", "value": "Boston"}
DIABETIC = {"field": "conditions", "op": "has_code", "codes": ["44054006"]}
ADDICTED = {"field": "conditions", "op": "has_code", "codes": ["66590003"]}


@pytest.fixture
def people(at_harbor: Organisation) -> list[int]:
    ill = {"system": "http://snomed.info/sct", "code": "44054006", "status": "active"}
    return world.add([{"city": "Boston", "conditions": [ill]}, {"city": "Quincy"}])


def sent(tree: Any, **more: str) -> dict[str, str]:
    return {"definition": json.dumps(tree), **more}


def test_a_marketer_saves_a_segment_and_sees_it(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    client = sign_in_as(mara)
    saved = client.post("/segments/new/", sent(BOSTON, name="Boston"))
    page = client.get(saved.headers["Location"]).content.decode()
    assert "city is “Boston”" in page
    assert "Boston" in client.get("/segments/").content.decode()


def test_a_bad_definition_is_refused_with_the_place_of_each_problem(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    tree = {"all": [BOSTON, {"any": []}]}
    answer = sign_in_as(mara).post("/segments/new/", sent(tree, name="X"))
    assert answer.status_code == 422
    assert 'data-problem-path="$.all[1].any"' in answer.content.decode()
    assert not Segment.objects.exists()


def test_a_preview_counts_and_words_the_definition(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    page = sign_in_as(mara).post("/segments/preview/", sent(BOSTON)).content.decode()
    assert "<strong>1</strong>" in page
    assert "People whose city is “Boston”" in page


def test_se32_a_small_clinical_count_is_hidden_from_a_marketer(
    people: list[int], mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    page = sign_in_as(mara).post("/segments/preview/", sent(DIABETIC)).content.decode()
    assert "<strong>&lt;11</strong>" in page


def test_a_preview_of_what_is_not_json_says_so(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    page = sign_in_as(mara).post("/segments/preview/", {"definition": "{"}).content.decode()
    assert "is not JSON" in page


def test_those_who_may_not_edit_cannot_save(
    at_harbor: Organisation, omar: User, sign_in_as: SignedIn
) -> None:
    """SR-01"""
    answer = sign_in_as(omar).post("/segments/new/", sent(BOSTON, name="X"))
    assert answer.status_code == 403


def test_pr30_the_name_of_a_labelled_segment_is_hidden_from_a_marketer(
    at_harbor: Organisation, mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    catalogue.save(name="In recovery", tree=ADDICTED, now=NOON)
    assert "In recovery" not in sign_in_as(mara).get("/segments/").content.decode()
    assert "In recovery" in sign_in_as(omar).get("/segments/").content.decode()


def test_members_are_shown_without_names(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    membership.refresh(boston, now=NOON)
    page = sign_in_as(mara).get(f"/segments/{boston.id}/").content.decode()
    assert str(Contact.objects.get(pk=people[0]).public_id) in page
    assert str(Contact.objects.get(pk=people[1]).public_id) not in page


def test_members_of_a_clinical_segment_are_listed_only_to_those_who_may_see_why(
    people: list[int], mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    """SE-32"""
    ill = catalogue.save(name="Ill", tree=DIABETIC, now=NOON)
    membership.refresh(ill, now=NOON)
    listed = str(Contact.objects.get(pk=people[0]).public_id)
    assert listed not in sign_in_as(mara).get(f"/segments/{ill.id}/").content.decode()
    assert listed in sign_in_as(omar).get(f"/segments/{ill.id}/").content.decode()


def test_members_by_an_event_of_care_are_as_clinical_as_by_a_diagnosis(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    page = sign_in_as(mara).post(
        "/segments/preview/", sent({"not": {"event": "appointment.missed"}})
    )
    assert "<strong>&lt;11</strong>" in page.content.decode()


def test_why_someone_is_in_is_told_clause_by_clause(
    people: list[int], omar: User, sign_in_as: SignedIn
) -> None:
    both = catalogue.save(name="Both", tree={"all": [BOSTON, {"not": DIABETIC}]}, now=NOON)
    contact = Contact.objects.get(pk=people[0])
    page = sign_in_as(omar).get(f"/segments/{both.id}/why/{contact.public_id}/").content.decode()
    assert "Not in the segment" in page
    assert "conditions include code 44054006" in page


def test_why_is_refused_to_those_who_may_not_see_the_facts(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    ill = catalogue.save(name="Ill", tree=DIABETIC, now=NOON)
    contact = Contact.objects.get(pk=people[0])
    answer = sign_in_as(mara).get(f"/segments/{ill.id}/why/{contact.public_id}/")
    assert answer.status_code == 403


def test_a_segment_of_another_clinic_is_not_there(
    at_harbor: Organisation, ivy: User, sign_in_as: SignedIn
) -> None:
    """SE-01"""
    ours = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    assert sign_in_as(ivy).get(f"/segments/{ours.id}/").status_code in (403, 404)


def test_a_segment_that_others_refer_to_stays(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    inner = catalogue.save(name="Inner", tree=BOSTON, now=NOON)
    catalogue.save(name="Outer", tree={"segment": str(inner.id)}, now=NOON)
    sign_in_as(mara).post(f"/segments/{inner.id}/archive/")
    assert Segment.objects.get(pk=inner.id).archived_at is None
