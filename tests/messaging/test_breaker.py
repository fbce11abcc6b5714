"""What stops a pool by itself, and what lets it go again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from audit.models import Entry
from messaging.models import Message, Returned, Stop
from messaging.pools import (
    breaker,
    guarding,
    pausing,
    places,
)
from messaging.pools.breaker import Move, Seen, Standing
from messaging.transports.base import Fate, Outcome
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.pools import LATER, people, send


@pytest.mark.parametrize(
    ("seen", "standing", "act"),
    [
        (Seen(39, 39), None, None),  # too few to say
        (Seen(100, 24), None, None),
        (Seen(100, 25), None, "stop"),
        (Seen(0, 0), Standing("errors", NOON - timedelta(minutes=14)), None),
        (Seen(0, 0), Standing("errors", NOON - timedelta(minutes=15)), "half_open"),
        (Seen(4, 4), Standing("errors", NOON, half_open_at=NOON), None),
        (Seen(5, 0), Standing("errors", NOON, half_open_at=NOON), "close"),
        (Seen(8, 2), Standing("errors", NOON, half_open_at=NOON), "stop"),
    ],
)
def test_refusals_open_half_open_and_close(
    seen: Seen, standing: Standing | None, act: str | None
) -> None:
    move = breaker.errors(seen, standing, now=NOON)
    assert (move.act if move else None) == act


@pytest.mark.parametrize(
    ("pool", "sent", "complaints", "act"),
    [
        ("marketing", 10_000, 9, None),
        ("marketing", 10_000, 10, "warn"),
        ("marketing", 10_000, 29, "warn"),
        ("marketing", 10_000, 30, "stop"),
        ("marketing", 100, 2, None),  # two people are no rate
        ("care", 10_000, 30, "warn"),
    ],
)
def test_complaints_warn_at_one_and_stop_marketing_at_three_in_a_thousand(
    pool: str, sent: int, complaints: int, act: str | None
) -> None:
    """EM-13"""
    move = breaker.complaints(pool, Seen(day_sent=sent, day_complaints=complaints), None)
    assert (move.act if move else None) == act


def test_what_complaints_stopped_nothing_but_a_person_starts() -> None:
    """EM-13"""
    standing = Standing("complaints", NOON - timedelta(days=9))
    assert breaker.complaints("marketing", Seen(day_sent=9, day_complaints=0), standing) is None


def test_a_warning_ends_by_itself() -> None:
    warned = Standing("complaints", NOON, warning=True)
    assert breaker.complaints("care", Seen(), warned) == Move("unwarn", "complaints", 0, 0)


def complained(number: int, *, sent: int, at: datetime = NOON) -> None:
    """Thirty in ten thousand, without ten thousand: the tally counts what was sent."""
    places.count("marketing", [(at, "other", sent, sent, 0, 0, 0)])
    for row in Message.objects.filter(state="sent")[:number]:
        Returned.objects.create(
            digest=str(row.pk).encode(),
            kind="complaint",
            message_id=row.pk,
            contact_id=row.contact_id,
            source="smtp",
            received_at=at,
        )


def test_thirty_complaints_in_ten_thousand_stop_marketing_and_care_goes_on(
    enqueue: Enqueue, memory: Memory
) -> None:
    """EM-13"""
    enqueue(people(30))
    send(memory)
    complained(30, sent=9_970)
    assert guarding.look(now=LATER) == 1
    stop = Stop.objects.get()
    assert (stop.pool, stop.cause, stop.tried, stop.bad) == ("marketing", "complaints", 10_000, 30)
    assert pausing.read().pools == {"marketing"}
    assert Entry.objects.filter(action="sending.pool_stopped").exists()
    assert guarding.look(now=LATER) == 0


def test_a_person_resumes_and_the_same_complaints_stop_nothing_again(
    enqueue: Enqueue, memory: Memory
) -> None:
    """EM-13"""
    enqueue(people(30))
    send(memory)
    complained(30, sent=9_970)
    guarding.look(now=LATER)
    pausing.resume(Stop.objects.get().pk, choice="send", now=LATER)
    assert guarding.look(now=LATER + timedelta(minutes=1)) == 0


def test_refusals_stop_a_pool_try_again_and_let_it_go(enqueue: Enqueue, memory: Memory) -> None:
    blocked = Memory(answer=lambda mail: Outcome(mail.number, Fate.REJECTED, "550 5.7.1"))
    enqueue(people(50))
    send(blocked)
    guarding.look(now=NOON)
    enqueue(people(50), step="second")
    assert send(memory).sent == 0
    half = NOON + timedelta(minutes=16)
    guarding.look(now=half)
    assert send(memory, now=half).sent == breaker.PROBES
    guarding.look(now=half)
    assert Stop.objects.filter(ended_at=None).count() == 0
    assert send(memory, now=half).sent == 40


def test_addresses_that_do_not_exist_stop_nothing(enqueue: Enqueue) -> None:
    gone = Memory(answer=lambda mail: Outcome(mail.number, Fate.REJECTED, "550 5.1.1"))
    enqueue(people(50))
    send(gone)
    assert guarding.look(now=NOON) == 0
