"""Waiting for dates, choosing, splitting, asking staff, and who may come in: rows in, rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Organisation
from tests.conftest import NOON
from tests.workflows.conftest import people
from workflows import enrol, publishing, runner, staff_tasks, triggers
from workflows.models import Enrolment, Move, StaffTask, Workflow
from workflows.problems import GraphInvalid

DAY = timedelta(days=1)
END = {"id": "end", "kind": "exit"}
Draw = Callable[..., Workflow]


@pytest.fixture
def draw(at_harbor: Organisation) -> Draw:
    def drawn(*nodes: dict[str, Any], trigger: object = None) -> Workflow:
        draft = {"trigger": trigger or {"kind": "api"}, "start": nodes[0]["id"]}
        made = publishing.create("W", slug="w", draft=draft | {"nodes": [*nodes, END]}, now=NOON)
        publishing.publish(made.id, now=NOON)
        return Workflow.objects.get(id=made.id)

    return drawn


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    return people("ada", gender="female")[0]


def go(workflow: Workflow, *contacts: int, now: datetime = NOON) -> None:
    enrol.enrol(workflow.id, contacts, now=now)
    runner.run_once(now=now)


def places() -> list[str]:
    rows = Enrolment.objects.order_by("id")
    return [one.node if one.state == "waiting" else one.outcome for one in rows]


def wait(node: str, **more: Any) -> dict[str, Any]:
    return {"id": node, "kind": "until", "next": "end", **more}


def test_a_person_waits_for_the_time_of_day(draw: Draw, ada: int) -> None:
    """CA-05"""
    workflow = draw(wait("morning", at="09:00"))
    go(workflow, ada)
    due = Enrolment.objects.get().due_at
    zone = ZoneInfo(Organisation.objects.get(id=workflow.organisation_id).timezone)
    assert due is not None and f"{due.astimezone(zone):%H:%M}" == "09:00"
    runner.run_once(now=due)
    assert places() == ["finished"]


def test_who_has_no_date_goes_the_way_for_it_or_leaves(draw: Draw, ada: int) -> None:
    go(draw(wait("visit", field="last_visit", after={"days": 90})), ada)
    assert places() == ["no_date"]


def test_a_case_is_asked_after_the_other(draw: Draw, ada: int) -> None:
    """CA-07"""
    (man, other) = (*people("m", gender="male"), *people("o", gender="other"))
    asked = {f"if{n}": {"field": "gender", "op": "equals", "value": value} for n, value in
             ((1, "female"), (2, "male"))}  # fmt: skip
    ways = {"then1": "w1", "then2": "w2", "other": "w3"}
    waits = [{"id": f"w{n}", "kind": "wait", "for": {"days": 1}, "next": "end"} for n in (1, 2, 3)]
    go(draw({"id": "which", "kind": "choose", **asked, **ways}, *waits), ada, man, other)
    assert places() == ["w1", "w2", "w3"]


def test_a_split_keeps_its_proportions_and_each_their_lot(draw: Draw) -> None:
    many = people(*(f"p{n}" for n in range(400)))
    arms = {"weight1": 3, "arm1": "a", "weight2": 1, "arm2": "b", "hold_out": "arm2"}
    waits = [{"id": name, "kind": "wait", "for": {"days": 1}, "next": "end"} for name in "ab"]
    workflow = draw({"id": "lot", "kind": "split", **arms}, *waits)
    go(workflow, *many)
    counted = Counter(places())
    assert 250 < counted["a"] < 350 and sum(counted.values()) == 400
    before = dict(Enrolment.objects.values_list("contact_id", "node"))
    Enrolment.objects.all().delete()
    go(workflow, *many)
    assert dict(Enrolment.objects.values_list("contact_id", "node")) == before


LONG = {"id": "long", "kind": "wait", "for": {"days": 30}, "next": "end"}


ASK = {"id": "call", "kind": "task", "title": "Call", "due": {"days": 2}, "done": "end",
       "failed": "again", "overdue": "end"}  # fmt: skip
AGAIN = {"id": "again", "kind": "wait", "for": {"days": 9}, "next": "end"}


def test_what_staff_say_of_a_task_decides_the_way(draw: Draw, ada: int) -> None:
    go(draw(ASK, AGAIN), ada)
    task = StaffTask.objects.get()
    assert staff_tasks.end(task.id, outcome="failed", now=NOON + DAY)
    assert not staff_tasks.end(task.id, outcome="done", now=NOON + DAY)
    runner.run_once(now=NOON + DAY)
    assert places() == ["again"]


def test_a_task_that_nobody_did_in_time_is_over(draw: Draw, ada: int) -> None:
    go(draw(ASK, AGAIN), ada)
    runner.run_once(now=NOON + 2 * DAY)
    assert places() == ["finished"] and StaffTask.objects.get().state == "overdue"
    assert list(Move.objects.values_list("way", flat=True)) == ["overdue"]


def test_who_is_excluded_leaves_before_the_first_step(draw: Draw, ada: int, women: str) -> None:
    (man,) = people("m", gender="male")
    go(draw(LONG, trigger={"kind": "api", "never": women}), ada, man)
    assert places() == ["kept_out", "long"]


def test_more_than_the_hour_takes_wait_for_the_next(draw: Draw) -> None:
    many = people(*(f"p{n}" for n in range(5)))
    workflow = draw(LONG, trigger={"kind": "api", "per_hour": 2})
    go(workflow, *many)
    hours = sorted(
        (one.entered_at - NOON).total_seconds() // 3600 for one in Enrolment.objects.all()
    )
    assert hours == [0, 0, 1, 1, 2]
    assert enrol.overflow(workflow.id, now=NOON) == 3
    assert Move.objects.count() == 0
    assert runner.run_once(now=NOON + timedelta(hours=1)).claimed == 2


def test_a_condition_is_waited_for(draw: Draw, ada: int, women: str) -> None:
    waits = {"id": "w", "kind": "wait_for", "if": {"segment": women}, "up_to": {"days": 3},
             "heard": "end", "unheard": "long"}  # fmt: skip
    (man,) = people("m", gender="male")
    go(draw(waits, LONG), ada, man)
    assert places() == ["finished", "w"]
    runner.run_once(now=NOON + 3 * DAY)
    assert places() == ["finished", "long"]


@pytest.mark.parametrize(
    "node",
    [
        {"id": "x", "kind": "until", "next": "end"},
        {"id": "x", "kind": "until", "next": "end", "at": "25:00"},
        {"id": "x", "kind": "until", "next": "end", "object": True},
        {"id": "x", "kind": "until", "next": "end", "before": {"days": 1}, "at": "09:00"},
        {"id": "x", "kind": "split", "weight1": 0, "arm1": "end", "weight2": 1, "arm2": "end"},
        {"id": "x", "kind": "choose", "other": "end"},
        {"id": "x", "kind": "task", "title": "", "due": {"days": 1}, "done": "end",
         "failed": "end", "overdue": "end"},
        {"id": "x", "kind": "goal", "event": "a.b", "then": "fly"},
        {"id": "x", "kind": "until", "next": "end", "field": "given_name"},
    ],
)  # fmt: skip
def test_a_step_that_makes_no_sense_does_not_go_live(draw: Draw, node: dict[str, Any]) -> None:
    with pytest.raises(GraphInvalid):
        draw(node)


def test_a_schedule_lets_the_segment_in_at_its_time(draw: Draw, ada: int, women: str) -> None:
    """CA-09: every day at nine of the organisation's clock; what was missed comes once."""
    first = f"{NOON - 9 * DAY:%Y-%m-%d}T09:00"
    trigger = {"kind": "schedule", "segment": women, "first": first, "rule": "FREQ=DAILY"}
    workflow = draw(LONG, trigger=trigger | {"again": "each"})
    due = workflow.comes_at
    zone = ZoneInfo(Organisation.objects.get(id=workflow.organisation_id).timezone)
    assert due is not None and f"{due.astimezone(zone):%H:%M}" == "09:00"
    assert [triggers.run_once(now=due - DAY).entered, triggers.run_once(now=due).entered] == [0, 1]
    assert triggers.run_once(now=due).entered == 0
    assert triggers.run_once(now=due + 3 * DAY).entered == 1
    assert Workflow.objects.get().comes_at == due + 4 * DAY


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=HOURLY;COUNT=3", "weekly", "", None])
def test_a_rule_that_cannot_be_used_does_not_go_live(draw: Draw, women: str, rule: object) -> None:
    trigger = {"kind": "schedule", "segment": women, "first": "2027-01-01T09:00", "rule": rule}
    with pytest.raises(GraphInvalid):
        draw(LONG, trigger=trigger)
