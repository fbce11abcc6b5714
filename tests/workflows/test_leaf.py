"""Segments that ask where people are on a journey."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from audit.actor import Actor, acting_as
from contacts.fields import DataClass
from contacts.segments import approvals, catalogue, evaluate, references
from contacts.segments.definition import DefinitionInvalid, in_words, parse
from tests.conftest import NOON
from tests.workflows.conftest import Publish
from workflows import enrol, runner
from workflows.models import Workflow

DAY = timedelta(days=1)


def found(workflow: Workflow, *, now: datetime = NOON, way: str = "in", **asked: Any) -> set[int]:
    definition = parse({"journey": {"workflow": str(workflow.id), "is": way, **asked}})
    everyone = set(evaluate.members(definition, now=now).contact_ids())
    assert everyone == evaluate.among(definition, everyone, now=now)
    return everyone


@pytest.fixture
def series(publish: Publish, ada: int, cleo: int) -> Workflow:
    """Ada waits for a click; Cleo never came."""
    workflow = publish()
    enrol.enrol(workflow.id, [ada], now=NOON)
    runner.run_once(now=NOON)
    return workflow


def test_who_waits_at_a_step_is_found_there(series: Workflow, ada: int) -> None:
    assert found(series, step="clicked") == {ada}
    assert found(series, step="invite") == set()
    assert found(series) == {ada}


def test_a_step_that_was_passed_counts_for_ever(series: Workflow, ada: int) -> None:
    assert found(series, step="educate", way="ever") == {ada}
    assert found(series, step="educate") == set()


def test_since_asks_how_long_someone_has_been_there(series: Workflow, ada: int) -> None:
    long: dict[str, Any] = {"before": {"ago": 2, "unit": "days"}}
    assert found(series, step="clicked", **long, now=NOON + DAY) == set()
    assert found(series, step="clicked", **long, now=NOON + 2 * DAY + DAY / 24) == {ada}
    assert found(series, step="clicked", within_days=1, now=NOON + DAY) == {ada}


def test_who_came_through_has_finished(series: Workflow, ada: int) -> None:
    later = NOON + 4 * DAY
    for _ in range(3):
        runner.run_once(now=later)
    assert found(series, now=later, way="finished") == {ada}
    assert found(series, now=later) == set()


def test_a_workflow_or_step_that_is_gone_breaks_the_segment(series: Workflow) -> None:
    for asked in ({"workflow": str(uuid4())}, {"workflow": str(series.id), "step": "nowhere"}):
        with pytest.raises(DefinitionInvalid, match="refers to a"):
            catalogue.expanded(parse({"journey": asked}))


def test_being_on_a_journey_betrays_what_let_people_in(publish: Publish, women: str) -> None:
    trigger = {"kind": "segment", "segment": women, "present": False}
    definition = parse({"journey": {"workflow": str(publish(trigger=trigger).id)}})
    assert DataClass.DEMOGRAPHIC in references.data_classes(definition)


def test_a_journey_carries_the_labels_of_its_segments(
    publish: Publish, mara: User, omar: User
) -> None:
    """PR-30."""
    tree = {"field": "conditions", "op": "has_code", "codes": ["86406008"]}
    with acting_as(Actor("staff", str(mara.pk))):
        hiv = catalogue.save(name="Care", tree=tree, now=NOON)
        asked = approvals.request(hiv, now=NOON)
    with acting_as(Actor("staff", str(omar.pk))):
        approvals.decide(asked.id, approve=True, now=NOON)
    trigger = {"kind": "segment", "segment": str(hiv.id), "present": False}
    definition = parse({"journey": {"workflow": str(publish(trigger=trigger).id)}})
    assert references.label_names(references.labels(definition)) == ["hiv"]


def test_the_sentence_names_workflow_and_step(series: Workflow) -> None:
    tree = {"journey": {"workflow": str(series.id), "step": "clicked", "within_days": 7}}
    said = in_words(parse(tree))
    assert said == "People whose journey is in step “clicked” of “Series” in the last 7 days"


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ({}, "$.journey.workflow"),
        ({"workflow": str(uuid4()), "is": "lost"}, "$.journey.is"),
        ({"workflow": str(uuid4()), "until": 3}, "$.journey.until"),
        ("series", "$.journey"),
    ],
)
def test_a_mistake_names_its_place(tree: Any, path: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse({"journey": tree})
    assert [problem.path for problem in refused.value.problems] == [path]
