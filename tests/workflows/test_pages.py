"""The pages of workflows: the list, one workflow with its figures, the draft, who waits where."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from tests.conftest import NOON
from tests.workflows.conftest import Publish
from tests.workflows.graphs import series
from tests.workflows.test_runner import go
from workflows.models import Workflow

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def analyst(at_harbor: Organisation) -> User:
    return staff.add("anton@harbor.example", name="Anton Berg", role=Role.ANALYST, now=NOON)


def test_the_list_says_how_many_are_inside(
    publish: Publish, ada: int, mara: User, sign_in_as: SignedIn
) -> None:
    go(publish(), ada)
    page = sign_in_as(mara).get("/workflows/").content.decode()
    assert "Series" in page and "Live" in page


def test_a_page_shows_the_figures_and_the_losses(
    publish: Publish, ada: int, cleo: int, mara: User, sign_in_as: SignedIn
) -> None:
    """CA-16"""
    workflow = publish()
    go(workflow, ada, cleo)
    page = sign_in_as(mara).get(f"/workflows/{workflow.id}/").content.decode()
    assert "no_authorization" in page and f"/workflows/{workflow.id}/1/clicked/" in page


def test_who_waits_at_a_step_is_shown_without_a_name(
    publish: Publish, ada: int, mara: User, sign_in_as: SignedIn
) -> None:
    """CA-16"""
    workflow = publish()
    go(workflow, ada)
    page = sign_in_as(mara).get(f"/workflows/{workflow.id}/1/clicked/").content.decode()
    assert "/contacts/" in page and "ada" not in page.lower().split("<main", 1)[1]


def test_a_draft_with_a_cycle_is_saved_and_named(
    publish: Publish, mara: User, sign_in_as: SignedIn
) -> None:
    workflow = publish()
    broken = series(end={"kind": "wait", "for": {"days": 1}, "next": "educate"})
    page = sign_in_as(mara).post(
        f"/workflows/{workflow.id}/draft/", {"graph": json.dumps(broken)}, follow=True
    )
    assert "people would go round for ever: educate" in page.content.decode()


def test_what_is_not_json_is_pointed_at(publish: Publish, mara: User, sign_in_as: SignedIn) -> None:
    answer = sign_in_as(mara).post(f"/workflows/{publish().id}/draft/", {"graph": '{"nodes": [}'})
    assert answer.status_code == 422 and "line 1, column 12" in answer.content.decode()


def test_a_new_workflow_needs_a_name_of_its_own(
    publish: Publish, mara: User, sign_in_as: SignedIn
) -> None:
    publish()
    client, exits = sign_in_as(mara), {"graph": "{}"}
    answers = [client.post("/workflows/new/", {**exits, "name": name}) for name in ("", "Series")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert client.post("/workflows/new/", {**exits, "name": "Other"}).status_code == 302


def test_a_faulty_draft_does_not_go_live(
    publish: Publish, mara: User, sign_in_as: SignedIn
) -> None:
    workflow = publish()
    Workflow.objects.update(draft={"nodes": []})
    answer = sign_in_as(mara).post(f"/workflows/{workflow.id}/publish/")
    assert answer.status_code == 422 and workflow.versions.count() == 1


def test_pausing_and_resuming(publish: Publish, mara: User, sign_in_as: SignedIn) -> None:
    workflow, client = publish(), sign_in_as(mara)
    states = []
    for verb in ("pause", "resume"):
        client.post(f"/workflows/{workflow.id}/{verb}/")
        states.append(Workflow.objects.get(id=workflow.id).state)
    assert states == ["paused", "live"]


@pytest.mark.parametrize("verb", ["publish", "pause", "draft"])
def test_an_analyst_may_look_and_not_touch(
    publish: Publish, analyst: User, sign_in_as: SignedIn, verb: str
) -> None:
    """SR-01"""
    workflow, client = publish(), sign_in_as(analyst)
    assert client.get(f"/workflows/{workflow.id}/").status_code == 200
    assert client.post(f"/workflows/{workflow.id}/{verb}/").status_code == 403


def test_another_organisation_finds_nothing_of_ours(
    publish: Publish, ivy: User, sign_in_as: SignedIn
) -> None:
    """SE-01"""
    assert sign_in_as(ivy).get(f"/workflows/{publish().id}/").status_code in (403, 404)


def test_who_waits_where_only_a_visit_leads_is_shown_to_those_who_may_know_of_it(
    publish: Publish, mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    workflow = publish(trigger={"kind": "event", "event": "encounter.started"})
    address = f"/workflows/{workflow.id}/1/clicked/"
    answers = [sign_in_as(user).get(address).status_code for user in (mara, omar)]
    assert answers == [403, 200]
