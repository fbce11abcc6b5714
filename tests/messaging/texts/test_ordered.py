"""Texts that campaigns and workflows order, to phones behind a real gateway, and a STOP."""

from __future__ import annotations

from collections import Counter

import pytest

from accounts.models import Organisation
from audit.actor import acting_as
from contacts.segments import catalogue
from marketing.campaigns import launching, planning, running
from marketing.campaigns.models import Run
from marketing.campaigns.planning import Draft
from messaging.models import Message, TemplateVersion
from tests.campaigns.conftest import MARA, NORA
from tests.conftest import NOON
from tests.messaging.conftest import person
from tests.messaging.texts.conftest import ADA, DAY, NUMBER, Line, send, warned
from tests.workflows.conftest import WOMEN
from workflows import enrol, publishing, runner
from workflows.models import Enrolment, Workflow

EVE = "+16175550102"


@pytest.fixture
def phones(at_harbor: Organisation) -> list[int]:
    """Two women with phones who took the warning, one who did not, and one without a phone."""
    numbers = {"ada": "(617) 555-0101", "eve": "(617) 555-0102", "liz": "(617) 555-0103"}
    known = [person(one, gender="female", phone=phone) for one, phone in numbers.items()]
    for one in known[:2]:
        warned(one)
    return [*known, person("may", gender="female", email="may@example.org")]


def refused() -> Counter[str]:
    return Counter(Message.objects.exclude(refusal_code="").values_list("refusal_code", flat=True))


def launched(version: TemplateVersion) -> Run:
    segment = catalogue.save(name="Women", tree=WOMEN, now=NOON)
    draft = Draft(name="Visits", segment_id=segment.id, templates=[version.template_id])
    with acting_as(MARA):
        campaign = planning.create(draft, now=DAY)
        asked = planning.ask_approval(campaign.id, now=DAY)
    with acting_as(NORA):
        planning.decide(asked.id, approve=True, now=DAY)
    with acting_as(MARA):
        return launching.launch(campaign.id, now=DAY)


def test_a_campaign_reaches_the_phones_of_those_who_may_get_texts(
    carried: Line, reminder: TemplateVersion, phones: list[int]
) -> None:
    """CA-52: who took no warning about open texts, or has no phone, gets none and is told why."""
    run = launched(reminder)
    while running.run_once(now=DAY):
        pass
    send()
    running.run_once(now=DAY)
    texts = carried.phone.store.texts()
    assert {one.phone for one in texts} == {ADA, EVE}
    assert {one.other for one in texts} == {NUMBER}
    assert sum(refused().values()) == 2
    run.refresh_from_db()
    assert (run.state, run.percent) == ("done", 100)


def test_a_campaign_orders_no_text_twice(
    carried: Line, reminder: TemplateVersion, phones: list[int]
) -> None:
    launched(reminder)
    for _ in range(3):
        running.run_once(now=DAY)
        send()
    assert len(carried.phone.store.texts()) == 2


def test_a_step_of_a_workflow_sends_a_text_and_a_stop_ends_the_next(
    carried: Line, reminder: TemplateVersion, phones: list[int]
) -> None:
    """TC-02"""
    ada, eve, *_ = phones
    workflow = published(reminder)
    enrol.enrol(workflow.id, [ada, eve], now=DAY)
    runner.run_once(now=DAY)
    assert send().sent == 2
    assert set(carried.report()) == {204}
    carried.write("STOP", number=ADA)
    later = DAY.replace(day=DAY.day + 2)
    runner.run_once(now=later)
    assert send(now=later).sent == 1
    assert len(carried.words(EVE)) == 2
    states = Enrolment.objects.order_by("contact_id").values_list("state", flat=True)
    assert list(states) == ["stopped", "done"]


def published(version: TemplateVersion) -> Workflow:
    """Two texts, two days apart."""
    text = {"kind": "send", "template": str(version.template_id)}
    nodes = [
        {"id": "first", **text, "next": "pause"},
        {"id": "pause", "kind": "wait", "for": {"days": 2}, "next": "second"},
        {"id": "second", **text, "next": "end"},
        {"id": "end", "kind": "exit"},
    ]
    draft = {"trigger": {"kind": "api"}, "start": "first", "nodes": nodes}
    workflow = publishing.create("Visits", slug="visits", draft=draft, now=NOON)
    publishing.publish(workflow.id, now=NOON)
    return workflow
