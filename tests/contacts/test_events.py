"""The event log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from msgspec.structs import replace

from accounts import tenancy
from accounts.models import Organisation
from contacts import events, records
from contacts.events import EventRefused, KeyConflict, NewEvent
from contacts.models import Event, EventKey, first_id
from contacts.records import Change
from crypto import data_keys
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("at_harbor")
Make = Callable[..., NewEvent]


@pytest.fixture
def contact_id(at_harbor: Organisation) -> int:
    change = Change(source="ehr", record_number="1", values={"given_name": "Ada"})
    return records.upsert([change], now=NOON).contact_ids[0]


@pytest.fixture
def visit(contact_id: int) -> Make:
    def make(**more: Any) -> NewEvent:
        facts = {"contact_id": contact_id, "kind": "visit.made", "occurred_at": NOON, **more}
        return NewEvent(**facts)

    return make


def visits() -> int:
    return Event.objects.filter(kind="visit.made").count()


def test_hd02_a_key_counts_once(visit: Make) -> None:
    first = events.append([visit(key="a"), visit(key="b")], now=NOON)
    again = events.append([visit(key="b"), visit(key="c")], now=NOON + timedelta(days=1))
    assert (first.accepted, again.accepted, again.duplicates) == (2, 1, 1)
    assert again.repeated == (0,)
    assert visits() == 3


def test_a_key_twice_in_one_batch_counts_once(visit: Make) -> None:
    assert events.append([visit(key="a"), visit(key="a")], now=NOON).accepted == 1


def test_hd02_the_same_key_for_another_event_is_a_conflict(visit: Make) -> None:
    events.append([visit(key="a")], now=NOON)
    with pytest.raises(KeyConflict) as conflict:
        events.append([visit(key="b"), visit(key="a", link="other")], now=NOON)
    assert conflict.value.positions == (1,)
    assert visits() == 1


def test_a_conflict_inside_one_batch_writes_nothing(visit: Make) -> None:
    with pytest.raises(KeyConflict):
        events.append([visit(key="a"), visit(key="a", link="other")], now=NOON)
    assert EventKey.objects.count() == 0


def test_our_own_keys_keep_the_first(visit: Make) -> None:
    events.append([visit(key="a")], now=NOON)
    later = visit(key="a", link="other")
    assert events.append([later], now=NOON, keep_first=True).duplicates == 1


def test_events_without_a_key_are_always_written(visit: Make) -> None:
    assert events.append([visit(), visit(), visit(key="a")], now=NOON).accepted == 3


def test_a_late_event_is_filed_by_when_it_came_and_dated_by_when_it_happened(visit: Make) -> None:
    long_ago = datetime(2019, 5, 1, tzinfo=UTC)
    events.append([visit(key="a", occurred_at=long_ago)], now=NOON)
    event = Event.objects.get(kind="visit.made")
    assert (event.occurred_at, event.received_at) == (long_ago, NOON)


def test_a_time_in_the_future_is_refused(visit: Make) -> None:
    with pytest.raises(EventRefused, match="event 2: occurred_at lies in the future"):
        events.append([visit(), visit(occurred_at=NOON + timedelta(days=1))], now=NOON)


@pytest.mark.parametrize("kind", ["", "Visit", "visit made", "x" * 61, "visit..made", "viśit"])
def test_a_kind_has_a_plain_form(visit: Make, kind: str) -> None:
    with pytest.raises(EventRefused, match="kind"):
        events.append([visit(kind=kind)], now=NOON)


def test_se01_a_contact_of_another_organisation_is_refused(visit: Make, hill: Organisation) -> None:
    with pytest.raises(EventRefused, match="not a contact of this organisation"):
        events.append([replace(visit(), contact_id=first_id(hill.pk))], now=NOON)


def test_se01_the_other_organisation_sees_no_events(visit: Make, hill: Organisation) -> None:
    events.append([visit()], now=NOON)
    with tenancy.acting_for(hill.pk):
        assert Event.objects.count() == 0


def test_properties_are_sealed_for_the_person(visit: Make, at_harbor: Organisation) -> None:
    events.append([visit(key="a", properties={"canary": "QX-canary-77"})], now=NOON)
    event = Event.objects.get(kind="visit.made")
    assert event.properties is not None
    sealed = bytes(event.properties)
    assert b"QX-canary-77" not in sealed
    key = data_keys.load(at_harbor.pk, [event.contact_id])[event.contact_id]
    opened = events.open_properties(event.contact_id, sealed, key=key)
    assert opened == {"canary": "QX-canary-77"}


def test_properties_that_are_no_json_are_refused(visit: Make) -> None:
    with pytest.raises(EventRefused, match="must be plain JSON"):
        events.append([visit(key="a", properties={"x": object()})], now=NOON)


def test_neither_key_nor_body_is_kept_readable(visit: Make) -> None:
    events.append([visit(key="mrn-4711", link="canary-link")], now=NOON)
    kept = EventKey.objects.get()
    assert b"4711" not in bytes(kept.key_hash) + bytes(kept.body_hash)
    assert len(bytes(kept.key_hash)) == 16


def test_partitions_are_made_months_ahead_and_only_once() -> None:
    day = datetime(2031, 5, 17, tzinfo=UTC)
    assert events.ensure_partitions(now=day, months=3) == 5
    assert events.ensure_partitions(now=day, months=3) == 0


def test_an_event_lands_in_the_partition_of_its_month(visit: Make) -> None:
    day = datetime(2031, 5, 17, tzinfo=UTC)
    events.ensure_partitions(now=day, months=0)
    events.append([visit(key="a")], now=day)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM contacts_event WHERE received_at = %s", [day]
        )
        assert cursor.fetchall() == [("contacts_event_2031_05",)]


def test_a_month_without_a_partition_still_takes_events(visit: Make) -> None:
    far = datetime(2044, 1, 1, tzinfo=UTC)
    events.append([visit(key="a")], now=far)
    assert events.ensure_partitions(now=far, months=0) == 1
    assert visits() == 1
