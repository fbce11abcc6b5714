"""Two appointments of one person, told as an HL7 feed tells them, over a clock change (HD-09)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Organisation
from messaging.models import Message
from tests.api.conftest import Machine
from tests.conftest import NOON
from tests.workflows.conftest import mails, people, publish, sign
from workflows import publishing, runner, triggers
from workflows.models import Enrolment, Workflow

__all__ = ["mails", "publish"]
pytestmark = pytest.mark.usefixtures("committed_db")
YORK = ZoneInfo("America/New_York")


@pytest.fixture
def live(mails: dict[str, Any], at_harbor: Organisation) -> Workflow:
    """A reminder at nine two days before, another three hours before, and a word to who stayed
    away."""
    nodes: list[dict[str, Any]] = [
        {"id": "early", "kind": "until", "object": True, "before": {"days": 2}, "at": "09:00",
         "next": "remind"},
        {"id": "remind", "kind": "send", "template": str(mails["remind"].id), "next": "soon"},
        {"id": "soon", "kind": "until", "object": True, "before": {"hours": 3}, "next": "last"},
        {"id": "last", "kind": "send", "template": str(mails["invite"].id), "next": "after"},
        {"id": "after", "kind": "wait", "for": {"days": 3}, "next": "end"},
        {"id": "off", "kind": "goal", "event": "appointment.cancelled", "then": "exit"},
        {"id": "away", "kind": "goal", "event": "appointment.missed", "then": "jump",
         "next": "miss"},
        {"id": "miss", "kind": "send", "template": str(mails["educate"].id), "next": "end"},
        {"id": "end", "kind": "exit"},
    ]  # fmt: skip
    trigger = {"kind": "event", "event": "appointment.booked", "key": "ref", "date": "begins",
               "moved": ["appointment.moved"]}  # fmt: skip
    draft = {"trigger": trigger, "start": "early", "nodes": nodes}
    made = publishing.create("Appointments", slug="appointments", draft=draft, now=NOON)
    publishing.publish(made.id, now=NOON)
    return made


Tell = Callable[..., None]


@pytest.fixture
def tell(machine: Machine, live: Workflow) -> Tell:
    def told(kind: str, ref: str, *, at: datetime, begins: str = "", control: str = "") -> None:
        """Send what a feed makes of an SIU message; the control id names it for ever."""
        body = {
            "contact": {"source": "ehr", "record_number": "MRN-7"},
            "kind": f"appointment.{kind}",
            "occurred_at": at.isoformat(),
            "idempotency_key": control or f"{ref}-{kind}-{at:%d%H%M}",
            "properties": {"ref": ref} | ({"begins": begins} if begins else {}),
        }
        assert machine.post("events", body).status_code in (200, 201)

    return told


def live_until(end: datetime, *, start: datetime) -> None:
    """Take in what was told at `start`, then run at every moment at which somebody is due."""
    triggers.run_once(now=start)
    now = start
    while now <= end:
        runner.run_once(now=now)
        due = Enrolment.objects.filter(state="waiting", due_at__gt=now).order_by("due_at").first()
        if due is None or due.due_at is None:
            return
        now = due.due_at


def sent() -> dict[str, list[str]]:
    """Return the local minutes at which messages were asked for, by step."""
    found: dict[str, list[str]] = defaultdict(list)
    for step, at in Message.objects.order_by("created_at").values_list("step", "created_at"):
        found[step].append(f"{at.astimezone(YORK):%m-%d %H:%M}")
    return dict(found)


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.fixture
def patient(at_harbor: Organisation) -> int:
    (one,) = people("MRN-7")
    sign([one])
    return one


def test_one_is_moved_and_one_cancelled_over_a_clock_change(patient: int, tell: Tell) -> None:
    """HD-09, CA-12: clocks go forward on 8 March 2026; each has the right local minutes."""
    tell("booked", "A1", at=on(2), begins="2026-03-10T15:00:00-04:00")
    tell("booked", "A2", at=on(2), begins="2026-03-07T10:00:00-05:00")
    live_until(on(3), start=on(2))
    tell("moved", "A1", at=on(3), begins="2026-03-12T10:00:00-04:00")
    live_until(on(6), start=on(3))
    tell("cancelled", "A2", at=on(6))
    live_until(on(20), start=on(6))
    assert sent() == {
        "remind": ["03-05 09:00", "03-10 09:00"],
        "last": ["03-12 07:00"],
    }
    outcomes = set(Enrolment.objects.values_list("outcome", flat=True))
    assert outcomes == {"finished", "goal:off"}


def test_a_feed_that_repeats_itself_changes_nothing(patient: int, tell: Tell) -> None:
    for _ in range(2):
        tell("booked", "A1", at=on(2), begins="2026-03-10T15:00:00-04:00", control="SIU-1")
        live_until(on(3), start=on(2))
    live_until(on(20), start=on(3))
    assert sent() == {"remind": ["03-08 09:00"], "last": ["03-10 12:00"]}


def test_who_stayed_away_gets_another_word(patient: int, tell: Tell) -> None:
    """HD-09: noshow -> branch"""
    tell("booked", "A1", at=on(2), begins="2026-03-06T15:00:00-05:00")
    live_until(on(6, 22), start=on(2))
    tell("missed", "A1", at=on(6, 22))
    live_until(on(20), start=on(6, 22))
    assert sent()["miss"] == ["03-06 17:00"]
    assert Enrolment.objects.get().outcome == "finished"


def test_a_word_that_was_overtaken_moves_nothing_back(patient: int, tell: Tell) -> None:
    """The move of the 4th is heard before that of the 3rd: the later by its own time counts."""
    tell("booked", "A1", at=on(2), begins="2026-03-10T15:00:00-04:00")
    live_until(on(3), start=on(2))
    tell("moved", "A1", at=on(4), begins="2026-03-12T10:00:00-04:00")
    live_until(on(4, 13), start=on(4))
    tell("moved", "A1", at=on(3), begins="2026-03-11T10:00:00-04:00")
    live_until(on(20), start=on(4, 14))
    assert sent()["last"] == ["03-12 07:00"]
