"""The segment pages: what each role sees, and what a broken definition says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import throttle
from accounts.models import Organisation, User
from audit.models import Entry
from contacts.models import Contact
from contacts.segments import catalogue, membership, told, vocabulary
from contacts.segments.models import Segment, SegmentApproval
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


def test_why_hides_what_the_role_does_not_see_and_what_would_give_it_away(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    """PR-40: in, and in Boston, would say: and diabetic."""
    both = catalogue.save(name="Both", tree={"all": [BOSTON, DIABETIC]}, now=NOON)
    contact = Contact.objects.get(pk=people[0])
    page = sign_in_as(mara).get(f"/segments/{both.id}/why/{contact.public_id}/").content.decode()
    assert "Your role does not see whether" in page
    assert page.count('<span class="muted">hidden</span>') == 2
    assert page.count('<span class="yes">yes</span>') == 1
    assert "Boston</td>" in page


def test_why_says_what_the_record_holds_and_the_look_is_in_the_trail(
    people: list[int], omar: User, sign_in_as: SignedIn
) -> None:
    both = catalogue.save(name="Both", tree={"all": [BOSTON, DIABETIC]}, now=NOON)
    contact = Contact.objects.get(pk=people[0])
    page = sign_in_as(omar).get(f"/segments/{both.id}/why/{contact.public_id}/").content.decode()
    assert "<td>Boston</td>" in page
    assert "44054006, active" in page
    entry = Entry.objects.get(action="segment.explained")
    verdict = json.loads(entry.detail)["verdict"]
    assert (entry.subject, verdict) == (f"contact:{contact.pk}", "in")


def test_why_of_a_labelled_segment_is_refused_to_those_who_do_not_see_its_name(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    """PR-30"""
    found = catalogue.save(name="In recovery", tree=ADDICTED, now=NOON)
    contact = Contact.objects.get(pk=people[0])
    answer = sign_in_as(mara).get(f"/segments/{found.id}/why/{contact.public_id}/")
    assert answer.status_code == 403


def test_a_labelled_segment_is_not_taken_away_by_those_who_do_not_see_its_name(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    """PR-30"""
    found = catalogue.save(name="In recovery", tree=ADDICTED, now=NOON)
    assert sign_in_as(mara).post(f"/segments/{found.id}/archive/").status_code == 403
    found.refresh_from_db()
    assert found.archived_at is None


def test_a_person_is_found_by_record_number(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    client = sign_in_as(mara)
    answer = client.post(f"/segments/{boston.id}/why/", {"number": "nobody-has-this"}, follow=True)
    assert "Nobody has this record number" in answer.content.decode()


def test_se20_a_sensitive_segment_is_asked_for_by_one_and_approved_by_another(
    at_harbor: Organisation, mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    client, other = sign_in_as(mara), sign_in_as(omar)
    saved = client.post("/segments/new/", sent(ADDICTED, name="In recovery"))
    page = saved.headers["Location"]
    shown = client.get(page).content.decode()
    assert "Ask for approval" in shown
    assert "sensitive label: Substance use (42 CFR Part 2)." in shown
    client.post(f"{page}approvals/")
    assert "Approve this definition" in other.get(page).content.decode()
    asked = SegmentApproval.objects.get()
    other.post(f"{page}approvals/{asked.id}/", {"verdict": "approve"})
    assert Segment.objects.get().sendable


def test_se20_a_marketer_cannot_approve(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    client = sign_in_as(mara)
    page = client.post("/segments/new/", sent(ADDICTED, name="X")).headers["Location"]
    client.post(f"{page}approvals/")
    asked = SegmentApproval.objects.get()
    answer = client.post(f"{page}approvals/{asked.id}/", {"verdict": "approve"})
    assert answer.status_code == 403


def test_the_page_tells_how_many_can_be_reached_and_why_not_the_rest(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    boston = catalogue.save(name="All", tree={"field": "city", "op": "exists"}, now=NOON)
    membership.refresh(boston, now=NOON)
    page = sign_in_as(mara).get(f"/segments/{boston.id}/reach/?purpose=treatment&channel=email")
    text = page.content.decode()
    assert "<strong>0</strong>" in text
    assert "no address for this channel" in text
    assert "<td>2</td>" in text


def test_pr40_reach_holds_small_cells_back_from_those_who_do_not_see_why(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    ill = catalogue.save(name="Ill", tree=DIABETIC, now=NOON)
    membership.refresh(ill, now=NOON)
    text = sign_in_as(mara).get(f"/segments/{ill.id}/reach/?purpose=treatment").content.decode()
    assert "<td>&lt;11</td>" in text
    assert "<td>1</td>" not in text


def test_two_segments_are_laid_over_each_other(
    people: list[int], omar: User, sign_in_as: SignedIn
) -> None:
    ill = catalogue.save(name="Ill", tree=DIABETIC, now=NOON)
    city = catalogue.save(name="City", tree={"field": "city", "op": "exists"}, now=NOON)
    for one in (ill, city):
        membership.refresh(one, now=NOON)
    client = sign_in_as(omar)
    text = client.get(f"/segments/{city.id}/overlap/?with={ill.id}").content.decode()
    assert re.findall(r"<td>(\d+)</td>", text) == ["2", "1", "1", "1", "0"]


def test_an_edit_of_a_version_that_is_no_more_is_refused(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    found = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    catalogue.save(name="Boston", tree=DIABETIC, segment_id=found.id, now=NOON)
    answer = sign_in_as(mara).post(
        f"/segments/{found.id}/edit/", sent(BOSTON, name="Mine", version="1")
    )
    assert answer.status_code == 409
    assert Segment.objects.get().definition == DIABETIC


def test_se32_counts_are_rationed(
    people: list[int], mara: User, sign_in_as: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PREVIEWS", throttle.Rate("few", 2, timedelta(hours=1)))
    client = sign_in_as(mara)
    pages = [client.post("/segments/preview/", sent(BOSTON)).content.decode() for _ in range(3)]
    assert ["Too many counts" in page for page in pages] == [False, False, True]


def test_codes_are_found_by_name_only_by_those_who_may_see_clinical_facts(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    vocabulary.forget()
    answer = sign_in_as(mara).post("/segments/codes/", {"field": "conditions", "q": "44"})
    assert answer.json() == {"options": []}


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


def test_pr40_se33_no_door_tells_a_marketer_two_sets_that_differ_by_one_person_apart(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty ill people, of whom one is asked after: with her and without her, rounding alone says
    60 and 50. What is told here has two draws, and stays what it is however often it is asked. No
    step of the funnel is told as larger than the one before, so many more are ill elsewhere."""
    monkeypatch.setattr(catalogue, "PREVIEWS", throttle.Rate("many", 200, timedelta(hours=1)))
    ill = {
        "conditions": [{"system": "http://snomed.info/sct", "code": "44054006", "status": "active"}]
    }
    world.add([{**ill, "city": "Boston", "birth_date": "1950-01-01"}] * 59)
    world.add([{**ill, "city": "Boston", "birth_date": "1950-06-15"}])
    world.add([{**ill, "city": "Salem", "birth_date": "1950-01-01"}] * 60)
    client = sign_in_as(mara)

    def total(*more: object) -> str:
        page = client.post(
            "/segments/preview/", sent({"all": [DIABETIC, {"all": [BOSTON, *more]}]})
        )
        return str(re.findall(r"<strong>([^<]+)</strong>", page.content.decode())[0])

    rows = []
    for days in range(40):
        her, other = (
            {
                "field": "birth_date",
                "op": "before",
                "value": str(date(1950, month, 16) + timedelta(days)),
            }
            for month in (6, 1)
        )
        rows.append((total(her), total(other), total(her)))
    assert all(first == again for first, _, again in rows)
    assert len({first for first, _, _ in rows}) > 1
    assert len({second for _, second, _ in rows}) > 1
    assert not all(int(a[6:]) - int(b[6:]) == 10 for a, b, _ in rows)


def test_pr40_counts_that_rest_on_what_the_role_sees_are_exact(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    page = sign_in_as(mara).post("/segments/preview/", sent({"all": [BOSTON, DIABETIC]}))
    text = page.content.decode()
    assert '<li data-count-path="$.all[0]">1</li>' in text
    assert '<li data-count-path="$.all[1]">&lt;11</li>' in text


def test_se32_who_asked_enough_new_questions_is_told_so(
    people: list[int], mara: User, sign_in_as: SignedIn
) -> None:
    told.reader({"clinical"}, (), asker=mara.pk, now=timezone.now()).many(
        {("q", turn): 1 for turn in range(told.RATION.burst)}
    )
    page = sign_in_as(mara).post("/segments/preview/", sent(DIABETIC)).content.decode()
    assert "Enough new questions for today" in page
