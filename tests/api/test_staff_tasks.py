"""What workflows ask of staff, read and answered over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import SCOPES, Permission
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem
from workflows import enrol, publishing, runner
from workflows.models import StaffTask

CALL = {"id": "call", "kind": "task", "title": "Call", "due": {"days": 2}, "done": "end",
        "failed": "end", "overdue": "end"}  # fmt: skip
FORK = {"id": "fork", "kind": "branch", "if": {"field": "conditions", "op": "exists"},
        "yes": "call", "no": "end"}  # fmt: skip
END = {"id": "end", "kind": "exit"}
FACTS = {Permission.CONTACTS_REVEAL_CLINICAL, Permission.CONTACTS_REVEAL_IDENTITY}


def asked(organisation: Organisation, contact: Contact, *nodes: object, now: datetime) -> StaffTask:
    graph = {"trigger": {"kind": "api"}, "start": nodes[0]["id"], "nodes": [*nodes, END]}  # type: ignore[index]
    with tenancy.acting_for(organisation.pk):
        made = publishing.create("Calls", slug="calls", draft=graph, now=now)
        publishing.publish(made.id, now=now)
        enrol.enrol(made.id, [contact.pk], now=now)
        runner.run_once(now=now)
        return StaffTask.objects.get()


@pytest.fixture
def task(harbor: Organisation, ada: Contact, now: datetime) -> StaffTask:
    return asked(harbor, ada, CALL, now=now - timedelta(hours=1))


def test_an_open_task_names_its_person_and_its_time(
    machine: Machine, task: StaffTask, ada: Contact
) -> None:
    said = machine.get("tasks").json()
    (row,) = said["tasks"]
    assert (row["id"], row["title"], row["contact"]) == (task.id, "Call", str(ada.public_id))
    assert said["next"] is None and said["beyond"] is False


def test_whoever_waits_for_it_goes_on(machine: Machine, task: StaffTask) -> None:
    assert machine.post(f"tasks/{task.id}/outcome", {"outcome": "failed"}).status_code == 200
    assert machine.get("tasks").json()["tasks"] == []
    problem(machine.post(f"tasks/{task.id}/outcome", {"outcome": "done"}), 409, "conflict")


@pytest.mark.parametrize("given", [{}, {"outcome": "maybe"}, {"outcome": "done", "by": "me"}])
def test_an_outcome_that_is_none_changes_nothing(
    machine: Machine, task: StaffTask, harbor: Organisation, given: dict[str, str]
) -> None:
    problem(machine.post(f"tasks/{task.id}/outcome", given), 422, "invalid")
    with tenancy.acting_for(harbor.pk):
        assert StaffTask.objects.get().state == "open"


def test_a_page_that_cannot_be_is_named(machine: Machine, task: StaffTask) -> None:
    found = problem(machine.get("tasks?after=x"), 422, "invalid")
    assert [one["pointer"] for one in found["errors"]] == ["?after"]


def test_a_task_that_says_something_clinical_is_for_keys_that_see_it(
    machine_for: Maker, harbor: Organisation, ada: Contact, now: datetime
) -> None:
    """PR-20"""
    task = asked(harbor, ada, FORK, CALL, now=now - timedelta(hours=1))
    blind = machine_for(harbor, set(SCOPES) - FACTS)
    said = blind.get("tasks").json()
    assert said["tasks"] == [] and said["beyond"] is True
    problem(blind.post(f"tasks/{task.id}/outcome", {"outcome": "done"}), 404, "not-found")


def test_another_organisation_finds_no_task(
    machine_for: Maker, hill: Organisation, task: StaffTask
) -> None:
    """SE-01"""
    theirs = machine_for(hill)
    assert theirs.get("tasks").json()["tasks"] == []
    problem(theirs.post(f"tasks/{task.id}/outcome", {"outcome": "done"}), 404, "not-found")


def test_a_key_without_the_scope_is_refused(
    machine_for: Maker, harbor: Organisation, task: StaffTask
) -> None:
    other = machine_for(harbor, set(SCOPES) - {Permission.TASKS_HANDLE})
    problem(other.get("tasks"), 403, "scope-missing")
    problem(other.post(f"tasks/{task.id}/outcome", {"outcome": "done"}), 403, "scope-missing")
