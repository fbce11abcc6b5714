"""Erasing a contact over HTTP."""

from __future__ import annotations

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import SCOPES, Permission
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem

WHY = {"reason": "request"}


def test_se06_what_goes_is_told_and_then_it_is_gone(machine: Machine, ada: Contact) -> None:
    """SE-06"""
    path = f"contacts/{ada.public_id}/erasure"
    told = machine.get(path).json()
    done = machine.post(path, WHY | {"expected": told["total"]})
    assert (done.status_code, done.json()) == (200, told)
    assert told["gone"]["record_numbers"] == 1
    problem(machine.get(f"contacts/{ada.public_id}"), 404, "not-found")
    found = {"kind": "email", "value": "ada.canarybird@example.org"}
    assert machine.post("contacts/lookup", found).json() == {"contacts": []}


def test_another_count_erases_nothing(machine: Machine, ada: Contact) -> None:
    path = f"contacts/{ada.public_id}/erasure"
    problem(machine.post(path, WHY | {"expected": 1_000}), 409, "conflict")
    assert machine.get(f"contacts/{ada.public_id}").status_code == 200


def test_the_same_request_again_gets_the_same_answer(machine: Machine, ada: Contact) -> None:
    path = f"contacts/{ada.public_id}/erasure"
    first = machine.post(path, WHY, Idempotency_Key="k")
    again = machine.post(path, WHY, Idempotency_Key="k")
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    problem(machine.post(path, WHY), 404, "not-found")


def test_why_is_needed(machine: Machine, ada: Contact) -> None:
    body = problem(machine.post(f"contacts/{ada.public_id}/erasure", {}), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/reason"


def test_a_key_with_every_other_scope_erases_nobody(
    ada: Contact, harbor: Organisation, machine_for: Maker
) -> None:
    others = machine_for(harbor, [one for one in SCOPES if one != Permission.CONTACTS_ERASE])
    path = f"contacts/{ada.public_id}/erasure"
    problem(others.get(path), 403, "scope-missing")
    problem(others.post(path, WHY), 403, "scope-missing")


def test_another_organisation_finds_nobody_to_erase(
    ada: Contact, harbor: Organisation, stranger: Machine
) -> None:
    path = f"contacts/{ada.public_id}/erasure"
    problem(stranger.get(path), 404, "not-found")
    problem(stranger.post(path, WHY), 404, "not-found")
    with tenancy.acting_for(harbor.pk):
        assert Contact.objects.get(pk=ada.pk).erased_at is None
