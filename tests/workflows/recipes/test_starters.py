"""Every recipe becomes a workflow that runs, with messages that compile."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation
from contacts import grouping
from contacts.declared.code_lines import Code
from contacts.segments import catalogue
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
