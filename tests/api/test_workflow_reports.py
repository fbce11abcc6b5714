"""The report on a workflow for another system, and where a contact is."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem
from tests.api.test_workflows import GRAPH
from workflows import enrol, publishing, runner
from workflows.models import Workflow


@pytest.fixture
def live(harbor: Organisation, ada: Contact, now: datetime) -> Workflow:
    with tenancy.acting_for(harbor.pk):
        made = publishing.create("Aftercare", slug="aftercare", draft=GRAPH, now=now)
        publishing.publish(made.id, now=now)
        enrol.enrol(made.id, {ada.pk}, now=now)
        runner.run_once(now=now)
    return made


def test_the_report_counts_who_entered_and_where_they_are(machine: Machine, live: Workflow) -> None:
    """CA-18"""
    body = machine.get(f"workflows/{live.id}/report").json()
    steps = {one["step"]: one for one in body["steps"]}
    assert (body["totals"]["entered"], steps["later"]["here"]) == (1, 1)


def test_a_goal_of_ones_own_is_counted_beside_its_interval(
    machine: Machine, live: Workflow
) -> None:
    """CA-18"""
    goal = machine.get(f"workflows/{live.id}/report?goal=appointment.booked&days=7").json()["goal"]
    assert goal["everybody"]["share"] == 0.0 and goal["everybody"]["interval"][0] == 0.0


def test_a_clinical_goal_is_blurred_for_a_key_that_may_not_see_it(
    machine_for: Maker, harbor: Organisation, live: Workflow
) -> None:
    """PR-40"""
    narrow = machine_for(harbor, [Permission.WORKFLOWS_VIEW])
    body = narrow.get(f"workflows/{live.id}/report?goal=appointment.booked").json()
    assert body["exact"] is False and body["goal"]["everybody"]["of"] is None


def test_a_choice_that_is_none_names_its_field(machine: Machine, live: Workflow) -> None:
    body = problem(machine.get(f"workflows/{live.id}/report?since=13"), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/since"


@pytest.mark.parametrize("path", ["report", "report/people"])
def test_a_key_without_the_scope_is_refused(
    machine_for: Maker, harbor: Organisation, live: Workflow, path: str
) -> None:
    other = machine_for(harbor, [Permission.CONTACTS_VIEW])
    problem(other.get(f"workflows/{live.id}/{path}"), 403, "scope-missing")


@pytest.mark.parametrize("path", ["report", "report/people"])
def test_another_organisations_report_is_not_found(
    stranger: Machine, live: Workflow, path: str
) -> None:
    """SE-02"""
    problem(stranger.get(f"workflows/{live.id}/{path}"), 404, "not-found")


def test_people_are_listed_with_where_they_are(
    machine: Machine, live: Workflow, ada: Contact
) -> None:
    (one,) = machine.get(f"workflows/{live.id}/report/people?who=inside").json()["people"]
    assert (one["contact"], one["step"]) == (str(ada.public_id), "later")


def test_a_contact_is_found_across_workflows(
    machine: Machine, live: Workflow, ada: Contact
) -> None:
    (one,) = machine.get(f"contacts/{ada.public_id}/workflows").json()["workflows"]
    assert (one["workflow"], one["step"], one["state"]) == (str(live.id), "later", "waiting")


def test_another_organisations_contact_is_not_found(
    stranger: Machine, live: Workflow, ada: Contact
) -> None:
    """SE-02"""
    problem(stranger.get(f"contacts/{ada.public_id}/workflows"), 404, "not-found")
