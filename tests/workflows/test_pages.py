"""The pages of workflows: the list, one workflow with its figures, the draft, who waits where."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from consent.policy import REASONS
from contacts.codes import ICD10
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.web import canvas, canvas_forms
from tests.conftest import NOON
from tests.workflows.conftest import Publish
from tests.workflows.graphs import series
from tests.workflows.test_runner import go
from workflows import publishing
from workflows.models import Enrolment, Workflow
from workflows.reading import KINDS
from workflows.steps import WAYS

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
    assert REASONS["no_authorization"][1] in unescape(page)
    assert "no_authorization" not in page
    assert f"/workflows/{workflow.id}/1/clicked/" in page


def test_who_reached_a_goal_is_not_among_those_who_were_not_reached(
    publish: Publish, ada: int, mara: User, sign_in_as: SignedIn
) -> None:
    workflow = publish()
    graph = workflow.live.graph if workflow.live else {}
    goal = {"id": "booked", "kind": "goal", "event": "appointment.booked", "then": "exit"}
    graph["nodes"].append(goal)
    with_goal = publishing.create("Booked", slug="booked", draft=graph, now=NOON)
    publishing.publish(with_goal.id, now=NOON)
    go(with_goal, ada)
    Enrolment.objects.filter(workflow_id=with_goal.id).update(
        state=Enrolment.State.STOPPED, outcome="goal:booked"
    )
    page = sign_in_as(mara).get(f"/workflows/{with_goal.id}/").content.decode()
    assert "Who reached a goal" in page and "Appointment booked" in page
    assert "goal:booked" not in page and "Nobody left before the end" in page


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
    client = sign_in_as(mara)
    answers = [client.post("/workflows/new/", {"name": name}) for name in ("", "Series")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert client.post("/workflows/new/", {"name": "Other"}).status_code == 302


@pytest.mark.parametrize("name", ["Ημερολόγιο", "予約", "تذكير", "٣"])
def test_a_workflow_is_named_in_any_script(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn, name: str
) -> None:
    """The short name that commands take is a valid one all the same."""
    for one in (name, f"{name} {name}"):
        assert sign_in_as(mara).post("/workflows/new/", {"name": one}).status_code == 302
    slugs = Workflow.objects.filter(name__startswith=name).values_list("slug", flat=True)
    assert sorted(slugs) == ["workflow", "workflow-2"]


def test_a_name_is_taken_once_and_one_that_is_like_it_is_not(
    mara: User, sign_in_as: SignedIn
) -> None:
    names, client = ("Visit 予約", "Visit 手術", "Visit 予約"), sign_in_as(mara)
    answers = [client.post("/workflows/new/", {"name": name}) for name in names]
    assert [answer.status_code for answer in answers] == [302, 302, 422]


def test_a_name_of_signs_alone_is_refused(mara: User, sign_in_as: SignedIn) -> None:
    assert sign_in_as(mara).post("/workflows/new/", {"name": "…!?"}).status_code == 422


def post_draft(client: Client, workflow: Workflow, verb: str, body: object) -> Any:
    address = f"/workflows/{workflow.id}/draft/{verb}/"
    return client.post(address, json.dumps(body), content_type="application/json")


def test_checking_a_draft_names_what_is_wrong_and_keeps_nothing(
    publish: Publish, mara: User, sign_in_as: SignedIn
) -> None:
    workflow, broken = publish(), series(educate={"next": "nowhere"})
    answer = post_draft(sign_in_as(mara), workflow, "check", {"draft": broken})
    assert {"missing_next"} <= {one["code"] for one in answer.json()["problems"]}
    assert Workflow.objects.get().draft == workflow.draft


def test_a_draft_is_saved_only_over_the_one_that_was_seen(
    publish: Publish, mara: User, sign_in_as: SignedIn
) -> None:
    publish()
    client, workflow = sign_in_as(mara), Workflow.objects.get()
    body = {"draft": {"nodes": []}, "seen": workflow.changed_at.isoformat()}
    first = post_draft(client, workflow, "save", body)
    assert first.status_code == 200
    assert post_draft(client, workflow, "save", body).status_code == 409
    again = body | {"seen": first.json()["seen"]}
    assert post_draft(client, workflow, "save", again).status_code == 200


@pytest.mark.parametrize("body", [[], {"seen": "now"}, "draft"])
def test_what_is_no_draft_is_refused(
    publish: Publish, mara: User, sign_in_as: SignedIn, body: object
) -> None:
    answer = post_draft(sign_in_as(mara), publish(), "save", body)
    assert answer.status_code == 400


@pytest.mark.parametrize("verb", ["check", "save"])
def test_who_may_not_edit_may_not_check_or_save(
    publish: Publish, analyst: User, sign_in_as: SignedIn, verb: str
) -> None:
    answer = post_draft(sign_in_as(analyst), publish(), verb, {"draft": {}})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "draft",
    [
        [],
        {"nodes": [1]},
        {"nodes": [{"id": "a"}]},
        {"nodes": [], "trigger": None},
        {"nodes": [{"id": "a", "kind": "exit"}] * 2, "trigger": {"kind": "api"}},
    ],
)
def test_a_draft_that_cannot_be_drawn_is_still_edited_as_json(
    publish: Publish, mara: User, sign_in_as: SignedIn, draft: object
) -> None:
    workflow = publish()
    Workflow.objects.update(draft=draft)
    page = sign_in_as(mara).get(f"/workflows/{workflow.id}/draft/").content.decode()
    assert "editor-data" not in page
    assert "The draft as JSON" in page


def test_the_editor_knows_every_kind_of_step_and_every_way() -> None:
    assert {one.kind for one in canvas_forms.KINDS} == set(KINDS)
    described = {one.kind: {way.key for way in one.ways} for one in canvas_forms.KINDS}
    assert {kind: set(WAYS[cls]) for cls, kind in canvas.KINDS.items()} == described


def test_a_restricted_segment_is_not_named_to_who_may_not_know_it(
    publish: Publish, mara: User, omar: User
) -> None:
    """PR-30"""
    publish()
    Segment.objects.all().delete()
    tree = {"field": "conditions", "op": "has_code", "system": ICD10, "codes": ["B20"]}
    catalogue.save(name="People with HIV", tree=tree, now=NOON)
    assert "HIV" not in str(canvas_forms.forms(mara)) + str(canvas.names(mara))
    assert "HIV" in str(canvas.names(omar))


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
        client.post(f"/workflows/{workflow.id}/{verb}/", {"choice": "send"})
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


def test_pr40_counts_of_a_clinical_way_are_blurred_for_a_marketer(
    publish: Publish, ada: int, mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    workflow = publish(trigger={"kind": "event", "event": "appointment.missed"})
    go(workflow, ada)
    page = sign_in_as(mara).get(f"/workflows/{workflow.id}/").content.decode()
    assert "<dd>&lt;11</dd>" in page and "<dd>1</dd>" not in page
    assert '<td class="number">1</td>' not in page
    assert "<dd>1</dd>" in sign_in_as(omar).get(f"/workflows/{workflow.id}/").content.decode()
    assert "&lt;11" in sign_in_as(mara).get("/workflows/").content.decode()
