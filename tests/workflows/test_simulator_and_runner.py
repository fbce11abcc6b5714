"""The same people, the same answers, the same clock: simulated and live, every trace is the same.

Hypothesis draws a legal graph, people and what they will do. The workflow is published and first
simulated; then each event of the simulation really happens, at its moment, to the same people
behind the live runner. Long form: `pytest tests/workflows -m full`.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from consent import ledger
from contacts import events
from contacts.events import NewEvent
from contacts.models import Contact
from messaging.models import Message, Template
from tests.conftest import NOON
from tests.workflows.conftest import people, sign
from tests.workflows.graphs import once_only
from workflows import enrol, publishing, runner, triggers
from workflows.models import Enrolment, Move, Workflow
from workflows.simulate import keeping, plan, trying
from workflows.simulate.course import SENT, Course
from workflows.simulate.people import Person

DAY = timedelta(days=1)
DAYS = 40
"""From 2 March on: the clocks of Boston go forward on the 8th."""
WOMAN = {"field": "gender", "op": "equals", "value": "female"}
SPANISH = {"field": "language", "op": "equals", "value": "es"}
PLACED = {"event": "order.placed", "within_days": 3}
PLACES: tuple[dict[str, str], ...] = (
    {}, {"time_zone": "Pacific/Auckland"}, {"state": "HI"}, {"state": "TX"}
)  # fmt: skip
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes a second: what fails is told as it was drawn."""
_numbers = itertools.count(1)

KINDS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "send": ({}, ("next", "refused")),
    "wait": ({"for": {"days": 2}}, ("next",)),
    "morning": ({"kind": "until", "at": "02:30"}, ("next",)),
    "window": (
        {"kind": "until", "from": "22:00", "to": "06:00", "weekdays": ["sun", "wed"]}, ("next",)
    ),
    "born": ({"kind": "until", "field": "birth_date", "after": {"days": 5}}, ("next", "late")),
    "wait_for": ({"event": "order.placed", "up_to": {"days": 3}}, ("heard", "unheard")),
    "hold": ({"kind": "wait_for", "if": PLACED, "up_to": {"hours": 3}}, ("heard", "unheard")),
    "branch": ({"if": WOMAN}, ("yes", "no")),
    "choose": ({"if1": SPANISH, "if2": PLACED}, ("then1", "then2", "other")),
    "split": ({"weight1": 1, "weight2": 2}, ("arm1", "arm2")),
    "task": ({"title": "Call", "due": {"days": 2}}, ("done", "failed", "overdue")),
    "update": ({"set": {"language": "es"}}, ("next",)),
    "clicked": ({"kind": "branch"}, ("yes", "no")),
}  # fmt: skip


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    """A legal graph: every way leads to a later step, each step is reached, goals thrown in."""
    size = draw(st.integers(2, 8))
    nodes: list[dict[str, Any]] = []
    for at in range(size):
        sends = [node["id"] for node in nodes if node["kind"] == "send"]
        kind = draw(st.sampled_from(sorted(KINDS if sends else set(KINDS) - {"clicked"})))
        fields, ways = KINDS[kind]
        ahead = [at + 1, *(draw(st.integers(at + 1, size)) for _ in ways[1:])]
        leads = {way: f"s{to}" for way, to in zip(ways, ahead, strict=True)}
        if kind == "clicked":
            fields = fields | {"if": {"event": "message.clicked", "of": sends[-1]}}
        # The first way leads on to the very next step, so what was sent lies on a way there.
        nodes.append({"id": f"s{at}", "kind": kind} | fields | leads)
    nodes.append({"id": f"s{size}", "kind": "exit"})
    for number in range(draw(st.integers(0, 2))):
        then = draw(st.sampled_from(["exit", "jump", "count"]))
        lead = {"next": f"s{draw(st.integers(0, size))}"} if then == "jump" else {}
        goal = {"id": f"g{number}", "kind": "goal", "event": "survey.done", "then": then}
        nodes.append(goal | lead)
    stops = draw(st.sampled_from([{}, {"stops": ["plan.ended"]}]))
    return {"trigger": {"kind": "api", **stops}, "start": "s0", "nodes": nodes}


@st.composite
def behaviours(draw: st.DrawFn) -> dict[str, Any]:
    kinds = st.sampled_from(["order.placed", "survey.done", "plan.ended", "consent.revoked"])
    acts = st.fixed_dictionaries(
        {
            "event": kinds,
            "share": st.sampled_from([0.3, 0.7, 1.0]),
            "within": st.sampled_from([{"hours": 5}, {"days": 8}]),
        }
    )
    return {
        "seed": draw(st.integers(0, 1_000)),
        "events": draw(st.lists(acts, max_size=4)),
        "reaction": {"opens": 0.8, "clicks": draw(st.sampled_from([0.0, 0.6]))},
        "until": draw(st.lists(st.integers(0, 20), min_size=4, max_size=4)),
    }


