"""A step calls another system: over a real line, at least once, and the answer decides the way."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Disclosure, Entry
from contacts.fields import DataClass
from contacts.reveal import reveal
from messaging.outside import Hosts
from tests.conftest import NOON
from tests.workflows.conftest import people
from tests.workflows.test_steps_in_depth import END, LONG, draw, go, places
from tests.workflows.webhooks.conftest import Made, Receiver
from workflows import runner
from workflows.models import Enrolment, Move, WebhookCall
from workflows.problems import GraphInvalid
from workflows.webhooks import answering, building, client, delivering, endpoints, tending
from workflows.webhooks.client import Said, Unanswered
from workflows.webhooks.models import Endpoint

__all__ = ["draw"]
HERE = delivering.through(Hosts(inside=frozenset({"127.0.0.1"})))
HOUR = timedelta(hours=1)
Draw = Any


def call(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    return {"id": "check", "kind": "webhook", "endpoint": str(endpoint.pk), "up_to": {"hours": 2},
            "answered": "end", "failed": "long", **more}  # fmt: skip


def deliver(now: Any = NOON) -> int:
    done = delivering.run_once(now=now, post=HERE)
    runner.run_once(now=now)
    return done


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    return people("ada", gender="female")[0]


def test_the_declared_fields_and_no_others_are_told(
    draw: Draw, ada: int, endpoint: Made, receiver: Receiver
) -> None:
    """SE-18, W8"""
    go(draw(call(endpoint(), fields=["given_name"]), LONG), ada)
    assert places() == ["check"] and deliver() == 1 and places() == ["finished"]
    data = receiver.bodies()[0]["data"]
    assert data["fields"] == {"given_name": "P"} and data["step"] == "check"
    assert "birth_date" not in receiver.got[0][1].decode()
    assert Entry.objects.filter(action="contact.revealed", detail__contains="webhook").exists()
    assert Entry.objects.filter(action="webhook.called", outcome="done").count() == 1


def test_the_reply_that_fits_decides_the_way_and_sets_fields(
    draw: Draw, ada: int, endpoint: Made, receiver: Receiver
) -> None:
    receiver.says(200, {"plan": {"name": "Gold"}, "eligible": False})
    asked = call(endpoint(), reply1={"at": "/eligible", "is": False}, then1="long",
                 write={"plan": "/plan/name"})  # fmt: skip
    go(draw(asked, LONG), ada)
    deliver()
    assert places() == ["long"] and Move.objects.get().way == "then1"
    assert reveal([ada], [DataClass.COVERAGE], purpose="test")[ada]["plan"] == "Gold"


def test_no_answer_is_asked_for_again_with_the_same_key(
    draw: Draw, ada: int, endpoint: Made, receiver: Receiver
) -> None:
    receiver.says(503)
    receiver.says(200)
    go(draw(call(endpoint()), LONG), ada)
    deliver()
    assert places() == ["check"] and deliver(NOON + timedelta(seconds=1)) == 0
    deliver(NOON + HOUR)
    keys = {headers["webhook-id"] for headers, _ in receiver.got}
    assert places() == ["finished"] and len(receiver.got) == 2 and len(keys) == 1


def test_time_over_takes_the_way_for_it_and_a_late_answer_changes_nothing(
    draw: Draw, ada: int, endpoint: Made, receiver: Receiver
) -> None:
    go(draw(call(endpoint(), write={"plan": "/plan"}), LONG), ada)

    def slow(url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        return client.Answered(200, b'{"plan": "Late"}')

    claimed = delivering._claim(now=NOON, limit=9)
    runner.run_once(now=NOON + 2 * HOUR)
    assert places() == ["long"]
    built = building.bodies(claimed, endpoints.by_id({claimed[0].endpoint_id}), now=NOON)
    one = claimed[0]
    row = Endpoint.objects.get()
    delivering._mark(one, row, slow("", b"", {}), built[one.id], now=NOON + 2 * HOUR)
    assert WebhookCall.objects.get().state == "failed"
    assert "plan" not in reveal([ada], [DataClass.COVERAGE], purpose="test").get(ada, {})


def test_whoever_comes_back_after_another_attempt_writes_nothing(
    draw: Draw, ada: int, endpoint: Made
) -> None:
    """A worker that was thought dead has an earlier number."""
    go(draw(call(endpoint()), LONG), ada)
    (first,) = delivering._claim(now=NOON, limit=9)
    (second,) = delivering._claim(now=NOON + delivering.LEASE, limit=9)
    assert (first.key, first.attempt, second.attempt) == (second.key, 1, 2)
    refused = client.Answered(400)
    built = Unanswered("x")
    delivering._mark(first, Endpoint.objects.get(), refused, built, now=NOON + delivering.LEASE)
    assert WebhookCall.objects.get().state == "open"


def test_a_crash_between_call_and_mark_repeats_the_key(
    draw: Draw, ada: int, endpoint: Made, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once on the line, once by the key."""
    go(draw(call(endpoint()), LONG), ada)
    with monkeypatch.context() as patch:
        patch.setattr(answering, "meaning", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deliver()
    assert deliver() == 0
    later = NOON + delivering.LEASE
    assert deliver(later) == 1 and places() == ["finished"]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 2


def test_nothing_is_called_inside_a_transaction_of_the_marks(
    draw: Draw, ada: int, endpoint: Made
) -> None:
    """The line may take its time: no row is locked meanwhile."""
    threads: list[str] = []

    def seen(url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        threads.append(threading.current_thread().name)
        return client.Answered(200)

    go(draw(call(endpoint()), LONG), ada)
    delivering.run_once(now=NOON, post=seen)
    assert threads and threads[0] != threading.main_thread().name


def test_an_endpoint_that_is_silent_rests_and_holds_nobody_up(
    draw: Draw, ada: int, endpoint: Made
) -> None:
    go(draw(call(endpoint()), LONG), ada, *people("ben", "cleo"))
    silent = lambda *_: Unanswered("no_connection")  # noqa: E731
    assert delivering.run_once(now=NOON, post=silent, limit=1) == 1
    assert delivering.run_once(now=NOON, post=silent) == 0
    assert delivering.run_once(now=NOON + endpoints.REST, post=silent) == 3


def test_who_left_is_not_told_of(draw: Draw, ada: int, endpoint: Made, receiver: Receiver) -> None:
    go(draw(call(endpoint()), LONG), ada)
    Enrolment.objects.update(state="stopped", outcome="deceased")
    assert deliver() == 0 and not receiver.got


def test_an_agreement_that_ended_ends_the_calls(
    draw: Draw, ada: int, endpoint: Made, receiver: Receiver
) -> None:
    """PR-32"""
    theirs = endpoint(own=False, recipient="Desk Inc", address="1 Way",
                      agreement_from=date(2020, 1, 1))  # fmt: skip
    go(draw(call(theirs, fields=["given_name"]), LONG), ada)
    tending.change(theirs, {"agreement_until": date(2020, 2, 1)})
    deliver()
    assert not receiver.got and places() == ["long"]
    assert WebhookCall.objects.get().reason == "no_agreement"


def test_what_somebody_else_was_told_is_a_disclosure(
    draw: Draw, ada: int, endpoint: Made, receiver: Receiver
) -> None:
    """PR-24"""
    theirs = endpoint(own=False, recipient="Desk Inc", address="1 Way",
                      agreement_from=date(2020, 1, 1))  # fmt: skip
    go(draw(call(theirs, fields=["given_name"]), LONG), ada)
    deliver()
    told = Disclosure.objects.get()
    assert (told.contact_id, told.recipient, told.what) == (ada, "Desk Inc", "given_name")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"classes": []}, "class_not_allowed"),
        ({"own": False}, "no_agreement"),
        ({"own": False, "agreement_from": date(2020, 1, 1)}, "no_recipient"),
    ],
)
def test_who_may_not_be_told_is_named_at_publishing(
    draw: Draw, at_harbor: Organisation, endpoint: Made, given: dict[str, Any], code: str
) -> None:
    """W8, PR-24, PR-32"""
    with pytest.raises(GraphInvalid) as invalid:
        draw(call(endpoint(**given), fields=["given_name"]), LONG)
    assert {one.code for one in invalid.value.problems} == {code}


