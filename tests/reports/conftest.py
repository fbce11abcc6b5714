"""The education series with a hold-out and a goal, and people who went through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts import events
from contacts.codes import ICD10
from contacts.events import NewEvent
from marketing.reports.cohort import Cohort
from messaging.models import Message, Template
from tests.conftest import NOON
from tests.workflows.conftest import mails, people, publish, sign
from workflows import enrol, publishing, runner
from workflows.models import Workflow

__all__ = ["mails", "publish"]
LATER = NOON + timedelta(days=1)


def graph(template: Template) -> dict[str, Any]:
    return {
        "trigger": {"kind": "api"},
        "start": "lot",
        "nodes": [
            {"id": "lot", "kind": "split", "weight1": 50, "arm1": "educate", "weight2": 50,
             "arm2": "end", "hold_out": "arm2"},
            {"id": "educate", "kind": "send", "template": str(template.id), "next": "rest"},
            {"id": "rest", "kind": "wait", "for": {"days": 3}, "next": "end"},
            {"id": "booked", "kind": "goal", "event": "appointment.booked", "then": "exit"},
            {"id": "end", "kind": "exit"},
        ],
    }  # fmt: skip


def turn_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let people draw the two halves in turn, so that no test waits for luck."""
    monkeypatch.setattr("workflows.lots.drawn", lambda _flow, _node, who, _time: who % 2 / 2)


@pytest.fixture
def trial(mails: dict[str, Template], monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """Half by lot get the mail, the others nothing; who books leaves."""
    turn_about(monkeypatch)
    made = publishing.create("Trial", slug="trial", draft=graph(mails["educate"]), now=NOON)
    publishing.publish(made.id, now=NOON)
    return Workflow.objects.select_related("live").get(id=made.id)


@pytest.fixture
def clinical_trial(mails: dict[str, Template], monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """The same, but to be in it says a condition: everybody is asked for one on the way."""
    turn_about(monkeypatch)
    asked = {"field": "conditions", "op": "has_code", "system": ICD10, "codes": ["E11.9"]}
    raw = graph(mails["educate"])
    raw["nodes"].append({"id": "ask", "kind": "branch", "if": asked, "yes": "lot", "no": "lot"})
    made = publishing.create("Trial", slug="ill", draft=raw | {"start": "ask"}, now=NOON)
    publishing.publish(made.id, now=NOON)
    return Workflow.objects.select_related("live").get(id=made.id)


Enter = Callable[[int], list[int]]


@pytest.fixture
def enter(trial: Workflow) -> Enter:
    """Let so many authorised people in, and take their first steps."""
    return lambda many: let_in(trial, many)


def let_in(workflow: Workflow, many: int) -> list[int]:
    made = people(*(f"p{number}" for number in range(many)), gender="female")
    sign(made)
    enrol.enrol(workflow.id, made, now=NOON)
    runner.run_once(now=NOON)
    return made


def cohort(workflow: Workflow, **more: Any) -> Cohort:
    assert workflow.live is not None
    return Cohort(workflow.live, **more)


def send_all() -> list[Message]:
    """Say of every queued message that it went out."""
    Message.objects.filter(state="queued").update(state="sent", sent_at=NOON)
    return list(Message.objects.select_related("version").order_by("id"))


def did(message: Message, kind: str, *, at: datetime = LATER, **more: Any) -> None:
    one = NewEvent(
        contact_id=message.contact_id,
        kind=f"message.{kind}",
        occurred_at=at,
        message_id=message.pk,
        campaign=message.version.template_id,
        **more,
    )
    events.append([one], now=at)


def booked(contacts: Sequence[int], *, at: datetime = LATER) -> None:
    made = [NewEvent(contact_id=one, kind="appointment.booked", occurred_at=at) for one in contacts]
    events.append(made, now=at)
