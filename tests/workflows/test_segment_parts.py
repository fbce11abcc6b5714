"""What the segment builder offers of a workflow and of a message: steps and links by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from messaging.models import Link, Template
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.workflows.conftest import Publish
from tests.workflows.graphs import series
from workflows.models import Workflow

SignedIn = Callable[[User], Client]


@pytest.fixture
def workflow(publish: Publish) -> Workflow:
    return publish()


@pytest.fixture
def booking(at_harbor: Organisation) -> Template:
    made = template("booking")
    approved(made)
    return made


def options(client: Client, path: str) -> list[tuple[str, str]]:
    return [(one["value"], one["label"]) for one in client.get(path).json()["options"]]


def test_the_steps_of_a_workflow_are_told_by_what_they_do(
    workflow: Workflow, mara: User, sign_in_as: SignedIn
) -> None:
    found = options(sign_in_as(mara), f"/segments/steps/{workflow.id}/")
    assert [value for value, _ in found] == ["educate", "clicked", "invite", "remind", "end"]
    assert dict(found)["end"] == "Exit (end)"


def test_a_step_that_only_an_older_version_has_is_offered_and_said_to_be_old(
    workflow: Workflow, publish: Publish, mara: User, sign_in_as: SignedIn
) -> None:
    graph: dict[str, Any] = workflow.versions.get().graph
    nodes = [
        {**one, "next": "over"} if one["id"] in ("invite", "remind") else one
        for one in graph["nodes"]
    ]
    nodes = [{**one, "id": "over"} if one["id"] == "end" else one for one in nodes]
    newer = publish_again(workflow, {**graph, "nodes": nodes})
    found = dict(options(sign_in_as(mara), f"/segments/steps/{newer.id}/"))
    assert found["over"] == "Exit (over)"
    assert found["end"] == "Exit (end), in an earlier version"


def publish_again(workflow: Workflow, graph: dict[str, Any]) -> Workflow:
    first = workflow.versions.get()
    workflow.versions.create(
        number=2, graph=graph, templates=first.templates, path_classes=first.path_classes,
        published_by=first.published_by, published_at=NOON,
    )  # fmt: skip
    return workflow


@pytest.mark.parametrize("draft", [{}, {"nodes": [{"id": "half"}, 5, {"id": 7}]}, series()])
def test_a_workflow_that_was_never_published_gives_the_steps_of_its_draft(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn, draft: dict[str, Any]
) -> None:
    made = Workflow.objects.create(
        slug="d", name="D", draft=draft, created_at=NOON, changed_at=NOON
    )
    found = options(sign_in_as(mara), f"/segments/steps/{made.id}/")
    keys = [one["id"] for one in draft.get("nodes", ()) if isinstance(one, dict)]
    assert [value for value, _ in found] == [key for key in keys if isinstance(key, str)]


def test_the_links_of_a_message_are_told_by_their_labels(
    booking: Template, mara: User, sign_in_as: SignedIn
) -> None:
    labels = Link.objects.filter(version__template=booking).values_list("label", flat=True)
    found = options(sign_in_as(mara), f"/segments/links/{booking.id}/")
    assert found
    assert [value for value, _ in found] == list(dict.fromkeys(labels))


@pytest.mark.parametrize("part", ["steps", "links"])
def test_another_organisation_is_told_of_none(
    workflow: Workflow, booking: Template, hill: Organisation, sign_in_as: SignedIn, part: str
) -> None:
    with tenancy.acting_for(hill.pk):
        theirs = staff.add("max@hill.example", name="Max", role=Role.MARKETER, now=NOON)
    whole = workflow.id if part == "steps" else booking.id
    assert options(sign_in_as(theirs), f"/segments/{part}/{whole}/") == []


@pytest.mark.parametrize("part", ["steps", "links"])
def test_who_may_not_make_segments_is_refused(
    harbor: Organisation, sign_in_as: SignedIn, part: str
) -> None:
    with tenancy.acting_for(harbor.pk):
        analyst = staff.add("ana@harbor.example", name="Ana", role=Role.ANALYST, now=NOON)
    assert sign_in_as(analyst).get(f"/segments/{part}/{uuid4()}/").status_code == 403
