"""Pages for moving people between versions, resuming and closing; and who may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from tests.conftest import NOON
from tests.workflows.conftest import Publish, mails, publish
from tests.workflows.moving.test_migrating import first, inside, renamed, reworked
from workflows.models import Enrolment, Workflow
from workflows.moving import pausing

__all__ = ["mails", "publish"]
SignIn = Callable[[User], Client]


def test_the_map_names_undecided_steps_and_counts_before_anybody_moves(
    sign_in_as: SignIn, omar: User, publish: Publish
) -> None:
    workflow = publish()
    inside(workflow, 2)
    renamed(workflow, "clicked", "waited")
    html = sign_in_as(omar).get(f"/workflows/{workflow.id}/migrate/").content.decode()
    assert "has no counterpart in version 2" in html
    assert set(Enrolment.objects.values_list("version_id", flat=True)) == {first(workflow).id}


def test_move_moves_everybody(sign_in_as: SignIn, mara: User, publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 2)
    new = reworked(workflow, clicked=7)
    sign_in_as(mara).post(
        f"/workflows/{workflow.id}/migrate/",
        {"from": "1", "to": "2", "to-clicked": "clicked", "act": "move"},
    )
    assert set(Enrolment.objects.values_list("version_id", flat=True)) == {new.id}


def test_count_again_moves_nobody(sign_in_as: SignIn, mara: User, publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 2)
    reworked(workflow, clicked=7)
    sign_in_as(mara).post(
        f"/workflows/{workflow.id}/migrate/",
        {"from": "1", "to": "2", "to-clicked": "clicked", "act": "count"},
    )
    assert set(Enrolment.objects.values_list("version_id", flat=True)) == {first(workflow).id}


def test_resuming_asks_what_shall_become_of_the_backlog(
    sign_in_as: SignIn, mara: User, publish: Publish
) -> None:
    workflow = publish()
    pausing.pause(workflow.id, now=NOON)
    client = sign_in_as(mara)
    assert "Skip" in client.get(f"/workflows/{workflow.id}/resume/").content.decode()
    client.post(f"/workflows/{workflow.id}/resume/", {})
    assert Workflow.objects.get(id=workflow.id).state == "paused"
    client.post(f"/workflows/{workflow.id}/resume/", {"choice": "skip"})
    assert Workflow.objects.get(id=workflow.id).state == "live"


def test_closing_says_who_leaves(sign_in_as: SignIn, mara: User, publish: Publish) -> None:
    workflow = publish()
    sign_in_as(mara).post(f"/workflows/{workflow.id}/close/", {"inside": "end"})
    assert Workflow.objects.get(id=workflow.id).state == "closed"


@pytest.mark.parametrize("act", ["migrate", "resume", "close", "pause"])
def test_an_analyst_moves_stops_and_resumes_nothing(
    sign_in_as: SignIn, harbor: Organisation, publish: Publish, act: str
) -> None:
    workflow = publish()
    with tenancy.acting_for(harbor.pk):
        ana = staff.add("ana@harbor.example", name="Ana", role=Role.ANALYST, now=NOON)
    assert sign_in_as(ana).post(f"/workflows/{workflow.id}/{act}/").status_code == 403


@pytest.mark.parametrize("act", ["migrate", "resume", "close", "pause"])
def test_another_organisation_finds_no_workflow_of_ours(
    sign_in_as: SignIn, hill: Organisation, publish: Publish, act: str
) -> None:
    workflow = publish()
    with tenancy.acting_for(hill.pk):
        max_ = staff.add("max@hill.example", name="Max", role=Role.MARKETER, now=NOON)
    assert sign_in_as(max_).post(f"/workflows/{workflow.id}/{act}/").status_code == 404
