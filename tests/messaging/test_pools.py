"""Pools: apart from each other, with a relay and an address of their own, paused and resumed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from accounts import tenancy
from accounts.models import Organisation
from deploy.mailbox import Mailbox
from marketing import loops
from messaging.models import Message
from messaging.pools import (
    facts,
    lanes,
    pausing,
)
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.ground.server import OwnDatabase
from tests.messaging.conftest import SOURCE, Enqueue, approved, template
from tests.messaging.pools import LATER, pool, send, states


def test_every_purpose_has_a_pool_and_an_unknown_one_the_strictest() -> None:
    """EM-28"""
    from messaging.models import PURPOSES

    assert {one for names in lanes.PURPOSES.values() for one in names} == dict(PURPOSES).keys()
    assert lanes.pool_of("a purpose of tomorrow") == "marketing"


def test_the_database_names_the_pool_as_the_program_does(enqueue: Enqueue, ada: int) -> None:
    enqueue([ada])
    assert Message.objects.get().pool == "marketing"


def test_a_stopped_pool_leaves_the_others_going(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    """EM-28, CA-44: marketing is blocked, care goes on."""
    care = approved(template("care", purpose="treatment", subject="Visit"))
    enqueue([ada])
    enqueue([ada], step="care", template_version=care.id, purpose="treatment")
    pausing.pause(pool="marketing", now=NOON)
    assert send(memory).sent == 1
    assert states() == ["queued", "sent"]


def test_a_pool_writes_from_its_own_address(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    """CA-44"""
    pool(mail_from="news@h.example")
    enqueue([ada])
    send(memory)
    assert memory.sent[0].sender == "news@h.example"
    assert b"<news@h.example>" in memory.sent[0].data


def test_the_loop_sends_each_pool_by_its_own_relay(
    committed_db: OwnDatabase,
    mailbox: Mailbox,
    enqueue: Enqueue,
    ada: int,
    settings: LazySettings,
) -> None:
    """EM-28: the installation's relay is down for all of them but the pool that has its own."""
    settings.SMTP_PORT = 1
    pool(
        carrier="relay",
        host="localhost",
        port=mailbox.port,
        ca_file=str(mailbox.ca_file),
        onward="enforced",
        own=True,
    )
    enqueue([ada], due_at=NOON)
    loops.run("dispatch", now=NOON)
    assert [letter.recipient for letter in mailbox.letters()] == ["Ada@Example.org"]


def test_the_password_of_a_relay_is_sealed(at_harbor: Organisation) -> None:
    pool(secret="open sesame", carrier="relay", host="relay.example")
    with connection.cursor() as cursor:
        cursor.execute("select secret from messaging_pool")
        assert b"sesame" not in bytes(cursor.fetchone()[0])
    assert facts.of("marketing").secret == "open sesame"
    assert "sesame" not in repr(facts.of("marketing"))


@pytest.mark.parametrize(
    ("until", "after"), [(date(2026, 3, 2), "sent"), (date(2026, 3, 1), "refused")]
)
def test_no_relay_of_a_vendor_carries_without_an_agreement_in_force(
    enqueue: Enqueue, ada: int, memory: Memory, until: date, after: str
) -> None:
    """PR-32"""
    agreed: dict[str, Any] = {"agreement_from": date(2025, 1, 1), "agreement_until": until}
    pool(carrier="relay", host="relay.vendor.example", **agreed)
    enqueue([ada])
    send(memory)
    row = Message.objects.get()
    assert (row.state, row.refusal_code) == (after, "" if after == "sent" else "no_baa")


@pytest.mark.parametrize(
    ("choice", "after", "due"),
    [("send", "queued", NOON), ("skip", "cancelled", NOON), ("retime", "queued", LATER)],
)
def test_the_backlog_of_a_source_is_sent_skipped_or_retimed(
    enqueue: Enqueue, ada: int, memory: Memory, choice: str, after: str, due: datetime
) -> None:
    stop = pausing.pause(source=SOURCE, now=NOON - timedelta(minutes=1))
    enqueue([ada], due_at=NOON)
    assert send(memory).sent == 0
    assert states() == ["paused"]
    resumed = LATER - timedelta(minutes=1)
    assert pausing.backlog(stop, now=resumed).waiting == 1
    assert pausing.resume(stop.pk, choice=choice, now=resumed) == 1
    row = Message.objects.get()
    assert (row.state, row.due_at) == (after, due)


def test_a_paused_source_leaves_others_going(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    from uuid import uuid4

    pausing.pause(source=uuid4(), now=NOON)
    enqueue([ada])
    assert send(memory).sent == 1


def test_what_is_too_late_is_counted_before_the_choice_and_never_sent(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """Pain 7: nobody gets yesterday's reminder."""
    stop = pausing.pause(pool="marketing", now=NOON)
    enqueue([ada], not_after=NOON + timedelta(minutes=5))
    found = pausing.backlog(stop, now=LATER)
    assert (found.waiting, found.too_late) == (1, 1)
    pausing.resume(stop.pk, choice="send", now=LATER)
    assert send(memory, now=LATER).failed == 1


def test_resuming_twice_is_refused(at_harbor: Organisation) -> None:
    stop = pausing.pause(pool="care", now=NOON)
    pausing.resume(stop.pk, choice="send", now=NOON)
    with pytest.raises(pausing.NotPaused):
        pausing.resume(stop.pk, choice="send", now=NOON)


def test_another_organisations_pause_stops_nothing_of_ours(
    hill: Organisation, enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    with tenancy.acting_for(hill.pk):
        pausing.pause(pool="marketing", now=NOON)
    enqueue([ada])
    assert send(memory).sent == 1
