"""Contacts in the browser: masked until revealed, by role, on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from contacts import amending, matching, records
from contacts.models import Contact
from tests.conftest import NOON

SignIn = Callable[[User], Client]


@pytest.fixture
def ada(harbor: Organisation, now: datetime) -> Contact:
    with tenancy.acting_for(harbor.pk):
        change = records.Change(
            source="epic",
            record_number="MRN-0042",
            values={
                "given_name": "Adaline",
                "family_name": "Canarybird",
                "email": "ada.canarybird@example.org",
                "conditions": [
                    {"system": "s", "code": "1", "display": "Canary disease", "status": "active"}
                ],
            },
        )
        return Contact.objects.get(pk=records.upsert([change], now=now).contact_ids[0])


@pytest.fixture
def integrator(harbor: Organisation, now: datetime) -> User:
    with tenancy.acting_for(harbor.pk):
        return staff.add("ian@harbor.example", name="Ian", role=Role.INTEGRATION, now=now)


@pytest.mark.parametrize("page", ["/contacts/", "/contacts/{}/"])
def test_no_value_stands_in_a_page_before_it_is_revealed(
    page: str, ada: Contact, omar: User, sign_in_as: SignIn
) -> None:
    """PR-19."""
    response = sign_in_as(omar).get(page.format(ada.public_id))
    assert response.status_code == 200
    assert b"anary" not in response.content


def test_revealing_shows_the_class_and_no_other(
    ada: Contact, omar: User, sign_in_as: SignIn
) -> None:
    html = sign_in_as(omar).post(f"/contacts/{ada.public_id}/identity/").content
    assert b"Canarybird" in html
    assert b"Canary disease" not in html


def test_revealing_stands_in_the_trail(
    ada: Contact, omar: User, harbor: Organisation, sign_in_as: SignIn
) -> None:
    """SR-02."""
    sign_in_as(omar).post(f"/contacts/{ada.public_id}/clinical/")
    with tenancy.acting_for(harbor.pk):
        entry = Entry.objects.get(action="contact.revealed")
    assert (entry.actor_id, entry.subject) == (str(omar.pk), f"contact:{ada.id}")


def test_a_marketer_may_not_open_clinical_facts(
    ada: Contact, mara: User, sign_in_as: SignIn
) -> None:
    """PR-19."""
    response = sign_in_as(mara).post(f"/contacts/{ada.public_id}/clinical/")
    assert response.status_code == 403
    assert b"anary" not in response.content


def test_names_of_a_page_are_revealed_each_on_record(
    ada: Contact, mara: User, harbor: Organisation, sign_in_as: SignIn
) -> None:
    """SR-02."""
    html = sign_in_as(mara).post("/contacts/names/", {"contact": [str(ada.public_id)]}).content
    assert b"Adaline Canarybird" in html
    with tenancy.acting_for(harbor.pk):
        assert Entry.objects.filter(action="contact.revealed").count() == 1


def test_the_search_is_by_post_and_leads_to_the_person(
    ada: Contact, mara: User, sign_in_as: SignIn
) -> None:
    """SE-17: no address in a URL."""
    asked = {"kind": "email", "value": "ADA.canarybird@example.org"}
    response = sign_in_as(mara).post("/contacts/search/", asked)
    assert response["Location"] == f"/contacts/{ada.public_id}/"
    assert sign_in_as(mara).get("/contacts/search/").status_code == 405


def test_an_unknown_identifier_is_answered_in_words(
    ada: Contact, mara: User, sign_in_as: SignIn
) -> None:
    response = sign_in_as(mara).post("/contacts/search/", {"kind": "phone", "value": "555"})
    assert b"Nobody has this identifier" in response.content


def test_the_other_organisation_finds_no_such_person(
    ada: Contact, hill: Organisation, now: datetime, sign_in_as: SignIn
) -> None:
    """SE-02."""
    with tenancy.acting_for(hill.pk):
        other = staff.add("una@hill.example", name="Una", role=Role.COMPLIANCE, now=now)
    client = sign_in_as(other)
    assert client.get(f"/contacts/{ada.public_id}/").status_code == 404
    assert client.post(f"/contacts/{ada.public_id}/identity/").status_code == 404


def test_pages_with_people_are_not_kept_by_browsers(
    ada: Contact, mara: User, sign_in_as: SignIn
) -> None:
    """SE-17."""
    assert "no-store" in sign_in_as(mara).get(f"/contacts/{ada.public_id}/")["Cache-Control"]


def test_a_role_without_clinical_facts_is_told_of_clinical_events_by_number_only(
    ada: Contact, harbor: Organisation, integrator: User, now: datetime, sign_in_as: SignIn
) -> None:
    """PR-19: that somebody missed a visit is itself such a fact."""
    from contacts import events

    with tenancy.acting_for(harbor.pk):
        events.append(
            [events.NewEvent(contact_id=ada.id, kind="appointment.missed", occurred_at=now)],
            now=now,
        )
    html = sign_in_as(integrator).get(f"/contacts/{ada.public_id}/").content
    assert b"Appointment missed" not in html
    assert b"1 event not shown" in html


def test_a_role_without_identity_is_not_told_of_a_death(
    ada: Contact, harbor: Organisation, integrator: User, now: datetime, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        amending.amend({ada.id: {"deceased": True}}, source="staff", now=now)
    html = sign_in_as(integrator).get(f"/contacts/{ada.public_id}/").content
    assert b"eceased" not in html.replace(b"<dt>Deceased", b"")
    assert b"1 event not shown" in html


def test_the_list_goes_on_by_pages(
    harbor: Organisation, mara: User, now: datetime, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        records.upsert(
            [
                records.Change(source="epic", record_number=str(n), values={"city": "Salem"})
                for n in range(51)
            ],
            now=now,
        )
        oldest, *_, fiftieth_newest = Contact.objects.order_by("id")[:2]
    client = sign_in_as(mara)
    assert f"?before={fiftieth_newest.public_id}" in client.get("/contacts/").content.decode()
    second = client.get(f"/contacts/?before={fiftieth_newest.public_id}").content.decode()
    assert str(oldest.public_id) in second
    assert str(fiftieth_newest.public_id) not in second


def test_who_looked_at_a_person_is_one_press_away(
    ada: Contact, omar: User, mara: User, sign_in_as: SignIn
) -> None:
    """SR-02: by the id that pages show, with the entries about this person alone."""
    sign_in_as(mara).post(f"/contacts/{ada.public_id}/identity/")
    client = sign_in_as(omar)
    address = f"/trail/?subject=contact:{ada.public_id}"
    assert address in client.get(f"/contacts/{ada.public_id}/").content.decode()
    rows = client.get(address).context["rows"]
    assert {row["entry"].subject for row in rows} == {f"contact:{ada.pk}"}
    assert ("Mara Lind", "contact.revealed") in {(r["who"], r["entry"].action) for r in rows}


def test_whose_role_reads_no_trail_is_not_led_there(
    ada: Contact, mara: User, sign_in_as: SignIn
) -> None:
    assert b"/trail/" not in sign_in_as(mara).get(f"/contacts/{ada.public_id}/").content


def test_a_contact_of_another_organisation_leads_to_no_entry(
    ada: Contact, ivy: User, omar: User, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(ivy.organisation_id):
        officer = staff.add(
            "olga@other.example", name="Olga", role=Role.COMPLIANCE, now=ada.created_at
        )
    page = sign_in_as(officer).get(f"/trail/?subject=contact:{ada.public_id}")
    assert page.context["rows"] == []


def test_why_somebody_is_at_a_stage_is_told_to_who_sees_visits(
    harbor: Organisation, omar: User, mara: User, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        change = records.Change(source="epic", record_number="1", values={"given_name": "Ada"})
        (contact_id,) = records.upsert([change], now=NOON).contact_ids
        public_id = matching.public_ids([contact_id])[contact_id]
    address = f"/contacts/{public_id}/engagement/"
    page = sign_in_as(omar).post(address).content.decode()
    assert "Journey stage</dt><dd>new" in page
    assert "The rule of “new”" in page
    assert sign_in_as(mara).post(address).status_code == 403
