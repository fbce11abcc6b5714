"""Holding back, counting under caps, and the last look before the hand-over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from select import select

import pytest
from django.db import connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from consent import ledger
from consent.sending import terms
from contacts import erase
from messaging import claims, dispatch, recall
from messaging.dispatch import working
from messaging.models import Message
from messaging.protect import Hop
from messaging.transports.base import Fate, Outcome, Outgoing
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, person, sign

NIGHT = (time(6), time(9))
"""Quiet at noon UTC, which is seven in Boston; over at nine there."""


def test_quiet_hours_make_a_message_wait_instead_of_refusing_it(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """TC-04"""
    terms.add_quiet(*NIGHT, now=NOON)
    enqueue([ada])
    done = dispatch.run_once(transport=memory, now=NOON)
    waiting = Message.objects.get()
    assert (done.sent, done.refused, waiting.state) == (0, 0, "queued")
    assert waiting.due_at > NOON and waiting.permit is not None


def test_hours_set_after_the_message_was_queued_hold_it_back_too(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """TC-04"""
    enqueue([ada])
    terms.add_quiet(*NIGHT, now=NOON)
    dispatch.run_once(transport=memory, now=NOON)
    waiting = Message.objects.get()
    assert (waiting.state, waiting.refusal_code) == ("queued", "quiet_hours")
    done = dispatch.run_once(transport=memory, now=waiting.due_at)
    assert (done.sent, Message.objects.get().refusal_code) == (1, "")


def test_what_would_wait_past_its_time_is_too_late(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada], not_after=NOON + timedelta(minutes=5))
    terms.add_quiet(*NIGHT, now=NOON)
    assert dispatch.run_once(transport=memory, now=NOON).failed == 1
    assert Message.objects.get().refusal_code == "too_late"


def test_a_cap_counts_over_everything_that_sends(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    terms.add_cap(1, 2, when_full="hold", now=NOON)
    enqueue([ada], step="a")
    enqueue([ada], step="b")
    assert dispatch.run_once(transport=memory, now=NOON).sent == 1
    waiting = Message.objects.get(state="queued")
    assert (waiting.refusal_code, waiting.due_at) == ("cap_full", NOON + timedelta(days=2))


def test_a_cap_that_drops_refuses_the_second(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    terms.add_cap(1, 7, when_full="refuse", now=NOON)
    enqueue([ada], step="a")
    enqueue([ada], step="b")
    done = dispatch.run_once(transport=memory, now=NOON)
    assert (done.sent, done.refused) == (1, 1)


def test_the_decision_on_the_row_names_the_rules(enqueue: Enqueue, ada: int) -> None:
    enqueue([ada])
    row = Message.objects.get()
    assert row.permit is not None and row.permit["rules"]


class Slow(Memory):
    """Calls back before each mail, as if the world moved on meanwhile."""

    def __init__(self, meanwhile: Callable[[int], None]) -> None:
        super().__init__(hop=Hop.VERIFIED, answer=self._told)
        self.meanwhile = meanwhile

    def _told(self, mail: Outgoing) -> Outcome:
        self.meanwhile(len(self.sent))
        return Outcome(mail.number, Fate.ACCEPTED, "250")


def elsewhere(organisation: Organisation, work: Callable[[], None]) -> None:
    """Do it on a connection of its own, and wait until it is committed."""

    def alone() -> None:
        with acting_as(Actor("system", "test")), tenancy.acting_for(organisation.pk):
            work()
        connection.close()

    thread = threading.Thread(target=alone)
    thread.start()
    thread.join(30)


@pytest.fixture
def watches(monkeypatch: pytest.MonkeyPatch) -> list[recall.Watch]:
    """What looks out for withdrawals, for a test to wait until it is told."""
    found: list[recall.Watch] = []
    watching = recall.watching

    @contextmanager
    def kept() -> Iterator[recall.Watch]:
        with watching() as watch:
            found.append(watch)
            yield watch

    monkeypatch.setattr(recall, "watching", kept)
    return found


@pytest.mark.usefixtures("committed_db")
def test_a_withdrawal_recalls_what_is_claimed_but_not_handed_over(
    at_harbor: Organisation, enqueue: Enqueue, watches: list[recall.Watch]
) -> None:
    """PR-04, SE-22: five in one slice; the fourth withdraws while the first is on the line."""
    people = [person(f"p{n}", email=f"p{n}@example.org") for n in range(5)]
    sign(*people)
    enqueue(people)

    def meanwhile(gone: int) -> None:
        if gone == 0:
            elsewhere(at_harbor, lambda: _withdraw(people[3]))
            told = [watch.listening.pgconn.socket for watch in watches]
            assert select(told, [], [], 30)[0]  # PostgreSQL tells a moment after the commit

    done = dispatch.run_once(transport=Slow(meanwhile), now=NOON)
    assert (done.sent, done.refused) == (4, 1)
    stopped = Message.objects.get(contact_id=people[3])
    assert (stopped.state, stopped.refusal_code) == ("refused", "auth_revoked")


@pytest.mark.usefixtures("committed_db")
def test_se06_who_is_erased_while_the_campaign_goes_out_gets_nothing_more(
    at_harbor: Organisation, enqueue: Enqueue, watches: list[recall.Watch]
) -> None:
    """SE-06: also what was made and marked already."""
    people = [person(f"p{n}", email=f"p{n}@example.org") for n in range(3)]
    sign(*people)
    enqueue(people)

    def meanwhile(gone: int) -> None:
        if gone == 0:
            elsewhere(at_harbor, lambda: _erase(people[2]))
            told = [watch.listening.pgconn.socket for watch in watches]
            assert select(told, [], [], 30)[0]

    done = dispatch.run_once(transport=Slow(meanwhile), now=NOON)
    assert (done.sent, done.refused) == (2, 1)
    stopped = Message.objects.get(contact_id=people[2])
    assert (stopped.state, stopped.refusal_code) == ("refused", "unknown_contact")


@pytest.mark.usefixtures("committed_db")
def test_a_withdrawal_heard_by_one_slice_recalls_from_the_next_as_well(
    at_harbor: Organisation,
    enqueue: Enqueue,
    watches: list[recall.Watch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PR-04, SE-22: claimed together, handed over in slices of two; the fifth withdraws."""
    monkeypatch.setattr(working, "SLICE", 2)
    people = [person(f"p{n}", email=f"p{n}@example.org") for n in range(5)]
    sign(*people)
    enqueue(people)

    def meanwhile(gone: int) -> None:
        if gone == 0:
            elsewhere(at_harbor, lambda: _withdraw(people[4]))
            told = [watch.listening.pgconn.socket for watch in watches]
            assert select(told, [], [], 30)[0]

    done = dispatch.run_once(transport=Slow(meanwhile), now=NOON)
    assert (done.sent, done.refused) == (4, 1)


