"""Pain 20: every kind of step after every other, by every entry, compiles, simulates and runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Organisation
from contacts import events, lists
from contacts.models import ContactList
from messaging.models import Template
from tests.conftest import NOON
from tests.workflows.conftest import people, sign
from tests.workflows.webhooks.conftest import Made, Receiver, endpoint, receiver
from workflows import enrol, publishing, runner, triggers
from workflows.models import Enrolment, Workflow
from workflows.reading import KINDS
from workflows.simulate import keeping
from workflows.steps import WAYS
from workflows.webhooks import delivering
from workflows.webhooks.addresses import Policy

__all__ = ["endpoint", "receiver"]
pytestmark = pytest.mark.usefixtures("committed_db")
DAY = timedelta(days=1)
HERE = delivering.through(Policy(private=("127.0.0.1",)))
ASKED = {"field": "gender", "op": "equals", "value": "female"}
ENTRIES = ("api", "event", "keyed", "segment", "schedule", "date", "hand")
AHEAD = {
    "send": ("next", "refused"),
    "wait": ("next",),
    "until": ("next", "late"),
    "wait_for": ("heard", "unheard"),
    "branch": ("yes", "no"),
    "choose": ("then1", "other"),
    "split": ("arm1", "arm2"),
    "goal": ("next",),
    "task": ("done", "failed", "overdue"),
    "webhook": ("then1", "answered", "failed"),
    "write_back": ("next",),
    "update": ("next",),
    "list": ("next",),
    "exit": (),
}


PAIRS = [(first, second) for first in AHEAD for second in AHEAD]


class World:
    """Everything that steps and entries name."""

    def __init__(self, template: Template, endpoint: str, segment: str, kept: ContactList) -> None:
        self.of: dict[str, dict[str, Any]] = {
            "send": {"template": str(template.id)},
            "wait": {"for": {"hours": 5}},
            "until": {"at": "09:00", "weekdays": ["mon", "wed"]},
            "wait_for": {"event": "order.placed", "up_to": {"hours": 6}},
            "branch": {"if": ASKED},
            "choose": {"if1": ASKED},
            "split": {"weight1": 1, "weight2": 1},
            "goal": {"event": "order.paid", "then": "jump"},
            "task": {"title": "Call", "due": {"hours": 4}},
            "webhook": {"endpoint": endpoint, "up_to": {"hours": 4}, "reply1": {"status": 404}},
            "write_back": {"event": "outreach.completed"},
            "update": {"set": {"plan": "A"}},
            "list": {"add": str(kept.id)},
            "exit": {},
        }
        first = f"{NOON + DAY:%Y-%m-%d}T09:00"
        self.entries: dict[str, dict[str, Any]] = {
            "api": {"kind": "api"},
            "hand": {"kind": "api"},
            "event": {"kind": "event", "event": "visit.booked"},
            "keyed": {"kind": "event", "event": "visit.booked", "key": "ref", "date": "begins"},
            "segment": {"kind": "segment", "segment": segment, "present": True},
            "schedule": {"kind": "schedule", "segment": segment, "first": first,
                         "rule": "FREQ=DAILY"},
            "date": {"kind": "date", "field": "coverage_end", "at": "09:00"},
        }  # fmt: skip

    def step(self, node: str, kind: str, to: str) -> dict[str, Any]:
        return {"id": node, "kind": kind, **self.of[kind], **dict.fromkeys(AHEAD[kind], to)}

    def graph(self, first: str, second: str, entry: str) -> dict[str, Any]:
        """The one after the other, then the end. No way leads to a goal, so it stands beside."""
        a, b = self.step("a", first, "b"), self.step("b", second, "end")
        if second == "goal":
            a |= dict.fromkeys(AHEAD[first], "end")
        start = "a"
        if first == "goal":
            start = "end" if second == "goal" else "b"
        nodes = [a] if first == "exit" else [a, b, {"id": "end", "kind": "exit"}]
        return {"trigger": self.entries[entry], "start": start, "nodes": nodes}

    def publish(self, entry: str) -> dict[tuple[str, str], Workflow]:
        """Publish a workflow for each pair."""
        made = {}
        for first, second in PAIRS:
            draft = self.graph(first, second, entry)
            slug = f"{first}-{second}".replace("_", "-")
            workflow = publishing.create(slug, slug=slug, draft=draft, now=NOON)
            publishing.publish(workflow.id, now=NOON)
            made[first, second] = Workflow.objects.select_related("live").get(id=workflow.id)
        return made

    def bring(self, workflows: Iterable[Workflow], entry: str, ada: int) -> None:
        if entry in ("event", "keyed"):
            begins = (NOON + 3 * DAY).isoformat()
            said = {"ref": "V1", "begins": begins}
            told = events.NewEvent(
                contact_id=ada, kind="visit.booked", occurred_at=NOON, source="ehr", properties=said
            )
            events.append([told], now=NOON)
        elif entry in ("api", "hand"):
            for workflow in workflows:
                enrol.enrol(workflow.id, [ada], by=entry, now=NOON)


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    (one,) = people("ada", gender="female", coverage_end="2026-03-03")
    sign([one])
    return one


@pytest.fixture
def world(mails: dict[str, Template], endpoint: Made, women: str, at_harbor: Organisation) -> World:
    made = endpoint(classes=["identity", "coverage", "engagement", "demographic", "clinical"])
    return World(mails["educate"], str(made.pk), women, lists.create("Kept", now=NOON))


def test_every_kind_is_drawn() -> None:
    assert set(AHEAD) == set(KINDS)
    assert len(WAYS) == len(KINDS)


def test_every_pair_is_simulated_to_the_end(world: World) -> None:
    """Pain 20"""
    plan = {"people": {"kind": "synthetic", "count": 2}, "days": 9}
    for pair, workflow in world.publish("api").items():
        tried = keeping.start(workflow, plan, number=None, raw_promises=[], now=NOON)
        assert tried.result["inside"] == 0, (pair, tried.result["warnings"])


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_pair_is_lived_to_the_end(
    world: World, receiver: Receiver, ada: int, entry: str
) -> None:
    """CA-15, pain 20: published, entered, and gone through by the runner."""
    made = world.publish(entry)
    world.bring(made.values(), entry, ada)
    for hour in range(0, 24 * 5, 6):
        now = NOON + timedelta(hours=hour)
        triggers.run_once(now=now)
        runner.run_once(now=now)
        delivering.run_once(now=now, post=HERE, limit=500)
    for pair, workflow in made.items():
        rows = Enrolment.objects.filter(workflow_id=workflow.id, entered_at__lt=NOON + 2 * DAY)
        assert {one.state for one in rows} == {"done"}, (pair, [one.node for one in rows])
