"""The report's page and files, the search for a person, a person's way; and who may not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from contacts.models import Contact
from contacts.segments import catalogue
from tests.conftest import NOON
from tests.reports.conftest import (
    Enter,
    clinical_trial,
    did,
    enter,
    let_in,
    mails,
    send_all,
    trial,
)
from tests.workflows.conftest import WOMEN
from workflows.models import Enrolment, Workflow

__all__ = ["clinical_trial", "enter", "mails", "trial"]
SignIn = Callable[[User], Client]


def address(workflow: Workflow, more: str = "") -> str:
    return f"/workflows/{workflow.id}/report/{more}"


@pytest.fixture
def stranger(hill: Organisation) -> User:
    with tenancy.acting_for(hill.pk):
        return staff.add("s@hill.example", name="S", role=Role.COMPLIANCE, now=NOON)


def test_the_page_shows_who_was_reached_and_what_they_did(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    """CA-18"""
    enter(8)
    did(send_all()[0], "clicked", link="Book a visit")
    html = sign_in_as(omar).get(address(trial)).content.decode()
    assert "1 followed “Book a visit”" in html and "Appointment booked" in html


def test_a_small_cohort_is_not_told_to_who_may_not_know(
    sign_in_as: SignIn, mara: User, clinical_trial: Workflow
) -> None:
    """CA-18, PR-40"""
    let_in(clinical_trial, 8)
    html = sign_in_as(mara).get(address(clinical_trial)).content.decode()
    assert "&lt;11" in html and "<dd>8" not in html and "People as CSV" not in html


def test_a_segment_narrows_the_report_and_is_compared(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    enter(4)
    women = catalogue.save(name="Women", tree=WOMEN, now=NOON)
    html = sign_in_as(omar).get(address(trial, f"?segment={women.id}")).content.decode()
    assert "In the segment" in html and "Not in it" in html


def test_a_choice_that_is_none_is_named(sign_in_as: SignIn, omar: User, trial: Workflow) -> None:
    answer = sign_in_as(omar).get(address(trial, "?since=13"))
    assert answer.status_code == 422 and "Select a valid choice" in answer.content.decode()


def test_a_draft_has_nothing_to_report(sign_in_as: SignIn, omar: User, trial: Workflow) -> None:
    other = Workflow.objects.create(slug="o", name="Other", created_at=NOON, changed_at=NOON)
    assert "Nothing to report yet" in sign_in_as(omar).get(address(other)).content.decode()


def test_the_figures_as_a_file_are_those_of_the_page_and_in_the_trail(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    """CA-18"""
    enter(8)
    body = sign_in_as(omar).get(address(trial, "figures.csv")).content.decode()
    assert ["totals", "Everybody", "entered", "8"] in list(csv.reader(io.StringIO(body)))
    assert Entry.objects.filter(action="report.exported").count() == 1


def test_the_file_says_no_more_than_the_page(
    sign_in_as: SignIn, mara: User, clinical_trial: Workflow
) -> None:
    """PR-40"""
    let_in(clinical_trial, 8)
    body = sign_in_as(mara).get(address(clinical_trial, "figures.csv")).content.decode()
    assert "entered,<11" in body


def test_people_as_a_file_have_names_only_where_asked_and_each_is_in_the_trail(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    """CA-18, PR-40"""
    enter(3)
    client = sign_in_as(omar)
    without = client.post(address(trial, "people.csv")).content.decode()
    named = client.post(address(trial, "people.csv"), {"names": "1"}).content.decode()
    assert "name" not in without and named.count(",P\r\n") == 3
    assert Entry.objects.filter(action="contact.revealed").count() == 3
    assert Entry.objects.filter(action="contact.exported").count() == 2


@pytest.mark.parametrize("more", ["people.csv", "1/people/"])
def test_people_are_not_given_to_whose_role_does_not_see_what_the_steps_ask(
    sign_in_as: SignIn, mara: User, clinical_trial: Workflow, more: str
) -> None:
    let_in(clinical_trial, 3)
    client = sign_in_as(mara)
    ask = client.post if more.endswith(".csv") else client.get
    assert ask(address(clinical_trial, more)).status_code == 403


def test_the_people_behind_a_figure_are_listed_and_that_is_in_the_trail(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    enter(8)
    did(send_all()[0], "clicked")
    answer = sign_in_as(omar).get(address(trial, "1/people/?who=clicked&step=educate"))
    assert "Link clicked" in answer.content.decode()
    assert Entry.objects.filter(action="contact.listed", detail__contains='"count":1').exists()


@pytest.mark.parametrize("more", ["?who=x", "?after=x", "?step=x"])
def test_a_question_that_is_none_is_not_found(
    sign_in_as: SignIn, omar: User, trial: Workflow, more: str
) -> None:
    assert sign_in_as(omar).get(address(trial, f"1/people/{more}")).status_code == 404


@pytest.mark.parametrize("more", ["", "figures.csv", "1/people/"])
def test_the_other_clinic_finds_nothing(
    sign_in_as: SignIn, stranger: User, trial: Workflow, more: str
) -> None:
    """SE-02"""
    assert sign_in_as(stranger).get(address(trial, more)).status_code == 404


def test_a_role_without_workflows_is_refused(
    sign_in_as: SignIn, harbor: Organisation, trial: Workflow
) -> None:
    with tenancy.acting_for(harbor.pk):
        ines = staff.add("ines@harbor.example", name="I", role=Role.INTEGRATION, now=NOON)
    assert sign_in_as(ines).get(address(trial)).status_code == 403


# Where one person is


def test_a_person_is_found_by_an_exact_identifier_across_workflows(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    enter(2)
    asked = {"kind": "record_number", "value": "p1"}
    page = sign_in_as(omar).post("/workflows/find/", asked, follow=True).content.decode()
    assert "Trial" in page and "/ways/" in page
    assert Entry.objects.filter(action="contact.viewed", detail__contains='"workflows"').exists()


def test_nobody_with_that_identifier_is_said_plainly(sign_in_as: SignIn, omar: User) -> None:
    asked = {"kind": "record_number", "value": "none"}
    page = sign_in_as(omar).post("/workflows/find/", asked).content.decode()
    assert "Nobody has exactly this identifier" in page


def test_a_way_that_says_more_than_the_role_may_see_is_left_out_and_refused(
    sign_in_as: SignIn, mara: User, clinical_trial: Workflow
) -> None:
    let_in(clinical_trial, 12)
    inside = Enrolment.objects.filter(node="rest").first()
    assert inside is not None, "somebody must have drawn the message for this to mean anything"
    person = Contact.objects.get(pk=inside.contact_id)
    client = sign_in_as(mara)
    assert "Trial" not in client.get(f"/workflows/of/{person.public_id}/").content.decode()
    assert client.get(f"/workflows/{clinical_trial.id}/ways/{inside.id}/").status_code == 403


def test_a_way_shows_its_steps_in_order_and_marks_them_on_the_drawing(
    sign_in_as: SignIn, omar: User, trial: Workflow, enter: Enter
) -> None:
    enter(12)
    inside = Enrolment.objects.filter(node="rest").first()
    assert inside is not None
    page = sign_in_as(omar).get(f"/workflows/{trial.id}/ways/{inside.id}/").content.decode()
    assert '"walked": {"steps": ["trigger", "lot", "educate", "rest"]' in page
    assert page.index('<code class="muted">lot') < page.index('<code class="muted">educate')


def test_another_clinic_finds_no_way(
    sign_in_as: SignIn, stranger: User, trial: Workflow, enter: Enter
) -> None:
    """SE-02"""
    enter(1)
    one = Enrolment.objects.get()
    client = sign_in_as(stranger)
    person = Contact.objects.get(pk=one.contact_id).public_id
    assert client.get(f"/workflows/{trial.id}/ways/{one.id}/").status_code == 404
    assert client.get(f"/workflows/of/{person}/").status_code == 404
