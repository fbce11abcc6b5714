"""A draft goes live only when nothing is wrong with it, and every fault is named by its step."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from messaging.models import Template
from tests.conftest import NOON
from tests.messaging.conftest import template
from tests.workflows.conftest import Publish
from tests.workflows.graphs import series
from workflows import lint, publishing
from workflows.models import Workflow
from workflows.problems import GraphInvalid


def faults(**changes: Any) -> set[tuple[str, str]]:
    raw = series(**changes) | {"trigger": changes.pop("trigger", {"kind": "api"})}
    return {(one.node, one.code) for one in lint.check(raw)[1]}


def sound(mails: dict[str, Template]) -> dict[str, Any]:
    return {slug: {"template": str(one.id)} for slug, one in mails.items()}


def test_a_sound_draft_has_no_problems(mails: dict[str, Template]) -> None:
    assert faults(**sound(mails)) == set()


def test_an_unknown_template_is_named_by_its_step(mails: dict[str, Template]) -> None:
    wanted = sound(mails) | {"invite": {"template": str(uuid4())}}
    assert faults(**wanted) == {("invite", "unknown_template")}


def test_a_template_that_nobody_approved_cannot_go_out(mails: dict[str, Template]) -> None:
    draft = template("unread")
    assert faults(**sound(mails) | {"invite": {"template": str(draft.id)}}) == {
        ("invite", "not_approved")
    }


def test_a_template_without_a_purpose_cannot_go_out(mails: dict[str, Template]) -> None:
    """PR-01"""
    Template.objects.filter(id=mails["invite"].id).update(purpose="")
    assert faults(**sound(mails)) == {("invite", "purpose_required")}


@pytest.mark.parametrize(
    "condition",
    [
        {"segment": str(uuid4())},
        {"list": str(uuid4())},
        {"field": "shoe_size", "op": "equals", "value": "44"},
        {"all": []},
    ],
)
def test_conditions_that_cannot_be_read_are_named(
    mails: dict[str, Template], condition: dict[str, Any]
) -> None:
    branch = {"kind": "branch", "if": condition, "yes": "invite", "no": "remind"}
    plain = dict.fromkeys(["event", "of", "up_to", "heard", "unheard"])
    assert faults(**sound(mails), clicked=branch | plain) == {("clicked", "unknown_segment")}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "update", "set": {"shoe_size": 44}}, "unknown_field"),
        ({"kind": "update", "set": {"gender": "soon"}}, "bad_value"),
        ({"kind": "update", "set": {"email": "all@evil.example"}}, "protected_field"),
        ({"kind": "update", "clear": ["birth_date"]}, "protected_field"),
        ({"kind": "update", "set": {"conditions": []}}, "protected_field"),
        ({"kind": "list", "add": str(uuid4())}, "unknown_list"),
    ],
)
def test_fields_and_lists_must_be_there(
    mails: dict[str, Template], change: dict[str, Any], code: str
) -> None:
    wanted = sound(mails) | {"invite": {"template": None, **change}}
    assert faults(**wanted) == {("invite", code)}


def test_an_unknown_segment_lets_nobody_in(mails: dict[str, Template]) -> None:
    trigger = {"kind": "segment", "segment": str(uuid4())}
    found = lint.check(series(**sound(mails)) | {"trigger": trigger})[1]
    assert [(one.node, one.code) for one in found] == [("", "unknown_segment")]


def test_a_faulty_draft_is_kept_but_not_published(mails: dict[str, Template]) -> None:
    workflow = publishing.create("New", slug="new", draft={}, now=NOON)
    assert publishing.save_draft(workflow, series(invite={"next": "lost"}), now=NOON)
    with pytest.raises(GraphInvalid):
        publishing.publish(workflow.id, now=NOON)
    workflow.refresh_from_db()
    assert workflow.live is None and workflow.draft["nodes"]


def test_publishing_what_is_live_makes_no_new_version(publish: Publish) -> None:
    workflow = publish()
    assert publishing.publish(workflow.id, now=NOON).number == 1


def test_a_circle_of_workflows_is_found_before_it_is_published(publish: Publish) -> None:
    """CA-15, CA-14: jumps between workflows are checked as one graph."""
    first = publish(slug="first")
    second = publish(slug="second", end={"enter": str(first.id)})
    draft = dict(first.draft)
    draft["nodes"] = [
        {**one, "enter": str(second.id)} if one["id"] == "end" else one for one in draft["nodes"]
    ]
    problems = publishing.save_draft(first, draft, now=NOON)
    assert [(one.node, one.code) for one in problems] == [("end", "cycle")]


def test_what_the_entry_betrays_goes_with_every_message(publish: Publish, women: str) -> None:
    """PR-09"""
    workflow = publish(trigger={"kind": "segment", "segment": women})
    assert workflow.live is not None
    assert workflow.live.path_classes["educate"] == ["demographic"]


def test_templates_are_pinned_when_a_version_is_published(
    publish: Publish, mails: dict[str, Template]
) -> None:
    workflow = Workflow.objects.select_related("live").get(id=publish().id)
    assert workflow.live is not None
    pinned = {node: str(one.versions.get().id) for node, one in mails.items()}
    assert workflow.live.templates == pinned
