"""Deliverability: by destination, by pool, by route, and by who opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from messaging import dispatch
from messaging.hearing import figures, intake, visits
from messaging.hearing.visits import Came
from messaging.models import Message, Tally, Visit
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.test_bounces import COMPLAINT
from tests.messaging.test_machines import FIREFOX

LATER = NOON + timedelta(hours=1)
SignedIn = Callable[[User], Client]


@pytest.fixture
def sent(ada: int, enqueue: Enqueue, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> Message:
    enqueue([ada])
    dispatch.run_once(transport=memory, now=NOON)
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    return Message.objects.select_related("version").get()


def carried(provider: str, *, days: int, taken: int, refused: int = 0) -> None:
    minute = (NOON - timedelta(days=days)).replace(second=0)
    Tally.objects.create(
        pool="marketing",
        provider=provider,
        minute=minute,
        tried=taken + refused,
        sent=taken,
        rejected=refused,
    )


def complain(message: Message) -> None:
    text = COMPLAINT.replace("<sent@harbor.example>", message.message_id_header)
    intake.take(text.encode(), source="api", now=LATER)


def test_destinations_are_told_apart_day_by_day(at_harbor: object) -> None:
    """CA-45"""
    carried("gmail", days=2, taken=90, refused=10)
    carried("gmail", days=1, taken=50)
    carried("yahoo", days=1, taken=5, refused=5)
    carried("gmail", days=40, taken=7)
    gmail, yahoo = figures.destinations(now=NOON)
    assert (gmail.name, gmail.taken, gmail.refused) == ("gmail", 140, 10)
    assert [day.share for day in gmail.days] == [0.9, 1.0]
    assert yahoo.arrived == 0.5


def test_em13_complaints_are_a_rate_of_what_the_pool_sent(sent: Message) -> None:
    complain(sent)
    (pool,) = figures.complaints_by_pool(since=NOON - timedelta(days=1))
    assert (pool.pool, pool.sent, pool.complaints, pool.kind) == ("marketing", 1, 1, "bad")
    assert figures.complaints_by_pool(since=LATER + timedelta(seconds=1)) == []


def test_ca62_the_encryption_used_is_told_by_purpose(sent: Message) -> None:
    assert figures.encryption(since=NOON - timedelta(days=1)) == [("marketing", "mail", 1)]


def test_tr05_people_and_programs_are_counted_apart(sent: Message) -> None:
    for agent in (FIREFOX, "curl/8.0"):
        visits.note(sent, "message.opened", Came(agent), now=LATER)
    visits.run_once(now=LATER + timedelta(minutes=2))
    assert figures.engagement(since=NOON) == {"opened": {"machine": 1, "unclear": 1}}


def test_the_page_shows_all_of_it_with_tables_beside_the_pictures(
    sent: Message, omar: User, sign_in_as: SignedIn
) -> None:
    carried("gmail", days=2, taken=90, refused=10)
    complain(sent)
    visits.note(sent, "message.opened", Came("curl/8.0"), now=LATER)
    page = sign_in_as(omar).get("/delivery/").content.decode()
    for words in ("Gmail", "90.0%", "Complaints by pool", "Opened and followed", "verified TLS"):
        assert words in page
    assert "<polyline points=" in page and "Day by day, as a table" in page
    assert "All were judged by today" in page


def test_an_officer_has_thirty_days_judged_again(
    sent: Message, omar: User, mara: User, sign_in_as: SignedIn
) -> None:
    visits.note(sent, "message.opened", Came(FIREFOX), now=LATER)
    visits.run_once(now=LATER + timedelta(minutes=2))
    assert sign_in_as(mara).post("/delivery/again/").status_code == 403
    page = sign_in_as(omar).post("/delivery/again/", follow=True).content.decode()
    assert "1 openings and clicks are judged again" in page
    assert Visit.objects.filter(due_at__isnull=False).count() == 1
