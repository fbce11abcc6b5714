"""Withdrawals against claims, on real connections: no claim is later than a withdrawal."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import date, datetime

import pytest
from django.db import connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from consent import gate, ledger
from consent.gate import GateRequest
from consent.models import Entry
from consent.policy import Permit
from contacts.records import Change, upsert
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("committed_db")
PEOPLE = 60


@pytest.fixture
def signed(at_harbor: Organisation) -> list[int]:
    changes = [
        Change(source="ehr", record_number=str(one), values={"email": f"p{one}@patients.example"})
        for one in range(PEOPLE)
    ]
    people = list(upsert(changes, now=NOON).contact_ids)
    ledger.record_authorizations(
        [
            ledger.Signing(
                one,
                frozenset({"marketing"}),
                frozenset({"identity"}),
                NOON,
                expires_on=date(2030, 1, 1),
            )
            for one in people
        ],
        received_by="paper",
        now=NOON,
    )
    return people


def at_once(organisation: Organisation, *works: Callable[[], None]) -> None:
    """Run each on a connection of its own."""

    def alone(work: Callable[[], None]) -> None:
        with acting_as(Actor("system", "test")), tenancy.acting_for(organisation.pk):
            work()
        connection.close()

    threads = [threading.Thread(target=alone, args=[work]) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)


def test_no_claim_is_later_than_a_revocation(at_harbor: Organisation, signed: list[int]) -> None:
    """SE-22, PR-04: claims dawdle before they commit; revocations come meanwhile."""
    claims: list[tuple[int, datetime]] = []
    revoked = threading.Event()

    def claim() -> None:
        chance = random.Random(threading.get_ident())
        while not revoked.is_set():
            some = chance.sample(signed, 10)
            with transaction.atomic():
                asked = [GateRequest(one, "marketing") for one in some]
                answers = gate.ask_again(asked, now=NOON)
                time.sleep(0.004)
                at = _clock()
            claims.extend(
                (one, at)
                for one, answer in zip(some, answers, strict=True)
                if isinstance(answer, Permit)
            )

    def revoke() -> None:
        for one in random.Random(7).sample(signed, PEOPLE):
            ledger.revoke_all(one, received_by="portal", now=NOON)
        revoked.set()

    at_once(at_harbor, claim, claim, claim, revoke)
    received = dict(Entry.objects.filter(kind="revoked").values_list("contact_id", "recorded_at"))
    assert len(received) == PEOPLE and claims
    assert [one for one, at in claims if at >= received[one]] == []


def test_a_withdrawal_waits_for_the_claim_in_flight(
    at_harbor: Organisation, signed: list[int]
) -> None:
    """SE-22"""
    asked, told = threading.Event(), []

    def claim() -> None:
        with transaction.atomic():
            gate.ask_again([GateRequest(signed[0], "marketing")], now=NOON)
            asked.set()
            time.sleep(0.2)
            told.append("claimed")

    def opt_out() -> None:
        asked.wait(10)
        ledger.opt_out(signed[0], received_by="one_click", now=NOON)
        told.append("opted out")

    at_once(at_harbor, claim, opt_out)
    assert told == ["claimed", "opted out"]


def _clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found
