"""Merges over HTTP."""

from __future__ import annotations

from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem

TWIN = {"source": "lab", "record_number": "L-7", "values": {"city": "Quincy"}}
EVENT = {
    "idempotency_key": "k-1",
    "kind": "survey.answered",
    "occurred_at": "2026-03-02T09:30:00-05:00",
}


def both(machine: Machine, ada: Contact) -> dict[str, str]:
    twin = machine.post("contacts", TWIN).json()["contacts"][0]["id"]
    return {"stays": str(ada.public_id), "goes": twin}


def test_hd04_two_contacts_become_one_and_two_again(machine: Machine, ada: Contact) -> None:
    """HD-04"""
    pair = both(machine, ada)
    made = machine.post("merges", pair)
    merged = machine.get(f"contacts/{pair['stays']}").json()["values"]["contact_point"]
    undone = machine.post(f"merges/{made.json()['id']}/undo", {})
    apart = machine.get(f"contacts/{pair['stays']}").json()["values"]["contact_point"]
    assert (made.status_code, undone.status_code) == (201, 200)
    assert (merged["city"], "city" in apart) == ("Quincy", False)


def test_the_old_id_and_number_lead_to_the_one_that_stays(machine: Machine, ada: Contact) -> None:
    pair = both(machine, ada)
    machine.post("merges", pair)
    assert machine.get(f"contacts/{pair['goes']}").status_code == 200
    by_number = {"source": "lab", "record_number": "L-7"}
    answer = machine.post("events/batch", {"events": [EVENT | {"contact": by_number}]})
    again = machine.post("events/batch", {"events": [EVENT | {"contact": pair["goes"]}]})
    assert answer.json()["results"] == [{"status": "accepted"}]
    assert again.json()["results"] == [{"status": "duplicate"}]


def test_what_cannot_be_merged_says_why(machine: Machine, ada: Contact) -> None:
    twice = {"stays": str(ada.public_id), "goes": str(ada.public_id)}
    assert "itself" in problem(machine.post("merges", twice), 409, "conflict")["detail"]


def test_a_key_without_the_scope_merges_nobody(
    machine: Machine, ada: Contact, harbor: Organisation, machine_for: Maker
) -> None:
    pair = both(machine, ada)
    writer = machine_for(harbor, [Permission.CONTACTS_VIEW, Permission.CONTACTS_WRITE])
    problem(writer.post("merges", pair), 403, "scope-missing")


def test_another_organisation_sees_no_merge(
    machine: Machine, stranger: Machine, ada: Contact
) -> None:
    made = machine.post("merges", both(machine, ada)).json()
    problem(stranger.post(f"merges/{made['id']}/undo", {}), 404, "not-found")
    assert stranger.get("merges").json() == {"merges": []}


def test_a_pair_is_proposed_kept_apart_and_proposed_anew(machine: Machine, ada: Contact) -> None:
    pair = sorted(both(machine, ada).values())
    made = machine.post("merge-proposals", {"contacts": pair}).json()
    assert machine.post(f"merge-proposals/{made['id']}/dismissal", {}).status_code == 204
    apart = machine.get("merge-proposals").json()["proposals"]
    again = machine.post("merge-proposals", {"contacts": pair}).json()
    assert (apart, again["id"], sorted(again["contacts"])) == ([], made["id"], pair)


def test_a_merge_that_is_sent_twice_is_one(machine: Machine, ada: Contact) -> None:
    pair = both(machine, ada)
    first = machine.post("merges", pair, Idempotency_Key="k")
    again = machine.post("merges", pair, Idempotency_Key="k")
    assert (again.status_code, again.json()) == (201, first.json())


def test_proposals_are_nobody_elses(
    machine: Machine, stranger: Machine, ada: Contact, harbor: Organisation, machine_for: Maker
) -> None:
    pair = sorted(both(machine, ada).values())
    made = machine.post("merge-proposals", {"contacts": pair}).json()
    problem(stranger.post("merge-proposals", {"contacts": pair}), 422, "invalid")
    problem(stranger.post(f"merge-proposals/{made['id']}/dismissal", {}), 404, "not-found")
    writer = machine_for(harbor, [Permission.CONTACTS_VIEW, Permission.CONTACTS_WRITE])
    problem(writer.post("merge-proposals", {"contacts": pair}), 403, "scope-missing")