def _erase(contact_id: int) -> None:
    erase.erase(contact_id, now=NOON)


def _withdraw(contact_id: int) -> None:
    ledger.revoke_all(contact_id, received_by="portal", now=NOON)


@pytest.mark.usefixtures("committed_db")
def test_another_organisations_withdrawal_asks_nobody_again(
    at_harbor: Organisation, hill: Organisation, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [person(f"p{n}", email=f"p{n}@example.org") for n in range(3)]
    sign(*people)
    enqueue(people)
    asked: list[int] = []

    def recalled(some: list[claims.Claimed], *, now: datetime) -> dict[int, str]:
        asked.append(len(some))
        return {}

    monkeypatch.setattr(claims, "recalled", recalled)

    def meanwhile(gone: int) -> None:
        if gone == 0:
            elsewhere(hill, lambda: terms.set_stop_scope(None, now=NOON))

    assert dispatch.run_once(transport=Slow(meanwhile), now=NOON).sent == 3
    assert asked == []


@pytest.mark.usefixtures("committed_db")
def test_two_workers_never_both_fill_the_last_place_of_a_cap(
    at_harbor: Organisation, enqueue: Enqueue
) -> None:
    """Two claims at once, each with a message to the same people: one each goes."""
    people = [person(f"p{n}", email=f"p{n}@example.org") for n in range(8)]
    sign(*people)
    terms.add_cap(1, 7, when_full="hold", now=NOON)
    for step in "abcd":
        enqueue(people, step=step)
    together = threading.Barrier(4)

    def claim() -> None:
        with acting_as(Actor("system", "test")), tenancy.acting_for(at_harbor.pk):
            for _ in range(6):
                together.wait(20)
                with transaction.atomic():
                    claims.claim(limit=8, now=NOON)
        connection.close()

    workers = [threading.Thread(target=claim) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    claimed = Message.objects.filter(state="claimed").values_list("contact_id", flat=True)
    assert sorted(claimed) == sorted(people)