class House:
    """A clinic in which one drawn journey after the other is simulated and then lived."""

    def __init__(self, mails: dict[str, Template]) -> None:
        self.template = str(mails["educate"].id)

    def publish(self, draft: dict[str, Any]) -> Workflow:
        nodes = [
            node | ({"template": self.template} if node["kind"] == "send" else {})
            for node in draft["nodes"]
        ]
        slug = f"drawn-{next(_numbers)}"
        made = publishing.create(
            "Drawn", slug=slug, draft=once_only(draft | {"nodes": nodes}), now=NOON
        )
        publishing.publish(made.id, now=NOON)
        return Workflow.objects.select_related("live").get(id=made.id)

    def admit(self, until: list[int]) -> list[int]:
        """Four people by four clocks, two of them women; each signed for so many days."""
        found = []
        for at, days in enumerate(until):
            gender = "female" if at % 2 else "male"
            born, place = f"19{60 + at}-04-05", PLACES[at % len(PLACES)]
            (one,) = people(f"d{next(_numbers)}", gender=gender, birth_date=born, **place)
            if days:
                sign([one], until=(NOON + days * DAY).date())
            found.append(one)
        return found

    def simulate(self, workflow: Workflow, ids: list[int], does: dict[str, Any]) -> Course:
        public = dict(Contact.objects.filter(id__in=ids).values_list("id", "public_id"))
        assert workflow.live is not None
        tried = trying.of_version(workflow.live)
        sends = [node for node, step in tried.graph.steps.items() if node in tried.templates]
        raw = {
            "people": {"kind": "contacts", "contacts": [str(public[one]) for one in ids]},
            "starts_at": NOON.isoformat(),
            "days": DAYS,
            "seed": does["seed"],
            "events": does["events"],
            "messages": dict.fromkeys(sends, does["reaction"]),
            "tasks": {node: {"done": 0.0} for node in tried.graph.steps},
        }
        course = keeping.course_of(tried, plan.read(raw, now=NOON), now=NOON)
        for _ in course.run():
            pass
        return course

    def live(self, workflow: Workflow, course: Course) -> None:
        """Let happen what happened there, each at its moment, and run when somebody is due."""
        enrol.enrol(workflow.id, [one.contact_id for one in course.people], now=NOON)
        happened = sorted(
            (
                (did.at, person.number, at, did, person)
                for person in course.people
                for at, did in enumerate(person.did)
                if did.event != SENT
            ),
            key=lambda one: one[:3],
        )
        self._turns(NOON)
        while True:
            due = self._due(workflow)
            moments = [one[0] for one in happened[:1]] + ([due] if due else [])
            now = min(moments, default=course.plan.ends_at + DAY)
            if now > course.plan.ends_at:
                return
            while happened and happened[0][0] == now:
                *_, did, person = happened.pop(0)
                self._happen(workflow, person, did.event, did.of, now)
            triggers.run_once(now=now)
            self._turns(now)

    def _happen(
        self, workflow: Workflow, person: Person, kind: str, of: str, now: datetime
    ) -> None:
        if kind == "consent.revoked":
            ledger.revoke_all(person.contact_id, received_by="phone", now=now)
            return
        sent = Message.objects.filter(source=workflow.id, contact_id=person.contact_id, step=of)
        about = sent.values_list("id", flat=True).get() if of else None
        one = NewEvent(contact_id=person.contact_id, kind=kind, occurred_at=now, message_id=about)
        events.append([one], now=now)

    def _due(self, workflow: Workflow) -> datetime | None:
        waiting = Enrolment.objects.filter(workflow_id=workflow.id, state="waiting")
        return waiting.order_by("due_at").values_list("due_at", flat=True).first()

    def _turns(self, now: datetime) -> None:
        while runner.run_once(now=now).claimed:
            pass


def simulated(person: Person) -> dict[str, Any]:
    return {
        "moves": [(one.node, one.way, one.arrived_at, one.left_at) for one in person.passed],
        "outcome": person.outcome,
        "ended": person.ended_at,
        "at": person.place.node,
        "refused": {one.node for one in person.passed if one.way == "refused"},
    }


def lived(workflow: Workflow, contact_id: int) -> dict[str, Any]:
    one = Enrolment.objects.get(workflow_id=workflow.id, contact_id=contact_id)
    moves = {move.node: move for move in Move.objects.filter(enrolment_id=one.id)}
    assert len(moves) == len(one.path) == len(set(one.path))  # no step twice
    assert (one.state == "waiting") == (one.due_at is not None) == (one.ended_at is None)
    refused = Message.objects.filter(source=workflow.id, contact_id=contact_id, state="refused")
    return {
        "moves": [
            (node, moves[node].way, moves[node].arrived_at, moves[node].left_at)
            for node in one.path
        ],
        "outcome": one.outcome,
        "ended": one.ended_at,
        "at": one.node,
        "refused": set(refused.values_list("step", flat=True)),
    }


def the_same(house: House, draft: dict[str, Any], does: dict[str, Any]) -> None:
    workflow, ids = house.publish(draft), house.admit(does["until"])
    course = house.simulate(workflow, ids, does)
    house.live(workflow, course)
    for person in course.people:
        assert lived(workflow, person.contact_id) == simulated(person)


@pytest.fixture
def house(committed_db: object, at_harbor: Organisation, mails: dict[str, Template]) -> House:
    return House(mails)


def test_the_simulator_and_the_live_runner_leave_the_same_traces(house: House) -> None:
    """CA-15, CA-16, pain 19"""

    @settings(max_examples=12, derandomize=True, deadline=None, phases=WITHOUT_SHRINKING)
    @given(drafts(), behaviours())
    def every(draft: dict[str, Any], does: dict[str, Any]) -> None:
        the_same(house, draft, does)

    every()


@pytest.mark.full
def test_the_simulator_and_the_live_runner_leave_the_same_traces_in_the_long_run(
    house: House,
) -> None:
    @settings(max_examples=300, deadline=None, phases=WITHOUT_SHRINKING)
    @given(drafts(), behaviours())
    def every(draft: dict[str, Any], does: dict[str, Any]) -> None:
        the_same(house, draft, does)

    every()
