"""Revocations against dispatch workers, on real connections: no claim is later than one."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from consent import ledger
from consent.models import Entry
from crypto import keyring
from messaging import claims, dispatch
from messaging.models import Message
from messaging.protect import Hop
from messaging.transports.base import Fate, Outcome, Outgoing
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, person, sign

pytestmark = pytest.mark.usefixtures("committed_db")
ROUNDS = 400


def together(organisation: Organisation, works: list[Callable[[], None]]) -> None:
    """Run each on a connection of its own, all at once."""

    def alone(work: Callable[[], None]) -> None:
        try:
            with acting_as(Actor("system", "test")), tenancy.acting_for(organisation.pk):
                work()
        finally:
            connection.close()

    threads = [threading.Thread(target=alone, args=[work]) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join(300)


@pytest.fixture
def claimed_at(monkeypatch: pytest.MonkeyPatch) -> dict[int, datetime]:
    """When each contact's message was claimed: by the database's clock, before the commit."""
    moments: dict[int, datetime] = {}
    real = claims.claim

    def timed(**asked: Any) -> Any:
        with transaction.atomic():
            taken = real(**asked)
            time.sleep(0.002)
            with connection.cursor() as cursor:
                cursor.execute("select clock_timestamp()")
                (at,) = cursor.fetchone()
        moments.update({one.contact_id: at for one in taken.granted})
        return taken

    monkeypatch.setattr(claims, "claim", timed)
    return moments


def dawdling(mail: Outgoing) -> Outcome:
    time.sleep(0.001)
    return Outcome(mail.number, Fate.ACCEPTED, "250")


@pytest.mark.parametrize(
    ("revocations", "workers"), [(40, 4), pytest.param(1000, 20, marks=pytest.mark.full)]
)
def test_no_claim_is_later_than_its_revocation(
    at_harbor: Organisation,
    enqueue: Enqueue,
    claimed_at: dict[int, datetime],
    revocations: int,
    workers: int,
) -> None:
    """SE-22, PR-04: workers send while every person withdraws, one after another."""
    people = [person(f"p{n}", email=f"p{n}@example.org") for n in range(revocations)]
    sign(*people)
    enqueue(people)
    over = threading.Event()
    keyring.installation()  # made once, before twenty workers would want to make it

    def work() -> None:
        transport = Memory(hop=Hop.VERIFIED, answer=dawdling)
        for _ in range(ROUNDS):
            dispatch.run_once(transport=transport, now=NOON, limit=5)
            if over.is_set():
                break

    def withdraw() -> None:
        for one in random.Random(7).sample(people, len(people)):
            ledger.revoke_all(one, received_by="portal", now=NOON)
        over.set()

    together(at_harbor, [*[work] * workers, withdraw])
    received = dict(Entry.objects.filter(kind="revoked").values_list("contact_id", "recorded_at"))
    assert len(received) == revocations
    assert [one for one, at in claimed_at.items() if at >= received[one]] == []
    states = dict(Message.objects.values_list("contact_id", "state"))
    assert set(states.values()) <= {"sent", "refused", "queued"}
    sent = {one for one, state in states.items() if state == "sent"}
    assert sent and sent <= claimed_at.keys()
