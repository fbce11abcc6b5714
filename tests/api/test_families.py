"""Households and representatives over HTTP."""

from __future__ import annotations

from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem

AGENT = {"kind": "representative", "name": "Max Canary", "authority": "Health care proxy, 2024"}
BEN = {"source": "epic", "record_number": "MRN-7", "values": {"given_name": "Ben"}}


def test_a_representative_is_recorded_read_and_ended(machine: Machine, ada: Contact) -> None:
    path = f"contacts/{ada.public_id}/relationships"
    made = machine.post(path, AGENT).json()
    (row,) = machine.get(path).json()["relationships"]
    machine.post(f"{path}/{made['id']}/end", {})
    (ended,) = machine.get(path).json()["relationships"]
    assert (row["name"], row["holds"], ended["holds"]) == ("Max Canary", True, False)


def test_a_key_that_may_not_reveal_reads_no_name(
    machine: Machine, ada: Contact, harbor: Organisation, machine_for: Maker
) -> None:
    path = f"contacts/{ada.public_id}/relationships"
    machine.post(path, AGENT)
    masked = machine_for(harbor, [Permission.CONTACTS_VIEW]).get(path)
    assert b"Canary" not in masked.content


def test_pr14_a_blank_authority_is_refused_at_its_place(machine: Machine, ada: Contact) -> None:
    """PR-14"""
    path = f"contacts/{ada.public_id}/relationships"
    body = problem(machine.post(path, AGENT | {"authority": " "}), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/authority"


def test_a_household_is_made_read_and_changed(
    machine: Machine, stranger: Machine, ada: Contact
) -> None:
    ben = machine.post("contacts", BEN).json()["contacts"][0]["id"]
    both = sorted([str(ada.public_id), ben])
    made = machine.post("households", {"contacts": both}).json()
    assert machine.get(f"households/{made['id']}").json()["contacts"] == both
    problem(stranger.get(f"households/{made['id']}"), 404, "not-found")
    machine.post(f"households/{made['id']}", {"remove": [ben]})
    problem(machine.get(f"households/{made['id']}"), 404, "not-found")


def test_a_representative_that_is_sent_twice_is_one(machine: Machine, ada: Contact) -> None:
    path = f"contacts/{ada.public_id}/relationships"
    for _ in "ab":
        machine.post(path, AGENT | {"ends_on": "2030-01-01"}, Idempotency_Key="k")
    (row,) = machine.get(path).json()["relationships"]
    assert (row["ends_on"], row["known_from"], row["ended_at"]) == ("2030-01-01", "api", None)


def test_a_household_that_is_sent_twice_is_one(machine: Machine, ada: Contact) -> None:
    ben = machine.post("contacts", BEN).json()["contacts"][0]["id"]
    both = {"contacts": [str(ada.public_id), ben]}
    made = [machine.post("households", both, Idempotency_Key="k").json()["id"] for _ in "ab"]
    (home,) = machine.get(f"contacts/{ben}/households").json()["households"]
    assert made == [home["id"]] * 2


def test_a_household_of_one_is_refused(machine: Machine, ada: Contact) -> None:
    twice = {"contacts": [str(ada.public_id)] * 2}
    body = problem(machine.post("households", twice), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/contacts"


def test_another_organisation_reads_no_household(ada: Contact, stranger: Machine) -> None:
    problem(stranger.get(f"contacts/{ada.public_id}/households"), 404, "not-found")
