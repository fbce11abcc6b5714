"""What lets people in, carries them to a goal, or ends their way. Commits are real here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Organisation
from contacts import events
from contacts.events import NewEvent
from contacts.importing.store import store
from contacts.records import Change
from tests.conftest import NOON
from tests.workflows.test_steps_in_depth import DAY, LONG, Draw, ada, draw, go, places
from workflows import runner, triggers
from workflows.models import Enrolment, Move, Workflow

__all__ = ["ada", "draw"]
pytestmark = pytest.mark.usefixtures("committed_db")


def heard(
    contact: int, kind: str, *, at: datetime = NOON, now: datetime | None = None, **says: Any
) -> None:
    one = NewEvent(contact_id=contact, kind=kind, occurred_at=at, properties=says or None)
    events.append([one], now=now or at)


def goal(then: str, **more: Any) -> dict[str, Any]:
    return {"id": "booked", "kind": "goal", "event": "appointment.booked", "then": then, **more}


def test_a_goal_ends_the_way_from_anywhere(draw: Draw, ada: int) -> None:
    go(draw(LONG, goal("exit")), ada)
    heard(ada, "appointment.booked", at=NOON + DAY)
    triggers.run_once(now=NOON + DAY)
    runner.run_once(now=NOON + DAY)
    assert places() == ["goal:booked"] and Enrolment.objects.get().state == "done"


def test_a_goal_jumps(draw: Draw, ada: int) -> None:
    thank = {"id": "thank", "kind": "wait", "for": {"days": 2}, "next": "end"}
    go(draw(LONG, goal("jump", next="thank"), thank), ada)
    heard(ada, "appointment.booked", at=NOON + DAY)
    triggers.run_once(now=NOON + DAY)
    runner.run_once(now=NOON + DAY)
    assert places() == ["thank"]


def test_a_goal_that_counts_moves_nobody_and_counts_once(draw: Draw, ada: int) -> None:
    go(draw(LONG, goal("count")), ada)
    for day in (1, 2):
        heard(ada, "appointment.booked", at=NOON + day * DAY)
        triggers.run_once(now=NOON + day * DAY)
        runner.run_once(now=NOON + day * DAY)
    assert places() == ["long"]
    assert list(Move.objects.values_list("node", "way")) == [("booked", "reached")]
    runner.run_once(now=NOON + 30 * DAY)
    assert places() == ["finished"]


def test_what_happened_before_the_entry_reaches_no_goal(draw: Draw, ada: int) -> None:
    go(draw(LONG, goal("exit")), ada)
    heard(ada, "appointment.booked", at=NOON - DAY, now=NOON + DAY)
    triggers.run_once(now=NOON + DAY)
    runner.run_once(now=NOON + DAY)
    assert places() == ["long"]


def test_a_stop_ends_the_way(draw: Draw, ada: int) -> None:
    go(draw(LONG, trigger={"kind": "api", "stops": ["consent.opted_out"]}), ada)
    heard(ada, "consent.opted_out", at=NOON + DAY)
    triggers.run_once(now=NOON + DAY)
    assert places() == ["stopped:consent.opted_out"]


APPOINTMENT = {"kind": "event", "event": "appointment.booked", "key": "ref", "date": "begins",
               "moved": ["appointment.moved"]}  # fmt: skip
REMIND = {"id": "remind", "kind": "until", "object": True, "before": {"days": 1}, "at": "09:00",
          "next": "end", "late": "end"}  # fmt: skip
CANCELLED = {"id": "off", "kind": "goal", "event": "appointment.cancelled", "then": "exit"}


def dues(workflow: Workflow) -> list[str]:
    zone = ZoneInfo(Organisation.objects.get(id=workflow.organisation_id).timezone)
    rows = Enrolment.objects.filter(state="waiting").order_by("due_at")
    return [f"{one.due_at.astimezone(zone):%m-%d %H:%M}" for one in rows if one.due_at]


def test_each_appointment_has_its_own_way_and_timer(draw: Draw, ada: int) -> None:
    """HD-09: two at once, one moved over a clock change, one cancelled."""
    workflow = draw(REMIND, CANCELLED, trigger=APPOINTMENT)
    year = NOON.year + 1
    heard(ada, "appointment.booked", ref="A1", begins=f"{year}-03-10T15:00:00")
    heard(ada, "appointment.booked", ref="A2", begins=f"{year}-03-20T15:00:00")
    triggers.run_once(now=NOON)
    runner.run_once(now=NOON)
    assert dues(workflow) == ["03-09 09:00", "03-19 09:00"]
    heard(ada, "appointment.moved", at=NOON + DAY, ref="A1", begins=f"{year}-04-02T15:00:00")
    heard(ada, "appointment.cancelled", at=NOON + DAY, ref="A2")
    triggers.run_once(now=NOON + DAY)
    runner.run_once(now=NOON + DAY)
    assert dues(workflow) == ["04-01 09:00"]
    assert sorted(places()) == ["goal:off", "remind"]


def test_a_late_word_of_an_appointment_does_not_move_it_back(draw: Draw, ada: int) -> None:
    """HD-09"""
    workflow = draw(REMIND, trigger=APPOINTMENT)
    year = NOON.year + 1
    heard(ada, "appointment.booked", ref="A1", begins=f"{year}-05-10T15:00:00")
    heard(ada, "appointment.moved", at=NOON + DAY, ref="A1", begins=f"{year}-05-12T15:00:00")
    triggers.run_once(now=NOON + DAY)
    late = NOON + timedelta(hours=1)
    heard(ada, "appointment.moved", at=late, now=NOON + 2 * DAY, ref="A1",
          begins=f"{year}-05-11T15:00:00")  # fmt: skip
    triggers.run_once(now=NOON + 2 * DAY)
    runner.run_once(now=NOON + 2 * DAY)
    assert dues(workflow) == ["05-11 09:00"]


def test_the_cancellation_of_an_unnamed_appointment_ends_none(draw: Draw, ada: int) -> None:
    workflow = draw(REMIND, CANCELLED, trigger=APPOINTMENT)
    heard(ada, "appointment.booked", ref="A1", begins=f"{NOON.year + 1}-05-10T15:00:00")
    heard(ada, "appointment.cancelled")
    triggers.run_once(now=NOON)
    runner.run_once(now=NOON)
    assert dues(workflow) == ["05-09 09:00"]


def test_the_key_of_an_object_is_not_kept_in_the_clear(draw: Draw, ada: int) -> None:
    draw(REMIND, trigger=APPOINTMENT)
    heard(ada, "appointment.booked", ref="VISIT-77", begins=f"{NOON.year + 1}-05-10T15:00:00")
    triggers.run_once(now=NOON)
    assert "VISIT" not in Enrolment.objects.get().occurrence


def test_only_an_event_that_says_so_lets_in(draw: Draw, ada: int) -> None:
    """CA-08, CA-11"""
    where = [{"property": "vaccine", "op": "equals", "value": "flu"}]
    draw(LONG, trigger={"kind": "event", "event": "order.placed", "where": where})
    heard(ada, "order.placed", vaccine="other")
    triggers.run_once(now=NOON)
    assert places() == []
    heard(ada, "order.placed", vaccine="flu")
    triggers.run_once(now=NOON)
    assert places() == ["long"]


@pytest.mark.parametrize(
    ("again", "days", "entries"),
    [(None, 40, 1), ("after_leaving", 2, 1), ("after_leaving", 40, 2), ({"days": 60}, 40, 1),
     ({"days": 20}, 40, 2), ("each", 2, 2)],
)  # fmt: skip
def test_when_a_person_comes_in_again(
    draw: Draw, ada: int, again: object, days: int, entries: int
) -> None:
    trigger = {"kind": "event", "event": "order.placed"} | ({"again": again} if again else {})
    draw(LONG, trigger=trigger)
    for day in (0, days):
        now = NOON + day * DAY
        runner.run_once(now=now)
        heard(ada, "order.placed", at=now)
        triggers.run_once(now=now)
        runner.run_once(now=now)
    assert Enrolment.objects.count() == entries


def test_an_appointment_from_the_record_system_is_followed(draw: Draw, ada: int) -> None:
    """HD-09, CA-12: as FHIR and files bring it, moved under the same reference."""
    workflow = draw(REMIND, CANCELLED, trigger=APPOINTMENT)
    year = NOON.year + 1
    for day, status in (("10", "booked"), ("12", "booked")):
        item = {"ref": "Appointment/9", "status": status, "at": f"{year}-05-{day}T19:00:00Z"}
        change = Change(source="ehr", record_number="ada", values={"appointments": [item]})
        store([change], now=NOON + DAY)
        triggers.run_once(now=NOON + DAY)
        runner.run_once(now=NOON + DAY)
    assert dues(workflow) == ["05-11 09:00"]
    off = {"ref": "Appointment/9", "status": "cancelled", "at": f"{year}-05-12T19:00:00Z"}
    store(
        [Change(source="ehr", record_number="ada", values={"appointments": [off]})], now=NOON + DAY
    )
    triggers.run_once(now=NOON + DAY)
    runner.run_once(now=NOON + DAY)
    assert places() == ["goal:off"]
