"""The mail server is away, picky, busy or full: every mail arrives once, in order of priority."""

from __future__ import annotations

import gzip
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from consent import ledger
from deploy.mailbox import Mailbox
from messaging import dispatch, reconcile, settling
from messaging.models import Message
from messaging.pools.lanes import POOLS
from messaging.protect import Onward
from messaging.settling import Known, RelayLog
from messaging.transports.base import Fate, Outcome
from messaging.transports.lanes import Lanes
from messaging.transports.memory import Memory
from messaging.transports.smtp import Relay
from tests.conftest import NOON
from tests.ground.server import OwnDatabase
from tests.messaging.conftest import Enqueue, approved, person, sign, template
from tests.messaging.test_dispatch import states

PEOPLE = 12
PURPOSES = {"marketing": "marketing", "care": "appointment", "transactional": "payment"}


@pytest.fixture
def waiting(enqueue: Enqueue) -> None:
    """Twelve people with a message of each pool, marketing ordered first."""
    ids = [person(f"p{one}", email=f"p{one}@example.org") for one in range(PEOPLE)]
    sign(*ids)
    for pool, purpose in PURPOSES.items():
        version = approved(template(pool, purpose=purpose, subject=pool))
        enqueue(ids, step=pool, template_version=version.id, purpose=purpose)


@pytest.fixture
def transport(mailbox: Mailbox) -> Iterator[Lanes]:
    relay = Relay("localhost", mailbox.port, ca_file=str(mailbox.ca_file), patience=5)
    lanes = Lanes(relay, connections=3)
    lanes.overlaps = False  # the tests' own transaction is seen by one connection only
    yield lanes
    lanes.close()


def until(moment: timedelta, transport: Lanes, *, every: timedelta) -> None:
    """Look every so often, pool by pool as the loop does, until so long after noon."""
    now = NOON
    while now <= NOON + moment:
        for pool in POOLS:
            dispatch.run_once(transport=transport, now=now, onward=Onward.ENFORCED, pool=pool)
        now += every


def subjects(mailbox: Mailbox) -> list[str]:
    return [letter.subject for letter in mailbox.letters()]


def each_arrived_once(mailbox: Mailbox) -> None:
    assert set(states()) == {"sent"}
    arrived = Counter(str(letter.message["Message-ID"]) for letter in mailbox.letters())
    assert set(arrived.values()) == {1}
    assert arrived.keys() == set(Message.objects.values_list("message_id_header", flat=True))


def in_order_of_priority(mailbox: Mailbox) -> None:
    seen = subjects(mailbox)
    assert seen == sorted(seen, key=POOLS.index)
    assert len(seen) == PEOPLE * len(PURPOSES)


@pytest.mark.parametrize("minutes", [1 / 6, 10])
def test_after_an_outage_every_mail_arrives_once_and_in_order_of_priority(
    waiting: None, mailbox: Mailbox, transport: Lanes, minutes: float
) -> None:
    """EM-09: ten seconds and ten minutes, by the messages' clock."""
    away = timedelta(minutes=minutes)
    mailbox.stop()
    until(away, transport, every=timedelta(seconds=15))
    assert set(states()) <= {"deferred"}
    mailbox.start()
    until(away + timedelta(minutes=1), transport, every=timedelta(seconds=15))
    each_arrived_once(mailbox)
    in_order_of_priority(mailbox)


def test_greylisted_mails_arrive_once(waiting: None, mailbox: Mailbox, transport: Lanes) -> None:
    """EM-09"""
    mailbox.behaviour.refuse_everything = "451 4.7.1 greylisted, come again"
    until(timedelta(minutes=3), transport, every=timedelta(minutes=1))
    assert set(Message.objects.values_list("smtp_reply", flat=True)) == {"451 4.7.1"}
    mailbox.behaviour.refuse_everything = ""
    until(timedelta(minutes=12), transport, every=timedelta(minutes=1))
    each_arrived_once(mailbox)
    in_order_of_priority(mailbox)


def test_a_full_disk_at_the_relay_loses_nothing(
    waiting: None, mailbox: Mailbox, transport: Lanes
) -> None:
    """EM-09"""
    mailbox.behaviour.refuse_everything = "452 4.3.1 insufficient system storage"
    until(timedelta(0), transport, every=timedelta(minutes=1))
    mailbox.behaviour.refuse_everything = ""
    until(timedelta(minutes=6), transport, every=timedelta(minutes=1))
    each_arrived_once(mailbox)
    in_order_of_priority(mailbox)


def test_a_relay_slower_than_our_patience_is_asked_what_it_took(
    waiting: None, mailbox: Mailbox
) -> None:
    """EM-09, EM-10: it took the mail and answered too late; nobody gets a second one."""
    mailbox.behaviour.delay = 1.0
    hasty = Relay("localhost", mailbox.port, ca_file=str(mailbox.ca_file), patience=0.3)
    lanes = Lanes(hasty, connections=1)
    lanes.overlaps = False
    until(timedelta(0), lanes, every=timedelta(minutes=1))
    lanes.close()
    assert "unknown" in states()
    mailbox.behaviour.delay = 0.0
    arrives(mailbox, len([one for one in states() if one == "unknown"]))
    taken_in = {str(letter.message["Message-ID"]) for letter in mailbox.letters()}
    later = NOON + timedelta(minutes=10)
    reconcile.reconcile(taken_in, complete_until=later, now=later)
    patient = Lanes(replace(hasty, patience=20), connections=1)
    patient.overlaps = False
    until(timedelta(minutes=30), patient, every=timedelta(minutes=5))
    patient.close()
    each_arrived_once(mailbox)


