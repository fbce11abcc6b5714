"""Branches that ask by which way a message would reach somebody (EM-16)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Organisation
from messaging.protection import receivers
from tests.conftest import NOON
from tests.messaging.conftest import person, sign
from tests.messaging.protection.conftest import Country, country
from workflows import enrol, lint, publishing, runner
from workflows.graph import parse
from workflows.models import Enrolment, Move, Workflow
from workflows.problems import GraphInvalid

__all__ = ["country"]
ASKED = {"forecast": ["mail"], "purpose": "marketing", "classes": ["clinical"]}
END = {"id": "end", "kind": "exit"}


@pytest.fixture
def by_domain(settings: Any) -> None:
    settings.SMTP_ONWARD_TLS = "per_domain"


def draft(**step: Any) -> dict[str, Any]:
    first = {"id": "ask", "kind": "branch", "if": ASKED, "yes": "end", "no": "end"} | step
    return {"trigger": {"kind": "api"}, "start": "ask", "nodes": [first, END]}


def publish(raw: dict[str, Any]) -> Workflow:
    made = publishing.create("W", slug="w", draft=raw, now=NOON)
    publishing.publish(made.id, now=NOON)
    return Workflow.objects.get(id=made.id)


def ways() -> dict[str, str]:
    people = dict(Enrolment.objects.values_list("id", "contact_id"))
    rows = Move.objects.filter(node="ask").values_list("enrolment_id", "way")
    return {str(people[one]): way for one, way in rows}


def test_each_goes_the_way_that_a_message_would(
    by_domain: None, country: Country, at_harbor: Organisation
) -> None:
    safe, unsafe = (person(one, email=f"pat@{one}.example") for one in ("valid", "none"))
    never = person("never", email="never@valid.example")
    sign(safe, unsafe)
    workflow = publish(draft())
    enrol.enrol(workflow.id, [safe, unsafe, never], now=NOON)
    runner.run_once(now=NOON)
    assert ways() == {str(never): "no"}, "nobody looked the receivers up yet: they wait"
    receivers.run_once(world=country.world, now=NOON)
    runner.run_once(now=NOON + timedelta(hours=1))
    assert ways() == {str(safe): "yes", str(unsafe): "no", str(never): "no"}


def test_a_receiver_that_stays_unknown_is_answered_no_after_a_day(
    by_domain: None, at_harbor: Organisation
) -> None:
    lost = person("lost", email="pat@nowhere.example")
    sign(lost)
    workflow = publish(draft())
    enrol.enrol(workflow.id, [lost], now=NOON)
    runner.run_once(now=NOON)
    assert Enrolment.objects.get().state == "waiting"
    runner.run_once(now=NOON + timedelta(days=1, minutes=1))
    assert ways() == {str(lost): "no"}


def test_a_choice_asks_forecasts_in_order(at_harbor: Organisation) -> None:
    never = person("never", email="never@valid.example")
    blocked = {"forecast": ["blocked"], "purpose": "marketing"}
    step = {"kind": "choose", "if1": ASKED, "then1": "mailed", "if2": blocked, "then2": "end",
            "other": "end"}  # fmt: skip
    raw = draft() | {
        "nodes": [{"id": "ask", **step}, {"id": "mailed", "kind": "exit"}, END],
    }
    workflow = publish(raw)
    enrol.enrol(workflow.id, [never], now=NOON)
    runner.run_once(now=NOON)
    assert ways() == {str(never): "then2"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"forecast": [], "purpose": "marketing"}, "forecast is not usable"),
        ({"forecast": ["pigeon"], "purpose": "marketing"}, "forecast is not usable"),
        ({"forecast": ["mail"]}, "purpose is missing"),
        ({"forecast": ["mail"], "purpose": "fun"}, "purpose is not usable"),
        ({"forecast": ["mail"], "purpose": "marketing", "classes": ["gossip"]}, "classes"),
        ({"forecast": [["mail"]], "purpose": "marketing"}, "forecast is not usable"),
        ({"forecast": ["mail"], "purpose": ["x"]}, "purpose is not usable"),
        ({"forecast": ["mail"], "purpose": "marketing", "of": "ask"}, "of is not known here"),
    ],
)
def test_a_forecast_that_cannot_be_asked_is_named(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(GraphInvalid, match=said):
        parse(draft(**{"if": asked}))


def test_what_follows_a_forecast_says_something_of_the_address(at_harbor: Organisation) -> None:
    """W8: who comes this way has a mail box of this kind."""
    assert "contact_point" in lint.path_classes(parse(draft()))["end"]
