"""Addresses over HTTP."""

from __future__ import annotations

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact, ContactPoint
from tests.api.conftest import Machine, Maker, problem

SAFE = {"kind": "email", "value": "ada.safe@example.org", "categories": ["reproductive"]}


def test_pr22_a_reserved_address_is_kept_and_read_back(machine: Machine, ada: Contact) -> None:
    """PR-22"""
    made = machine.post(f"contacts/{ada.public_id}/points", SAFE)
    rows = machine.get(f"contacts/{ada.public_id}/points").json()["points"]
    assert made.status_code == 201
    assert [(one["value"], one["categories"]) for one in rows] == [
        ("ada.canarybird@example.org", []),
        ("ada.safe@example.org", ["reproductive"]),
    ]


def test_a_key_that_may_not_reveal_reads_no_value(
    ada: Contact, machine: Machine, harbor: Organisation, machine_for: Maker
) -> None:
    machine.post(f"contacts/{ada.public_id}/points", SAFE)
    masked = machine_for(harbor, [Permission.CONTACTS_VIEW])
    answer = masked.get(f"contacts/{ada.public_id}/points").content.decode()
    assert "example.org" not in answer
    assert "reproductive" not in answer


def test_a_key_without_the_scope_adds_no_address(
    ada: Contact, harbor: Organisation, machine_for: Maker
) -> None:
    reader = machine_for(harbor, [Permission.CONTACTS_VIEW])
    problem(reader.post(f"contacts/{ada.public_id}/points", SAFE), 403, "scope-missing")


def test_another_organisation_finds_no_contact(ada: Contact, stranger: Machine) -> None:
    problem(stranger.get(f"contacts/{ada.public_id}/points"), 404, "not-found")


def test_what_is_no_address_is_refused_at_its_place(machine: Machine, ada: Contact) -> None:
    wrong = SAFE | {"value": "nobody"}
    body = problem(machine.post(f"contacts/{ada.public_id}/points", wrong), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/value"


def test_an_address_is_removed(machine: Machine, ada: Contact, harbor: Organisation) -> None:
    made = machine.post(f"contacts/{ada.public_id}/points", SAFE).json()["id"]
    assert machine.delete(f"contacts/{ada.public_id}/points/{made}").status_code == 204
    with tenancy.acting_for(harbor.pk):
        assert not ContactPoint.objects.exists()


def test_a_check_is_recorded_and_taken_back(machine: Machine, ada: Contact) -> None:
    path = f"contacts/{ada.public_id}/points"
    made = machine.post(path, SAFE).json()["id"]
    checked = machine.patch(f"{path}/{made}", {"verified_by": "staff", "rank": 2}).json()
    back = machine.patch(f"{path}/{made}", {"verified_by": ""}).json()
    assert (checked["state"], checked["verified_by"], checked["rank"]) == ("verified", "staff", 2)
    assert (back["state"], back["verified_at"], back["rank"]) == ("unverified", None, 2)
    (row,) = [one for one in machine.get(path).json()["points"] if one["id"] == made]
    assert row["categories"] == ["reproductive"]


def test_a_period_that_ends_before_it_begins_is_refused(machine: Machine, ada: Contact) -> None:
    path = f"contacts/{ada.public_id}/points"
    made = machine.post(path, SAFE | {"starts_on": "2026-03-01"}).json()["id"]
    body = problem(machine.patch(f"{path}/{made}", {"ends_on": "2026-02-01"}), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/ends_on"


def test_an_address_is_changed_by_nobody_else(
    ada: Contact, machine: Machine, stranger: Machine, harbor: Organisation, machine_for: Maker
) -> None:
    made = machine.post(f"contacts/{ada.public_id}/points", SAFE).json()["id"]
    path = f"contacts/{ada.public_id}/points/{made}"
    problem(stranger.patch(path, {"rank": 2}), 404, "not-found")
    reader = machine_for(harbor, [Permission.CONTACTS_VIEW])
    problem(reader.patch(path, {"rank": 2}), 403, "scope-missing")


def test_the_same_request_again_is_answered_the_same(machine: Machine, ada: Contact) -> None:
    path = f"contacts/{ada.public_id}/points"
    first = machine.post(path, SAFE, Idempotency_Key="k")
    again = machine.post(path, SAFE, Idempotency_Key="k")
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