def arrives(mailbox: Mailbox, number: int) -> None:
    """Wait until the server has written what it was still busy with."""
    end = time.monotonic() + 20
    while len(mailbox.letters()) < number and time.monotonic() < end:
        time.sleep(0.05)


def test_421_under_load_delays_and_loses_nothing(
    waiting: None, mailbox: Mailbox, transport: Lanes
) -> None:
    """EM-09"""
    mailbox.behaviour.busy_every = 4
    until(timedelta(minutes=30), transport, every=timedelta(minutes=1))
    each_arrived_once(mailbox)


def test_a_message_whose_time_is_over_after_an_outage_is_not_sent(
    enqueue: Enqueue, ada: int, mailbox: Mailbox, transport: Lanes
) -> None:
    enqueue([ada], not_after=NOON + timedelta(minutes=5))
    mailbox.stop()
    until(timedelta(minutes=6), transport, every=timedelta(seconds=30))
    mailbox.start()
    until(timedelta(minutes=10), transport, every=timedelta(seconds=30))
    assert (states(), mailbox.letters()) == (["failed"], [])


# Settled by a loop


@pytest.fixture
def unclear(enqueue: Enqueue, ada: int) -> Message:
    enqueue([ada])
    lost = Memory(answer=lambda mail: Outcome(mail.number, Fate.UNCLEAR))
    dispatch.run_once(transport=lost, now=NOON, onward=Onward.ENFORCED)
    return Message.objects.get()


def a_log(tmp_path: Path, *lines: str, changed: datetime) -> RelayLog:
    path = tmp_path / "mail.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(path, (changed.timestamp(), changed.timestamp()))
    return RelayLog(path)


def taken_in(message: Message) -> str:
    return f"Mar  2 12:00:01 h postfix/cleanup[7]: 4AB: message-id={message.message_id_header}"


HOUR = timedelta(hours=1)


def test_what_the_log_has_was_sent(unclear: Message, tmp_path: Path) -> None:
    """EM-10"""
    log = a_log(tmp_path, taken_in(unclear), changed=NOON + HOUR)
    assert settling.run_once(now=NOON + HOUR, by=log) == 1
    assert states() == ["sent"]


def test_what_a_complete_log_has_not_goes_again(unclear: Message, tmp_path: Path) -> None:
    log = a_log(tmp_path, "another line", changed=NOON + HOUR)
    assert settling.run_once(now=NOON + HOUR, by=log) == 1
    assert states() == ["queued"]


def test_a_log_that_nobody_wrote_since_proves_nothing(unclear: Message, tmp_path: Path) -> None:
    """EM-09: never resent blindly."""
    log = a_log(tmp_path, "an old line", changed=NOON)
    assert settling.run_once(now=NOON + HOUR, by=log) == 0
    assert states() == ["unknown"]


def test_what_was_handed_over_just_now_is_left_alone(unclear: Message, tmp_path: Path) -> None:
    log = a_log(tmp_path, taken_in(unclear), changed=NOON)
    assert settling.run_once(now=NOON + timedelta(seconds=30), by=log) == 0


def test_rotated_logs_are_read_too(unclear: Message, tmp_path: Path) -> None:
    log = a_log(tmp_path, "newer", changed=NOON + HOUR)
    old = tmp_path / "mail.log.1.gz"
    old.write_bytes(gzip.compress(taken_in(unclear).encode()))
    known = log.look_up(frozenset({unclear.message_id_header}), since=NOON, now=datetime.now(UTC))
    assert isinstance(known, Known)
    assert known.taken_in == {unclear.message_id_header}


def test_without_a_record_an_unclear_message_stays_so(unclear: Message) -> None:
    assert settling.run_once(now=NOON + HOUR) == 0
    assert states() == ["unknown"]


# Withdrawn while several connections hand over


def test_a_withdrawal_reaches_every_connection_before_its_mail_goes(
    committed_db: OwnDatabase, at_harbor: Organisation, enqueue: Enqueue, mailbox: Mailbox
) -> None:
    """PR-04, SE-22: threads that hand over ask the gate again by connections of their own."""
    ids = [person(f"p{one}", email=f"p{one}@example.org") for one in range(40)]
    sign(*ids)
    enqueue(ids)
    mailbox.behaviour.delay = 0.1

    def withdraw() -> None:
        while not mailbox.store.keys():
            time.sleep(0.01)
        with tenancy.acting_for(at_harbor.pk), acting_as(Actor("system", "test")):
            ledger.revoke_all(ids[-1], received_by="portal", now=NOON)
        connection.close()

    thread = threading.Thread(target=withdraw)
    thread.start()
    lanes = Lanes(
        Relay("localhost", mailbox.port, ca_file=str(mailbox.ca_file), patience=5), connections=3
    )
    done = dispatch.run_once(transport=lanes, now=NOON, onward=Onward.ENFORCED)
    lanes.close()
    thread.join(30)
    assert (done.sent, done.refused) == (39, 1)
    assert Message.objects.get(contact_id=ids[-1]).refusal_code == "auth_revoked"
    assert "p39@example.org" not in {letter.recipient for letter in mailbox.letters()}
