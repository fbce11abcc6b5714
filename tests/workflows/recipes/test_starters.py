"""Every recipe becomes a workflow that runs, with messages that compile."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation
from consent.signing import designing
from contacts import grouping
from contacts.declared.code_lines import Code
from contacts.segments import catalogue
from marketing.web import canvas, workflow_recipes
from messaging.making import drafts
from messaging.models import Template
from tests.conftest import NOON
from tests.messaging.conftest import approved
from tests.workflows.conftest import WOMEN
from workflows import lint
from workflows.models import Workflow
from workflows.recipes import starters
from workflows.recipes.starters import Starter
from workflows.simulate import keeping
from workflows.webhooks import tending

ALL = [pytest.param(one, id=one.slug) for one in starters.every()]


@pytest.fixture(autouse=True)
def address(at_harbor: Organisation) -> None:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )


def completed(starter: Starter) -> Workflow:
    """Do what the page asks for: choose a segment and a drug, have the messages approved."""
    made = starters.begin(starter, now=NOON)
    if starter.asks_segment:
        segment = catalogue.save(name="Women", tree=WOMEN, now=NOON)
        made.draft["trigger"]["segment"] = str(segment.id)
    if starter.asks_form:
        made.draft["trigger"]["form"] = str(designing.create("Welcome", now=NOON).id)
    for node in made.draft["nodes"]:
        if node["kind"] == "webhook":
            desk = {"name": "Letters", "url": "https://letters.example/new", "own": True,
                    "classes": ["identity", "contact_point", "coverage", "engagement"]}  # fmt: skip
            made_desk = tending.add(desk, random=lambda size: b"k" * size, now=NOON)
            node["endpoint"] = str(made_desk.id)
    made.save()
    drug = [Code("http://www.nlm.nih.gov/research/umls/rxnorm", "83367", "Atorvastatin")]
    for one in Template.objects.all():
        if one.purpose == "refill":
            one.drug = grouping.add("Statin", drug, now=NOON).pk
            one.save()
        approved(one)
    return made


def test_there_are_eleven_and_each_says_all_that_its_card_shows() -> None:
    assert len(starters.every()) == 11
    for one in starters.every():
        assert all((one.title, one.reaches, one.consent, one.why, one.needs, one.letters))


@pytest.mark.parametrize("starter", ALL)
def test_once_completed_nothing_keeps_it_from_going_live(starter: Starter) -> None:
    made = completed(starter)
    assert [one.message for one in lint.check(made.draft, workflow_id=made.id)[1]] == []


@pytest.mark.parametrize("starter", ALL)
def test_its_messages_compile_and_say_nothing_of_health(starter: Starter) -> None:
    completed(starter)
    said = [drafts.compiled(one).data_classes for one in Template.objects.all()]
    assert all(classes <= {"identity"} for classes in said)


@pytest.mark.parametrize("starter", ALL)
def test_invented_people_come_through_it(starter: Starter) -> None:
    made = completed(starter)
    plan: dict[str, Any] = {"people": {"kind": "synthetic", "count": 20}, "days": 90}
    run = keeping.start(made, plan, number=None, raw_promises=[], now=NOON)
    keeping.attempt(run, now=NOON)
    run.refresh_from_db()
    assert (run.state, run.problem) == ("done", "")


def test_a_second_start_makes_a_second_set() -> None:
    starter = starters.every()[0]
    first, second = (starters.begin(starter, now=NOON) for _ in range(2))
    assert first.slug != second.slug
    assert Template.objects.count() == 2 * len(starter.letters)


def test_the_recipes_use_what_helps_them() -> None:
    """Each way of coming in and each step that a recipe was made better by is used somewhere."""
    kinds = {kind for one in starters.every() for kind in one.steps}
    assert {"until", "write_back", "webhook", "split", "task", "wait_for"} <= kinds
    entries = {one.graph["trigger"]["kind"] for one in starters.every()}
    assert {"event", "form", "date", "segment"} <= entries
    keyed = {one.slug for one in starters.every() if one.graph["trigger"].get("key")}
    assert keyed == {
        "appointment-reminder", "post-visit-follow-up", "medication-adherence",
        "explanation-of-benefits",
    }  # fmt: skip


@pytest.mark.parametrize("starter", ALL)
def test_it_is_drawn_and_told_before_anything_is_made(starter: Starter) -> None:
    graph, names = workflow_recipes._placed(starter)
    told = [canvas.title(step, names) for step in graph.steps.values()]
    assert not any("unknown" in one.lower() for one in told)
