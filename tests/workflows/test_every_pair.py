"""Pain 20: every kind of step after every other, by every entry, compiles, simulates and runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import Any
from uuid import UUID

import networkx
import pytest

from accounts.models import Organisation
from consent import completed
from consent.signing import designing
from contacts import events, lists
from contacts.models import ContactList
from messaging.models import Template
from messaging.outside import Hosts
from tests.conftest import NOON
from tests.workflows.conftest import people, sign
from tests.workflows.webhooks.conftest import Made, Receiver, endpoint, receiver
from workflows import enrol, publishing, runner, triggers
from workflows.models import Enrolment, Workflow
from workflows.reading import KINDS
from workflows.simulate import keeping
from workflows.steps import WAYS
from workflows.webhooks import delivering

__all__ = ["endpoint", "receiver"]
pytestmark = pytest.mark.usefixtures("committed_db")
DAY = timedelta(days=1)
HERE = delivering.through(Hosts(inside=frozenset({"127.0.0.1"})))
ASKED = {"field": "gender", "op": "equals", "value": "female"}
ENTRIES = ("api", "event", "keyed", "segment", "schedule", "date", "form", "hand")
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


AMONG = sorted(set(AHEAD) - {"goal", "exit"})
"""Kinds that lead on and are led to; a goal is jumped to, and an exit ends."""


def every_pair() -> list[str]:
    """Return kinds in a row in which each comes right after each, itself included, once."""
    drawn = networkx.complete_graph(AMONG, create_using=networkx.DiGraph)
    drawn.add_edges_from((kind, kind) for kind in AMONG)
    row = [before for before, _ in networkx.eulerian_circuit(drawn, source=AMONG[0])]
    return [*row, row[0]]


class World:
    """Everything that steps and entries name."""

    def __init__(self, template: Template, endpoint: str, segment: str, kept: ContactList) -> None:
        self.of: dict[str, dict[str, Any]] = {
            "send": {"template": str(template.id)},
            "wait": {"for": {"hours": 5}},
            "until": {"at": "09:00"},
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
            "form": {"kind": "form", "form": str(designing.create("Agreement", now=NOON).id)},
            "date": {"kind": "date", "field": "coverage_end", "at": "09:00"},
        }  # fmt: skip

    def step(self, node: str, kind: str, to: str) -> dict[str, Any]:
        return {"id": node, "kind": kind, **self.of[kind], **dict.fromkeys(AHEAD[kind], to)}

    def row(self, kinds: Sequence[str], entry: str) -> dict[str, Any]:
        """The kinds one after the other, whatever the answers; a goal that counts stands beside."""
        nodes = [self.step(f"s{at}", kind, f"s{at + 1}") for at, kind in enumerate(kinds)]
        nodes.append({"id": f"s{len(kinds)}", "kind": "exit"})
        nodes.append({"id": "paid", "kind": "goal", "event": "order.paid", "then": "count"})
        return {"trigger": self.entries[entry], "start": "s0", "nodes": nodes}

    def bring(self, workflow: Workflow, entry: str, ada: int) -> None:
        if entry in ("event", "keyed"):
            begins = (NOON + 3 * DAY).isoformat()
            said = {"ref": "V1", "begins": begins}
            told = events.NewEvent(
                contact_id=ada, kind="visit.booked", occurred_at=NOON, source="ehr", properties=said
            )
            events.append([told], now=NOON)
        elif entry == "form":
            completed.tell(ada, UUID(self.entries["form"]["form"]), now=NOON)
        elif entry in ("api", "hand"):
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


def publish(draft: dict[str, Any], slug: str) -> Workflow:
    made = publishing.create(slug, slug=slug, draft=draft, now=NOON)
    publishing.publish(made.id, now=NOON)
    return Workflow.objects.select_related("live").get(id=made.id)


def live_to_the_end(now: datetime = NOON) -> None:
    """Run at every moment at which somebody is due, and let endpoints answer."""
    for _ in range(2_000):
        triggers.run_once(now=now)
        while runner.run_once(now=now).claimed:
            pass
        if delivering.run_once(now=now, post=HERE):
            continue
        waiting = Enrolment.objects.filter(state="waiting")
        due = waiting.order_by("due_at").values_list("due_at", flat=True).first()
        comes = Workflow.objects.exclude(comes_at=None).values_list("comes_at", flat=True).first()
        if due is None and (comes is None or Enrolment.objects.exists()):
            return
        now = max(now, min(at for at in (due, comes) if at is not None))


def test_each_kind_stands_after_each() -> None:
    row = every_pair()
    assert set(pairwise(row)) == set(product(AMONG, AMONG))
    assert len(row) == len(AMONG) ** 2 + 1


def test_every_pair_is_simulated_to_the_end(world: World) -> None:
    """Pain 20"""
    workflow = publish(world.row(every_pair(), "api"), "row")
    plan = {"people": {"kind": "synthetic", "count": 20}, "days": 120}
    tried = keeping.start(workflow, plan, number=None, raw_promises=[], now=NOON)
    keeping.work(tried, now=NOON)
    assert tried.result["finished"] == 20, tried.result["warnings"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_pair_is_lived_to_the_end(
    world: World, receiver: Receiver, ada: int, entry: str
) -> None:
    """CA-15, pain 20: published, entered, and gone through step by step by the runner."""
    row = every_pair()
    world.bring(publish(world.row(row, entry), "row"), entry, ada)
    live_to_the_end()
    gone = Enrolment.objects.order_by("id").first()
    assert gone is not None
    assert (gone.outcome, gone.path) == ("finished", [f"s{at}" for at in range(len(row))])


def test_a_goal_jumps_to_each_kind_and_each_kind_leads_to_the_end(
    world: World, receiver: Receiver, ada: int
) -> None:
    """Pain 20"""
    for kind in AMONG:
        draft = world.row([kind], "api")
        draft["nodes"] += [
            {"id": "long", "kind": "wait", "for": {"days": 300}, "next": "s0"},
            {"id": "jump", "kind": "goal", "event": "order.shipped", "then": "jump", "next": "s0"},
        ]
        enrol.enrol(publish(draft | {"start": "long"}, kind).id, [ada], now=NOON)
    runner.run_once(now=NOON)
    shipped = events.NewEvent(contact_id=ada, kind="order.shipped", occurred_at=NOON)
    events.append([shipped], now=NOON)
    live_to_the_end()
    gone = Enrolment.objects.all()
    assert {one.outcome for one in gone} == {"finished"} and len(gone) == len(AMONG)
    assert all(one.path == ["long", "jump", "s0"] for one in gone)
