"""The brakes on workflows, read, set and let go over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem
from tests.api.test_workflows import GRAPH
from workflows import enrol, publishing, runner
from workflows.models import Enrolment, Workflow
from workflows.moving import pausing


@pytest.fixture
def held(harbor: Organisation, ada: Contact, now: datetime) -> Workflow:
    """Ada is overdue by a week at a step, and the brake pulled six days ago."""
    then = now - timedelta(days=10)
    with tenancy.acting_for(harbor.pk):
        made = publishing.create("Aftercare", slug="aftercare", draft=GRAPH, now=then)
        publishing.publish(made.id, now=then)
        enrol.enrol(made.id, [ada.pk], now=then)
        runner.run_once(now=then)
        braked = now - timedelta(days=8)
        pausing.pause(made.id, now=braked, why="entry_rate", figure=9_000, most=2_000)
    return made


def test_what_is_not_named_stays_as_it_is(machine: Machine) -> None:
    before = machine.get("workflow-brakes").json()
    after = machine.patch("workflow-brakes", {"most_a_day": 12}).json()
    assert after == before | {"most_a_day": 12}
    assert machine.get("workflow-brakes").json() == after


@pytest.mark.parametrize(
    ("given", "pointer"),
    [({"factor": 1}, "/factor"), ({"floor": 0}, "/floor"), ({"most_a_day": "x"}, "/most_a_day"),
     ({"most": 3}, "/most")],
)  # fmt: skip
def test_a_brake_that_cannot_be_set_so_is_named(
    machine: Machine, given: dict[str, object], pointer: str
) -> None:
    found = problem(machine.patch("workflow-brakes", given), 422, "invalid")
    assert [one["pointer"] for one in found["errors"]] == [pointer]


def test_what_a_brake_holds_is_listed_with_the_reason(machine: Machine, held: Workflow) -> None:
    (row,) = machine.get("workflow-brakes").json()["held"]
    assert (row["workflow"], row["name"], row["why"], row["most"]) == (
        str(held.id), "Aftercare", "entry_rate", 2_000
    )  # fmt: skip


def test_who_is_overdue_is_read_before_it_goes_on(machine: Machine, held: Workflow) -> None:
    found = machine.get(f"workflows/{held.id}/pause").json()
    assert (found["state"], found["why"]) == ("paused", "entry_rate")
    assert found["overdue"] == [{"version": 1, "step": "later", "people": 1}]


def test_it_goes_on_with_what_is_overdue_put_off(
    machine: Machine, held: Workflow, harbor: Organisation, now: datetime
) -> None:
    """pain 5"""
    answer = machine.post(f"workflows/{held.id}/resume", {"overdue": "shift"})
    assert answer.json()["state"] == "live"
    with tenancy.acting_for(harbor.pk):
        due = Enrolment.objects.get().due_at
    assert due is not None and due > now
    assert machine.get("workflow-brakes").json()["held"] == []


def test_what_is_not_paused_cannot_be_resumed(machine: Machine, held: Workflow) -> None:
    machine.post(f"workflows/{held.id}/resume", {"overdue": "skip"})
    again = machine.post(f"workflows/{held.id}/resume", {"overdue": "skip"})
    problem(again, 409, "conflict")


def test_what_becomes_of_the_overdue_must_be_said(machine: Machine, held: Workflow) -> None:
    for given in ({}, {"overdue": "drop"}):
        found = problem(machine.post(f"workflows/{held.id}/resume", given), 422, "invalid")
        assert [one["pointer"] for one in found["errors"]] == ["/overdue"]


def test_a_key_that_only_sees_sets_and_resumes_nothing(
    machine_for: Maker, harbor: Organisation, held: Workflow
) -> None:
    """SE-04"""
    reader = machine_for(harbor, [Permission.WORKFLOWS_VIEW])
    assert reader.get("workflow-brakes").status_code == 200
    problem(reader.patch("workflow-brakes", {"most_a_day": 12}), 403, "scope-missing")
    resumed = reader.post(f"workflows/{held.id}/resume", {"overdue": "send"})
    problem(resumed, 403, "scope-missing")


def test_another_organisation_finds_nothing_to_read_or_resume(
    stranger: Machine, held: Workflow
) -> None:
    """SE-02"""
    assert stranger.get("workflow-brakes").json()["held"] == []
    problem(stranger.get(f"workflows/{held.id}/pause"), 404, "not-found")
    problem(stranger.post(f"workflows/{held.id}/resume", {"overdue": "send"}), 404, "not-found")
