"""Single events that come at one moment: each has its own answer, and none meets another's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from threading import Event as Signal
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import api_keys, tenancy
from accounts.models import ApiKey, Organisation
from accounts.roles import Permission
from audit import trail
from audit.actor import Actor, acting_as
from audit.models import Entry
from contacts import records
from contacts.models import Contact, Event
from crypto.rows import binary_cursor
from marketing.api import events
from marketing.api.together import Together
from tests.api.conftest import Machine, Maker, problem
from tests.api.test_events import counted, missed
from tests.conftest import NOON


def test_who_comes_while_one_works_is_answered_with_the_others() -> None:
    began, may_end = Signal(), Signal()
    seen: list[int] = []

    def double(asked: Sequence[str]) -> list[str]:
        seen.append(len(asked))
        began.set()
        may_end.wait(10)
        return [2 * one for one in asked]

    together: Together[str, str] = Together(double, most=8)
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(together.ask, "0")
        began.wait(10)
        rest = [pool.submit(together.ask, str(one)) for one in range(1, 10)]
        while len(together._waiting) < 9:
            pass
        may_end.set()
        assert [first.result(), *(one.result() for one in rest)] == [2 * str(n) for n in range(10)]
    assert seen == [1, 8, 1]


def test_what_is_longer_than_the_most_is_answered_alone() -> None:
    together: Together[str, str] = Together(list, most=3)
    assert together.ask("longer") == "longer"


def test_where_the_work_fails_nobody_waits_for_ever() -> None:
    def fail(_: Sequence[str]) -> list[str]:
        raise RuntimeError

    together: Together[str, str] = Together(fail, most=1)
    assert [together.ask("one"), together.ask("two")] == [None, None]


def test_as_many_work_at_a_time_as_may() -> None:
    both = Barrier(2)

    def meet(asked: Sequence[str]) -> list[int]:
        both.wait(10)
        return [len(one) for one in asked]

    together: Together[str, int] = Together(meet, most=1, at_once=2)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(together.ask, ["a", "bb", "ccc", "dddd"])) == [1, 2, 3, 4]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=40), st.integers(1, 6), st.integers(1, 3))
def test_everybody_has_their_own_answer(lengths: list[int], most: int, at_once: int) -> None:
    at_work: list[int] = []

    def echo(asked: Sequence[str]) -> list[str]:
        at_work.append(1)
        assert len(at_work) <= at_once
        assert len(asked) == 1 or sum(map(len, asked)) <= most
        at_work.pop()
        return list(asked)

    together: Together[str, str] = Together(echo, most=most, at_once=at_once)
    asked = [chr(97 + place % 26) * length for place, length in enumerate(lengths)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(together.ask, asked)) == asked
    assert together._at_work == 0 and not together._waiting


@pytest.fixture
def known_good(machine: Machine) -> Machine:
    """A machine whose key was used a moment ago."""
    machine.get("purposes")
    return machine


def bob_of(organisation: Organisation) -> Contact:
    change = records.Change(source="epic", record_number="MRN-1", values={"given_name": "Bob"})
    with tenancy.acting_for(organisation.pk), acting_as(Actor("system", "test")):
        (contact_id,) = records.upsert([change], now=NOON).contact_ids
        return Contact.objects.get(pk=contact_id)


@pytest.fixture
def long_ways(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every event that did not go the short way."""
    seen: list[object] = []
    whole = events._take

    def noted(*given: Any) -> Any:
        seen.append(given)
        return whole(*given)

    monkeypatch.setattr(events, "_take", noted)
    return seen


