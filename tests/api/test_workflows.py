"""Contacts let into a workflow by another system."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem
from workflows import publishing
from workflows.models import Enrolment, Workflow

GRAPH = {
    "trigger": {"kind": "api"},
    "start": "later",
    "nodes": [
        {"id": "later", "kind": "wait", "for": {"days": 3}, "next": "end"},
        {"id": "end", "kind": "exit"},
    ],
}


@pytest.fixture
def draft(harbor: Organisation, now: datetime) -> Workflow:
    with tenancy.acting_for(harbor.pk):
        return publishing.create("Aftercare", slug="aftercare", draft=GRAPH, now=now)


@pytest.fixture
def live(draft: Workflow, harbor: Organisation, now: datetime) -> Workflow:
    with tenancy.acting_for(harbor.pk):
        publishing.publish(draft.id, now=now)
    return draft


def test_a_contact_enters_once(machine: Machine, live: Workflow, ada: Contact) -> None:
    """HD-02."""
    sent = {"contacts": [str(ada.public_id)]}
    first = machine.post(f"workflows/{live.id}/enrolments", sent).json()
    again = machine.post(f"workflows/{live.id}/enrolments", sent).json()
    assert (first, again) == (
        {"enrolled": 1, "already_inside": 0},
        {"enrolled": 0, "already_inside": 1},
    )


def test_another_occurrence_enters_again(machine: Machine, live: Workflow, ada: Contact) -> None:
    sent = {"contacts": [str(ada.public_id)], "occurrence": "visit-1"}
    machine.post(f"workflows/{live.id}/enrolments", sent)
    sent["occurrence"] = "visit-2"
    assert machine.post(f"workflows/{live.id}/enrolments", sent).json()["enrolled"] == 1


def test_a_draft_takes_nobody_in(machine: Machine, draft: Workflow, ada: Contact) -> None:
    sent = {"contacts": [str(ada.public_id)]}
    problem(machine.post(f"workflows/{draft.id}/enrolments", sent), 409, "conflict")


def test_an_unknown_contact_is_pointed_at(machine: Machine, live: Workflow, ada: Contact) -> None:
    sent = {"contacts": [str(ada.public_id), str(live.id)]}
    body = problem(machine.post(f"workflows/{live.id}/enrolments", sent), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/contacts/1"


def test_another_organisations_workflow_is_not_found(
    stranger: Machine, live: Workflow, ada: Contact
) -> None:
    """SE-02."""
    sent = {"contacts": [str(ada.public_id)]}
    problem(stranger.post(f"workflows/{live.id}/enrolments", sent), 404, "not-found")


def test_a_workflow_is_simulated_and_the_result_read(machine: Machine, draft: Workflow) -> None:
    plan = {"people": {"kind": "synthetic", "count": 5}, "days": 9}
    sent = {"plan": plan, "promises": [{"kind": "all_exit", "days": 2}]}
    made = machine.post(f"workflows/{draft.id}/simulations", sent).json()
    read = machine.get(f"workflows/{draft.id}/simulations/{made['id']}").json()
    assert read["result"]["finished"] == 5 and read["result"]["promises"][0]["held"] is False


def test_a_plan_that_cannot_be_run_is_refused(machine: Machine, draft: Workflow) -> None:
    sent = {"plan": {"days": 0}}
    problem(machine.post(f"workflows/{draft.id}/simulations", sent), 422, "invalid")


def test_a_key_that_may_not_let_people_in_may_not_simulate(
    harbor: Organisation, machine_for: Maker, draft: Workflow
) -> None:
    machine = machine_for(harbor, scopes={Permission.CONTACTS_VIEW})
    problem(machine.post(f"workflows/{draft.id}/simulations", {}), 403, "scope-missing")


def test_a_workflow_about_objects_wants_to_know_which(
    machine: Machine, live: Workflow, ada: Contact, harbor: Organisation, now: datetime
) -> None:
    """HD-09: a second word of the same appointment moves its timer."""
    keyed = {"kind": "event", "event": "appointment.booked", "key": "ref", "date": "begins"}
    waits = {"id": "later", "kind": "until", "object": True, "next": "end"}
    with tenancy.acting_for(harbor.pk):
        graph = {**GRAPH, "trigger": keyed, "nodes": [waits, {"id": "end", "kind": "exit"}]}
        publishing.save_draft(live, graph, now=now)
        publishing.publish(live.id, now=now)
    address, sent = f"workflows/{live.id}/enrolments", {"contacts": [str(ada.public_id)]}
    problem(machine.post(address, sent), 422, "invalid")
    for at in ("2030-05-02T09:00:00Z", "2030-05-03T09:00:00Z"):
        machine.post(address, {**sent, "occurrence": "A1", "object_at": at})
    with tenancy.acting_for(harbor.pk):
        assert f"{Enrolment.objects.get().object_at:%d}" == "03"