def test_what_the_way_says_counts_as_told(
    draw: Draw, at_harbor: Organisation, endpoint: Made, women: str
) -> None:
    """W8: to be called about is to be a woman here."""
    asked = {"id": "who", "kind": "branch", "if": {"segment": women}, "yes": "check", "no": "end"}
    with pytest.raises(GraphInvalid, match="demographic"):
        draw(asked, call(endpoint(classes=["identity"])), LONG)


def test_an_endpoint_that_may_be_told_nothing_is_not_told_who(
    draw: Draw, ada: int, endpoint: Made, receiver: Receiver
) -> None:
    go(draw(call(endpoint(own=False, classes=[])), LONG), ada)
    deliver()
    assert "contact" not in receiver.bodies()[0]["data"] and places() == ["finished"]


def test_anhill_sees_neither_endpoint_nor_call(
    draw: Draw, ada: int, endpoint: Made, hill: Organisation
) -> None:
    """SE-01"""
    made = endpoint()
    go(draw(call(made), LONG), ada)
    with tenancy.acting_for(hill.pk):
        assert not Endpoint.objects.exists() and not WebhookCall.objects.exists()
        assert delivering.run_once(now=NOON, post=HERE) == 0


def test_the_secret_is_sealed_and_the_earlier_one_signs_for_a_while(
    endpoint: Made, receiver: Receiver
) -> None:
    made = endpoint()
    tending.renew_secret(made, random=lambda size: b"n" * size, now=NOON)
    row = Endpoint.objects.get()
    assert tending.test(row, post=HERE, now=NOON).good
    assert tending.test(row, post=HERE, now=NOON + tending.BOTH).good
    signed = [headers["webhook-signature"].split(" ") for headers, _ in receiver.got]
    assert [len(one) for one in signed] == [2, 1] and signed[0][0] != signed[1][0]


assert END
