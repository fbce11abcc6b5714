"""The gate gives many people the answers that each would get alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation
from consent import gate, ledger, suppression
from consent.gate import GateRequest
from consent.ledger import Signing
from consent.policy import Permit, Refusal
from contacts import events
from contacts.merge import acts
from contacts.records import Change, upsert
from tests.conftest import NOON

LATER = NOON + timedelta(days=1)
PURPOSES = ("treatment", "marketing", "remunerated_marketing")


@pytest.fixture
def crowd(at_harbor: Organisation) -> list[int]:
    """Sixty people in every state that consent knows, some sharing an address."""
    changes = [
        Change(
            source="ehr",
            record_number=str(number),
            values={
                "given_name": "P",
                **({"email": f"p{number // 2}@patients.example"} if number % 7 else {}),
                **({"deceased": True} if number % 11 == 0 else {}),
            },
        )
        for number in range(60)
    ]
    people = list(upsert(changes, now=NOON).contact_ids)
    signed = ledger.record_authorizations(
        [
            Signing(
                one,
                purposes=frozenset({"marketing"}),
                classes=frozenset({"identity"} if one % 4 else {"identity", "clinical"}),
                signed_at=NOON,
                expires_on=date(2026, 3, 1 + one % 3),
            )
            for one in people[::2]
        ],
        received_by="import",
        now=NOON,
    )
    for id_ in signed[::5]:
        ledger.revoke(id_, received_by="portal", now=NOON)
    for one in people[::9]:
        ledger.opt_out(one, purpose="marketing", received_by="one_click", now=NOON)
    suppression.suppress_contact(people[3], reason="staff", received_by="staff", now=NOON)
    return people


def questions(people: list[int]) -> list[GateRequest]:
    return [
        GateRequest(one, purpose, classes=frozenset({"clinical"}))
        for one in people
        for purpose in PURPOSES
    ]


def test_many_get_the_answers_that_each_gets_alone(crowd: list[int]) -> None:
    together = gate.ask(questions(crowd), now=LATER)
    alone = [gate.ask([one], now=LATER)[0] for one in questions(crowd)]
    assert together == alone


def test_the_crowd_meets_every_kind_of_answer(crowd: list[int]) -> None:
    answers = gate.ask(questions(crowd), now=LATER)
    assert {getattr(one, "code", "permit") for one in answers} >= {
        "permit",
        "deceased",
        "no_address",
        "opted_out",
        "suppressed",
        "no_authorization",
        "auth_revoked",
        "auth_expired",
        "phi_out_of_scope",
    }


def test_many_cost_no_more_statements_than_one(crowd: list[int]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        gate.ask(questions(crowd), now=LATER)
    together = len(seen)
    with CaptureQueriesContext(connection) as alone:
        gate.ask(questions(crowd)[:1], now=LATER)
    assert together == len(alone)


def test_asking_again_needs_the_claiming_transaction(ada: int, monkeypatch: object) -> None:
    connection.in_atomic_block = False
    try:
        with pytest.raises(RuntimeError, match="transaction"):
            gate.ask_again([GateRequest(ada, "treatment")], now=NOON)
    finally:
        connection.in_atomic_block = True


def test_an_event_ends_what_the_person_signed_as_another_contact_too(ada: int, ben: int) -> None:
    """HD-04: merged, their events are one person's, and so is the end of a signature."""
    signing = Signing(
        ben, frozenset({"marketing"}), frozenset({"identity"}), NOON, expires_event="care.ended"
    )
    ledger.record_authorization(signing, received_by="paper", now=NOON)
    acts.merge(ada, ben, now=NOON)
    asked = [GateRequest(ada, "marketing", classes=frozenset({"identity"}))]
    assert isinstance(gate.ask(asked, now=LATER)[0], Permit)
    ended = events.NewEvent(contact_id=ada, kind="care.ended", occurred_at=NOON, source="ehr")
    events.append([ended], now=NOON)
    answer = gate.ask(asked, now=LATER)[0]
    assert isinstance(answer, Refusal) and answer.code == "auth_expired"
