"""Pools: apart from each other, limited, guarded, paused and fenced."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry
from contacts import events
from deploy.mailbox import Mailbox
from marketing import loops
from messaging import claims, dispatch
from messaging.models import DestinationLimit, Message, Pool, Returned, Stop, Tally
from messaging.pools import (
    breaker,
    facts,
    fencing,
    guarding,
    lanes,
    pausing,
    places,
    timing,
    warm_up,
)
from messaging.pools.breaker import Move, Seen, Standing
from messaging.protect import Onward
from messaging.transports.base import Fate, Outcome
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.ground.server import OwnDatabase
from tests.messaging.conftest import SOURCE, Enqueue, approved, person, sign, template

LATER = NOON + timedelta(hours=1)
BOSTON = ZoneInfo("America/New_York")


def pool(kind: str = "marketing", **facts_: Any) -> Pool:
    return Pool.objects.create(kind=kind, changed_at=NOON, **facts_)


def people(number: int, *, at: str = "example.org") -> list[int]:
    ids = [person(f"p{one}", email=f"p{one}@{at}") for one in range(number)]
    sign(*ids)
    return ids


def send(memory: Memory, *, now: datetime = NOON, **more: object) -> dispatch.Dispatched:
    return dispatch.run_once(transport=memory, now=now, onward=Onward.ENFORCED, **more)  # type: ignore[arg-type]


def states() -> list[str]:
    return list(Message.objects.order_by("id").values_list("state", flat=True))


# Which pool


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


# Limits


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


# When


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
    assert timing.next_at(12, now=NOON) == NOON
    assert timing.next_at(11, now=NOON) == NOON + timedelta(hours=23)


# The breaker


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


# Pause and resume


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


# After a restore


def test_a_database_older_than_its_mails_sends_nothing(
    committed_db: OwnDatabase, enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """Pain 9: what the restored database believes to be waiting went out already."""
    enqueue([ada])
    drawn = fencing._database()[1]
    fencing.keep(drawn + 1)
    assert fencing.check(now=NOON)
    assert claims.claim(limit=10, now=NOON).granted == ()
    assert (send(memory).sent, states()) == (0, ["queued"])


def test_without_the_file_nothing_is_sent_either(
    committed_db: OwnDatabase, enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada])
    send(memory)
    assert not fencing.check(now=NOON)
    fencing._path().unlink()
    assert fencing.check(now=NOON)


def test_lifting_the_fence_settles_what_the_log_has(
    committed_db: OwnDatabase, enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada])
    enqueue([ada], step="other")
    first = Message.objects.order_by("id").first()
    assert first is not None
    fencing.keep(fencing._database()[1] + 1)
    fencing.check(now=NOON)
    log = {f"<{first.public_id.hex}@h.example>", f"<{'0' * 32}@h.example>", "<x@elsewhere>"}
    found = fencing.difference(log, domains={"h.example"})
    assert (found.waiting, found.foreign) == ((first.pk,), 1)
    fencing.lift(found, now=NOON)
    assert not fencing.check(now=NOON)
    assert send(memory).sent == 1
    assert states() == ["sent", "sent"]


def test_a_fence_is_put_up_for_every_organisation(
    committed_db: OwnDatabase, at_harbor: Organisation, hill: Organisation
) -> None:
    fencing.keep(fencing._database()[1] + 1)
    fencing.check(now=NOON)
    with tenancy.acting_for(hill.pk):
        assert fencing.fence() is not None


def test_tallies_are_forgotten_after_forty_days(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    enqueue([ada])
    send(memory)
    guarding.sweep(now=NOON + timedelta(days=41))
    assert not Tally.objects.exists()


def test_the_command_shows_the_difference_and_lets_sending_go_on(
    committed_db: OwnDatabase, enqueue: Enqueue, ada: int, tmp_path: Path
) -> None:
    """Pain 9"""
    enqueue([ada])
    row = Message.objects.get()
    log = tmp_path / "mail.log"
    address = f"{row.public_id.hex}@localhost.localdomain"
    log.write_text(f"postfix/cleanup[1]: A1: message-id=<{address}>\n")
    fencing.keep(fencing._database()[1] + 1)
    said = StringIO()
    call_command("sending_fence", "harbor", log=[log], stdout=said)
    assert "Sending is stopped after a restore." in said.getvalue()
    assert "1 messages wait here that the logs have" in said.getvalue()
    assert states() == ["queued"]
    call_command("sending_fence", "harbor", log=[log], go_on=True, stdout=said)
    assert states() == ["sent"]
    with pytest.raises(CommandError, match="Nothing is stopped"):
        call_command("sending_fence", "harbor", go_on=True, stdout=said)
