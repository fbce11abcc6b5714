"""How much of a pool goes at once, and when."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organisation
from consent import clocks
from consent.rules import shelf
from contacts import events
from messaging.models import DestinationLimit, Message
from messaging.pools import (
    timing,
    warm_up,
)
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, person, sign
from tests.messaging.pools import LATER, people, pool, send


def test_a_pool_sends_no_more_a_minute_than_it_may(enqueue: Enqueue, memory: Memory) -> None:
    """EM-28"""
    pool(per_minute=2)
    enqueue(people(5))
    assert send(memory).sent == 2
    assert send(memory).sent == 0
    due = Message.objects.filter(state="deferred").order_by("due_at").values_list("due_at")
    minutes = [(at - NOON) // timedelta(minutes=1) for (at,) in due]
    assert minutes == [1, 1, 2]
    assert send(memory, now=NOON + timedelta(minutes=1)).sent == 2


def test_a_destinations_rate_holds_its_own_mails_only(enqueue: Enqueue, memory: Memory) -> None:
    """EM-28"""
    DestinationLimit.objects.create(pool="marketing", provider="gmail", per_minute=1)
    enqueue([*people(3, at="gmail.com"), person("x", email="x@example.org")][:3])
    others = person("y", email="y@example.org")
    sign(others)
    enqueue([others])
    assert send(memory).sent == 2
    codes = Message.objects.filter(state="deferred").values_list("refusal_code", flat=True)
    assert list(codes) == ["destination_pace"] * 2


def test_who_finds_no_place_before_it_is_too_late_fails(enqueue: Enqueue, memory: Memory) -> None:
    pool(per_minute=1)
    enqueue(people(2), not_after=NOON + timedelta(seconds=30))
    assert send(memory).sent == 1
    assert Message.objects.get(state="failed").refusal_code == "too_late"


def test_a_new_address_warms_up_day_by_day(enqueue: Enqueue, memory: Memory) -> None:
    """EM-28"""
    pool(warm_up_from=date(2026, 3, 2), warm_up_first=2)
    enqueue(people(7), not_after=NOON + timedelta(days=9))
    assert send(memory).sent == 2
    assert send(memory, now=NOON + timedelta(days=1)).sent == 4
    assert send(memory, now=NOON + timedelta(days=2)).sent == 1


@given(gone=st.integers(0, 60), first=st.integers(1, 5000))
def test_warming_up_never_shrinks_and_ends(gone: int, first: int) -> None:
    begun = date(2026, 3, 2)
    today = warm_up.allowed(begun + timedelta(days=gone), begun=begun, first=first)
    tomorrow = warm_up.allowed(begun + timedelta(days=gone + 1), begun=begun, first=first)
    assert today is None or today >= first
    assert tomorrow is None or (today is not None and tomorrow == 2 * today)
    assert gone < warm_up.LONGEST or today is None


def test_before_its_first_day_nothing_goes() -> None:
    assert warm_up.allowed(date(2026, 3, 1), begun=date(2026, 3, 2), first=50) == 0


def test_a_send_window_is_by_the_recipients_clock(enqueue: Enqueue, memory: Memory) -> None:
    pool(opens=time(9), closes=time(17))
    (boston,) = people(1)
    hawaii = person("h", email="h@example.org", state="HI")
    person("p0", state="MA")
    sign(hawaii)
    enqueue([boston, hawaii])
    morning = datetime(2026, 3, 2, 14, 30, tzinfo=NOON.tzinfo)  # 9:30 in Boston, 4:30 in Hawaii
    assert send(memory, now=morning).sent == 1
    waiting = Message.objects.get(state="queued")
    assert (waiting.contact_id, waiting.refusal_code) == (hawaii, "send_window")
    assert waiting.due_at.astimezone(ZoneInfo("Pacific/Honolulu")).time() == time(9)


def opened(contact_id: int, *, hour: int, days: int, machine: bool = False) -> None:
    at = (NOON - timedelta(days=days)).replace(hour=hour)
    events.ensure_partitions(now=at)
    event = events.NewEvent(
        contact_id=contact_id, kind="message.opened", occurred_at=at, source="mail", machine=machine
    )
    events.append([event], now=at)


def test_it_goes_at_the_hour_at_which_the_person_opened_before(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    for day in (2, 5, 9):
        opened(ada, hour=19, days=day)
    pool(at_best_hour=True)
    enqueue([ada])
    assert send(memory).sent == 0
    row = Message.objects.get()
    assert (row.refusal_code, row.due_at) == ("best_hour", NOON.replace(hour=19))
    assert send(memory, now=NOON.replace(hour=19)).sent == 1


def test_machines_openings_name_no_best_hour(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    """TR-05"""
    for day in (2, 5, 9):
        opened(ada, hour=19, days=day, machine=True)
    pool(at_best_hour=True)
    enqueue([ada])
    assert send(memory).sent == 1


def test_the_best_hour_never_makes_a_message_too_late(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    for day in (2, 5, 9):
        opened(ada, hour=19, days=day)
    pool(at_best_hour=True)
    enqueue([ada], not_after=LATER)
    assert send(memory).sent == 1


def test_an_hour_that_has_begun_is_now() -> None:
    boston = ZoneInfo("America/New_York")
    assert timing.OwnHour(NOON.astimezone(boston).hour, boston).next(NOON) == NOON
    before = timing.OwnHour((NOON - timedelta(hours=1)).astimezone(boston).hour, boston)
    assert before.next(NOON) == NOON + timedelta(hours=23)


def test_an_hour_is_the_same_on_the_clock_after_the_clocks_changed(
    enqueue: Enqueue, memory: Memory
) -> None:
    """CA-05: who reads at two in the afternoon does so in summer time too, an hour before by UTC"""
    someone = person("cal", email="cal@example.org", state="CA")
    sign(someone)
    for day in (2, 5, 9):
        opened(someone, hour=22, days=day)
    pool(at_best_hour=True)
    summer = datetime(2026, 3, 9, 12, tzinfo=NOON.tzinfo)
    enqueue([someone], due_at=summer, not_after=summer + timedelta(days=2))
    send(memory, now=summer)
    assert Message.objects.get().due_at == summer.replace(hour=21)


def test_openings_count_by_the_clock_of_ones_own_zone(at_harbor: Organisation) -> None:
    tokyo = person("aki", email="aki@example.org", time_zone="Asia/Tokyo")
    for day in (2, 5, 9):
        opened(tokyo, hour=22, days=day)
    lives = clocks.of([tokyo], rules=shelf.at(NOON))
    found = timing.best_hours([tokyo], lives, home="America/New_York", now=NOON)
    assert found == {tokyo: timing.OwnHour(7, ZoneInfo("Asia/Tokyo"))}
