"""Erasing a person in the browser, and recording a death."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts import amending
from contacts.canonical import ValueRefused
from contacts.models import Contact
from tests.conftest import NOON
from tests.web.test_contacts import SignIn, ada

__all__ = ["ada"]


def shown(client: Client, ada: Contact) -> str:
    return client.get(f"/contacts/{ada.public_id}/erase/").content.decode()


@pytest.fixture
def officer(omar: User, sign_in_as: SignIn) -> Client:
    return sign_in_as(omar)


def erased(harbor: Organisation, ada: Contact) -> bool:
    with tenancy.acting_for(harbor.pk):
        return Contact.objects.get(pk=ada.pk).erased_at is not None


def test_se06_what_goes_is_counted_first_and_nothing_else_happens(
    officer: Client, ada: Contact, harbor: Organisation
) -> None:
    """SE-06"""
    html = shown(officer, ada)
    assert "1 record with all its values" in html and "Erase 1 person for good" in html
    assert "anary" not in html and not erased(harbor, ada)


def test_exactly_what_was_shown_is_erased(
    officer: Client, ada: Contact, harbor: Organisation
) -> None:
    shown(officer, ada)
    path = f"/contacts/{ada.public_id}/erase/"
    wrong = officer.post(path, {"reason": "request", "expected": 99})
    assert b"changed since" in wrong.content and not erased(harbor, ada)
    done = officer.post(path, {"reason": "request", "expected": 2})
    assert (done.status_code, erased(harbor, ada)) == (302, True)
    assert officer.get(f"/contacts/{ada.public_id}/").status_code == 404


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.COMPLIANCE])
def test_no_other_role_erases(
    role: Role, ada: Contact, harbor: Organisation, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        other = staff.add("other@harbor.example", name="Other", role=role, now=NOON)
    client = sign_in_as(other)
    path = f"/contacts/{ada.public_id}/erase/"
    assert client.get(path).status_code == 403
    assert client.post(path, {"reason": "request", "expected": 2}).status_code == 403
    assert not erased(harbor, ada)


def test_another_organisation_finds_nobody_to_erase(
    ada: Contact, harbor: Organisation, hill: Organisation, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(hill.pk):
        una = staff.add("una@hill.example", name="Una", role=Role.COMPLIANCE, now=NOON)
    path = f"/contacts/{ada.public_id}/erase/"
    answer = sign_in_as(una).post(path, {"reason": "request", "expected": 2})
    assert answer.status_code == 404 and not erased(harbor, ada)


def test_hd06_a_death_is_recorded_and_taken_back(
    officer: Client, ada: Contact, harbor: Organisation
) -> None:
    """HD-06"""
    officer.post(f"/contacts/{ada.public_id}/death/", {"died_on": "2026-02-27"})
    dead = officer.get(f"/contacts/{ada.public_id}/").content.decode()
    officer.post(f"/contacts/{ada.public_id}/death/undo/")
    alive = officer.get(f"/contacts/{ada.public_id}/").content.decode()
    assert "recorded as deceased" in dead and "recorded as deceased" not in alive
    with tenancy.acting_for(harbor.pk):
        assert not Contact.objects.get(pk=ada.pk).deceased


@pytest.mark.parametrize("died_on", ["2999-01-01", "2026-02-31", "yesterday"])
def test_a_date_that_is_no_day_up_to_today_is_refused_at_its_field(
    died_on: str, officer: Client, ada: Contact, harbor: Organisation
) -> None:
    answer = officer.post(f"/contacts/{ada.public_id}/death/", {"died_on": died_on})
    assert (answer.status_code, "died_on" in answer.context["form"].errors) == (422, True)
    assert "Date of death, if known: " in answer.content.decode()
    with tenancy.acting_for(harbor.pk):
        assert not Contact.objects.get(pk=ada.pk).deceased


@pytest.mark.parametrize(("field", "at"), [("deceased_at", "died_on"), ("deceased", "__all__")])
def test_a_refused_value_of_a_death_is_told_and_forbids_nobody(
    field: str, at: str, officer: Client, ada: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise ValueRefused(field, "is archived and takes no new values")

    monkeypatch.setattr(amending, "amend", refuse)
    answer = officer.post(f"/contacts/{ada.public_id}/death/", {"died_on": "2026-02-27"})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [at])
    assert "is archived" in answer.content.decode()
    back = officer.post(f"/contacts/{ada.public_id}/death/undo/", follow=True)
    assert f"Nothing was changed: {field} is archived" in back.content.decode()


def test_who_may_not_change_contacts_records_no_death(
    ada: Contact, mara: User, harbor: Organisation, sign_in_as: SignIn
) -> None:
    assert sign_in_as(mara).post(f"/contacts/{ada.public_id}/death/").status_code == 403
    with tenancy.acting_for(harbor.pk):
        assert not Contact.objects.get(pk=ada.pk).deceased