def test_a_plain_event_of_a_known_key_goes_the_short_way(
    known_good: Machine, ada: Contact, harbor: Organisation, long_ways: list[object]
) -> None:
    answers = [known_good.post("events", missed(ada)) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert [one.json()["status"] for one in answers] == ["accepted", "duplicate"]
    assert counted(harbor) == 1
    assert not long_ways


def test_what_came_the_short_way_is_in_the_trail_under_its_key(
    known_good: Machine, ada: Contact, harbor: Organisation, long_ways: list[object]
) -> None:
    known_good.post("events", missed(ada))
    with tenancy.acting_for(harbor.pk):
        entry = Entry.objects.filter(action="events.received").latest("id")
    assert known_good.key is not None
    assert (entry.actor_kind, entry.actor_id) == ("api_key", str(known_good.key.id))
    assert json.loads(entry.detail)["accepted"] == 1


def test_a_key_revoked_in_another_process_is_refused_at_its_next_event(
    known_good: Machine, ada: Contact, harbor: Organisation
) -> None:
    """This process still remembers it as good."""
    assert known_good.key is not None
    with tenancy.acting_for(harbor.pk):
        ApiKey.objects.filter(pk=known_good.key.pk).update(revoked_at=known_good.key.created_at)
    assert api_keys.remembered(known_good.secret, now=timezone.now())
    problem(known_good.post("events", missed(ada)), 401, "key-refused")
    assert counted(harbor) == 0


def test_a_contact_of_another_organisation_is_unknown_on_the_short_way_too(
    stranger: Machine, ada: Contact, harbor: Organisation
) -> None:
    stranger.get("purposes")
    problem(stranger.post("events", missed(ada)), 422, "invalid")
    assert counted(harbor) == 0


def test_a_key_without_the_scope_goes_the_long_way_to_its_refusal(
    machine_for: Maker, ada: Contact, harbor: Organisation
) -> None:
    reader = machine_for(harbor, [Permission.CONSENT_VIEW])
    reader.get("purposes")
    problem(reader.post("events", missed(ada)), 403, "scope-missing")
    assert counted(harbor) == 0


def test_a_plain_batch_of_a_known_key_goes_the_short_way(
    known_good: Machine, ada: Contact, harbor: Organisation, long_ways: list[object]
) -> None:
    nobody = missed(ada, "who", contact={"source": "epic", "record_number": "none"})
    twice = [missed(ada, "a"), missed(ada, "a"), nobody]
    answer = known_good.post("events/batch", {"events": twice}).json()
    assert [one["status"] for one in answer["results"]] == [
        "accepted",
        "duplicate",
        "unknown_contact",
    ]
    assert (answer["accepted"], answer["duplicates"], answer["unknown_contacts"]) == (1, 1, 1)
    assert counted(harbor) == 1
    assert not long_ways


def test_a_group_that_fails_leaves_nothing_and_each_event_is_taken_by_itself(
    known_good: Machine, ada: Contact, harbor: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trail cannot be written: the event, written just before, is not stored either."""

    def fail(*_: object) -> int:
        raise RuntimeError

    monkeypatch.setattr(trail, "record_many", fail)
    assert known_good.post("events", missed(ada)).json() == {"status": "accepted"}
    assert counted(harbor) == 1


def test_what_the_database_refuses_in_the_group_is_rolled_back(
    known_good: Machine, ada: Contact, harbor: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement fails that nobody waits for; the organisation's scope is closed behind it."""

    def fail(*_: object) -> None:
        with binary_cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(trail, "record_many", fail)
    assert known_good.post("events", missed(ada)).json() == {"status": "accepted"}
    assert counted(harbor) == 1
    with binary_cursor() as cursor:
        cursor.execute("SELECT current_setting('attune.organisation', true)")
        assert cursor.fetchone() in {(None,), ("",)}


@pytest.mark.usefixtures("committed_db")
def test_many_at_once_are_each_counted_once_for_their_own_organisation(
    machine: Machine, stranger: Machine, ada: Contact, hill: Organisation
) -> None:
    """Every event comes twice, from two organisations at one time; the keys are the same words."""
    sides = ((machine, ada), (stranger, bob_of(hill)))
    for side, _ in sides:
        side.get("purposes")

    def send(turn: tuple[int, int]) -> str:
        side, contact = sides[turn[0]]
        try:
            fresh = Machine(side.secret, side.key)
            return str(fresh.post("events", missed(contact, f"visit-{turn[1]}")).json()["status"])
        finally:
            connections.close_all()

    turns = [(side, number % 20) for number in range(40) for side in range(2)]
    with ThreadPoolExecutor(8) as pool:
        said = Counter(pool.map(send, turns))
    assert said == {"accepted": 40, "duplicate": 40}
    for _, contact in sides:
        with tenancy.acting_for(contact.organisation_id or 0):
            stored = Event.objects.filter(kind="appointment.missed", contact_id=contact.pk)
            assert stored.count() == 20
            entries = Entry.objects.filter(action="events.received")
            assert sum(json.loads(entry.detail)["accepted"] for entry in entries) == 20
