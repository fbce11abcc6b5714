"""What answers mean, when to ask again, and that a receiver can verify a signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import signed
from tests.conftest import NOON
from workflows.problems import Problem
from workflows.reading import read_step
from workflows.steps import Webhook
from workflows.webhooks import answering
from workflows.webhooks.answering import Bad, Good, Later, Meaning, meaning
from workflows.webhooks.client import Answered, Said, Unanswered

KEY = UUID(int=7)


def step(**more: Any) -> Webhook:
    raw = {"id": "x", "kind": "webhook", "endpoint": str(KEY), "up_to": {"hours": 1},
           "answered": "end", "failed": "end", **more}  # fmt: skip
    problems: list[Problem] = []
    read = read_step(raw, problems=problems, place=0)
    assert not problems and isinstance(read, Webhook)
    return read


ASKING = step(reply1={"status": 404}, then1="a", reply2={"at": "/plan/ok", "is": True}, then2="b",
              reply3={"at": "/n/0", "is": 3}, then3="c", write={"plan": "/plan/name"})  # fmt: skip


@pytest.mark.parametrize(
    ("said", "means"),
    [
        (Answered(200), Good(0)),
        (Answered(404), Good(1)),
        (Answered(200, b'{"plan": {"ok": true, "name": "A"}}'), Good(2, {"plan": "A"})),
        (Answered(200, b'{"plan": {"ok": 1}}'), Good(0)),
        (Answered(201, b'{"n": [3]}'), Good(3)),
        (Answered(200, b"no json"), Good(0)),
        (Answered(400), Bad("status_400")),
        (Answered(302), Bad("redirected")),
        (Answered(503, b"", "60"), Later("status_503", timedelta(seconds=60))),
        (Answered(429), Later("status_429")),
        (Unanswered("too_slow"), Later("too_slow")),
        (Unanswered("address_not_public", lasting=True), Bad("address_not_public")),
    ],
)
def test_an_answer_means(said: Said, means: Meaning) -> None:
    assert meaning(ASKING, said) == means


@given(st.integers(1, 60), st.uuids())
def test_pauses_grow_and_end_at_an_hour_and_a_quarter(attempts: int, key: UUID) -> None:
    pause = answering.next_attempt(attempts, None, key, now=NOON) - NOON
    assert answering.FIRST <= pause <= answering.LONGEST * 1.25
    assert pause <= answering.next_attempt(attempts + 2, None, key, now=NOON) - NOON or attempts > 7


def test_a_receiver_may_ask_to_be_left_alone() -> None:
    later = answering.next_attempt(1, timedelta(minutes=10), KEY, now=NOON)
    assert later == NOON + timedelta(minutes=10)


def test_a_receiver_can_verify_the_signature() -> None:
    """Standard Webhooks: id.timestamp.body, HMAC-SHA256, any of several secrets."""
    secret, body = signed.written(b"k" * 32), json.dumps({"a": 1}).encode()
    sent = signed.headers(
        body, number=f"msg_{KEY.hex}", secret=signed.written(b"o" * 32), also=[secret], now=NOON
    )
    said = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.digest(b"k" * 32, said, hashlib.sha256)).decode()
    assert f"v1,{right}" in sent["webhook-signature"].split(" ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"reply1": {"at": "plan", "is": 1}, "then1": "end"},
        {"reply1": {"at": "/plan"}, "then1": "end"},
        {"reply1": {}, "then1": "end"},
        {"reply1": {"status": 900}, "then1": "end"},
        {"reply1": {"status": 404}},
        {"fields": "plan"},
        {"write": {"plan": "name"}},
        {"write": ["plan"]},
    ],
)
def test_what_cannot_be_asked_is_named(wrong: dict[str, Any]) -> None:
    raw = {"id": "x", "kind": "webhook", "endpoint": str(KEY), "up_to": {"hours": 1},
           "answered": "end", "failed": "end", **wrong}  # fmt: skip
    problems: list[Problem] = []
    read_step(raw, problems=problems, place=0)
    assert problems and all(one.node == "x" for one in problems)
