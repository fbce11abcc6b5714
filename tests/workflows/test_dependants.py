"""What leans on a field: told before it is taken away."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import Organisation
from contacts import custom_fields, dependants, grouping
from contacts.codes import ICD10
from contacts.custom_fields import StillUsed
from contacts.declared.code_lines import Code
from messaging.dependants import versions_asking
from messaging.models import Template
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.messaging.mails import BODY, FOOT, mjml
from tests.workflows.graphs import series
from workflows.lint import check
from workflows.models import Workflow

KEY = "custom_site"


@pytest.fixture(autouse=True)
def site(at_harbor: Organisation) -> None:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    custom_fields.add(label="Site", type_="text", data_class="coverage", labels=[], now=NOON)


def drafted(graph: dict[str, Any]) -> UUID:
    made = Workflow.objects.create(
        slug="x", name="Journey", draft=graph, created_at=NOON, changed_at=NOON
    )
    return made.id


def told() -> list[tuple[str, str]]:
    return [(user.kind, user.title) for user in dependants.of_field(KEY)]


def updating(**step: Any) -> dict[str, Any]:
    return {"nodes": [{"id": "u", "kind": "update", "next": "end", **step}]}


def test_nothing_leans_on_a_new_field() -> None:
    drafted(series())
    assert told() == []


@pytest.mark.parametrize(
    "step",
    [
        {"values": {KEY: "North"}},
        {"clear": [KEY]},
        {"condition": {"definition": {"not": {"field": KEY, "op": "exists"}}}},
    ],
)
def test_a_workflow_that_asks_or_writes_leans_on_it(step: dict[str, Any]) -> None:
    drafted(updating(**step))
    assert told() == [("workflow", "Journey")]
    with pytest.raises(StillUsed):
        custom_fields.delete(KEY, now=NOON)


def test_a_template_whose_draft_declares_it_leans_on_it() -> None:
    Template.objects.filter(id=template().id).update(declared=[KEY])
    assert told() == [("template", "News")]


def test_a_template_reads_it_and_leans_on_it() -> None:
    body = BODY.replace("contact.given_name", f"contact.{KEY}")
    assert KEY in body
    draft = template(mjml=mjml(body, foot=FOOT))
    draft.declared = [KEY, "conditions", "given_name"]
    draft.save()
    version = approved(draft)
    assert KEY in version.fields_read
    assert "coverage" in version.data_classes
    Template.objects.filter(id=draft.id).update(declared=[])
    assert told() == [("template", "News")]


def test_an_archived_template_leans_on_nothing() -> None:
    Template.objects.filter(id=template().id).update(declared=[KEY], archived_at=NOON)
    assert told() == []


def test_a_workflow_asks_for_a_group_of_codes() -> None:
    group = uuid4()
    drafted({"nodes": [{"condition": {"definition": {"group": str(group)}}}]})
    assert [user.kind for user in dependants.of_code_group(group)] == ["workflow"]


def test_a_workflow_may_write_an_own_field_of_an_open_class() -> None:
    graph = series()
    graph["nodes"][0] = {
        "id": "educate", "kind": "update", "values": {KEY: "North"}, "next": "clicked",
    }  # fmt: skip
    _, problems = check(graph)
    assert [one for one in problems if one.code in {"unknown_field", "protected_field"}] == []


def asking(tree: dict[str, Any]) -> dict[str, Any]:
    return {"told": {"label": "Told", "definition": tree}}


def test_a_template_whose_draft_asks_about_it_leans_on_it() -> None:
    template(conditions=asking({"not": {"field": KEY, "op": "exists"}}))
    assert told() == [("template", "News")]


def test_a_template_that_asks_for_a_group_of_codes_leans_on_it() -> None:
    """Else every message of it would fail, from the moment the group is archived."""
    group = grouping.add("Diabetes", [Code(ICD10, "E11.9")], now=NOON)
    asked = {"field": "conditions", "op": "has_code", "group": str(group.pk)}
    body = BODY + "<mj-text>{% if when.told %}x{% endif %}</mj-text>"
    draft = template(mjml=mjml(body, foot=FOOT))
    draft.conditions, draft.declared = asking(asked), ["conditions", "given_name"]
    draft.save()
    version = approved(draft)
    draft.conditions = {}
    draft.save()
    assert [one.title for one in dependants.of_code_group(group.pk)] == ["News"]
    assert versions_asking("group", str(group.pk), [version.id]) == {version.id}
    with pytest.raises(grouping.StillUsed):
        grouping.archive(group.pk, now=NOON)
