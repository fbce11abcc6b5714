"""Contacts over HTTP: put in without duplicates, read by scope, every reading on record."""

from __future__ import annotations

from typing import Any

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from audit.models import Entry
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem

BEN = {"source": "epic", "record_number": "MRN-7", "values": {"given_name": "Ben"}}


def how_many(organisation: Organisation) -> int:
    with tenancy.acting_for(organisation.pk):
        return Contact.objects.count()


def test_a_contact_is_made(machine: Machine, harbor: Organisation) -> None:
    response = machine.post("contacts", BEN)
    assert response.status_code == 201
    assert response.json()["created"] == 1
    assert how_many(harbor) == 1


def test_the_same_contact_again_changes_nothing(machine: Machine, harbor: Organisation) -> None:
    """HD-02."""
    first = machine.post("contacts", BEN).json()
    again = machine.post("contacts", BEN).json()
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 1)
    assert again["contacts"] == first["contacts"]
    assert how_many(harbor) == 1


def test_a_list_answers_in_its_order(machine: Machine) -> None:
    cleo = BEN | {"record_number": "MRN-8"}
    both = machine.post("contacts/batch", {"contacts": [BEN, cleo]}).json()["contacts"]
    turned = machine.post("contacts/batch", {"contacts": [cleo, BEN]}).json()["contacts"]
    assert turned == both[::-1]


def test_a_list_with_one_wrong_row_stores_nothing(machine: Machine, harbor: Organisation) -> None:
    wrong = BEN | {"record_number": "MRN-8", "values": {"birth_date": "last spring"}}
    body = problem(machine.post("contacts/batch", {"contacts": [BEN, wrong]}), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/contacts/1/values/birth_date"
    assert how_many(harbor) == 0


def test_null_clears_a_value(machine: Machine) -> None:
    made = machine.post("contacts", BEN).json()["contacts"][0]["id"]
    machine.post("contacts", BEN | {"values": {"given_name": None}})
    assert "given_name" not in machine.get(f"contacts/{made}").json()["values"]["identity"]


def test_a_key_reads_only_the_classes_of_its_scopes(
    ada: Contact, harbor: Organisation, machine_for: Maker
) -> None:
    """PR-19, SE-02: what is withheld is absent, not blank."""
    scopes = [Permission.CONTACTS_VIEW, Permission.CONTACTS_REVEAL_IDENTITY]
    response = machine_for(harbor, scopes).get(f"contacts/{ada.public_id}")
    record = response.json()
    assert record["values"]["identity"]["family_name"] == "Canarybird"
    assert record["withheld"] == ["clinical", "coverage"]
    assert b"Diabetes" not in response.content


def test_a_key_for_viewing_alone_reads_no_value(
    ada: Contact, harbor: Organisation, machine_for: Maker
) -> None:
    """PR-19."""
    response = machine_for(harbor, [Permission.CONTACTS_VIEW]).get(f"contacts/{ada.public_id}")
    assert response.status_code == 200
    assert b"anary" not in response.content


def test_reading_is_in_the_trail(machine: Machine, ada: Contact, harbor: Organisation) -> None:
    """SR-02."""
    machine.get(f"contacts/{ada.public_id}")
    with tenancy.acting_for(harbor.pk):
        entry = Entry.objects.get(action="contact.revealed")
    assert machine.key is not None
    assert (entry.subject, entry.actor_id) == (f"contact:{ada.id}", str(machine.key.pk))


def test_looking_up_by_number_finds_the_contact(machine: Machine, ada: Contact) -> None:
    asked: dict[str, Any] = {"kind": "record_number", "value": "MRN-0042"}
    found = machine.post("contacts/lookup", asked).json()
    assert found == {"contacts": [{"id": str(ada.public_id)}]}


def test_another_organisation_finds_nobody(stranger: Machine, ada: Contact) -> None:
    """SE-02."""
    asked = {"kind": "email", "value": "ada.canarybird@example.org"}
    assert stranger.post("contacts/lookup", asked).json() == {"contacts": []}


def test_pages_of_the_api_are_not_stored_by_browsers(machine: Machine, ada: Contact) -> None:
    """SE-17."""
    assert machine.get(f"contacts/{ada.public_id}")["Cache-Control"] == "no-store"
