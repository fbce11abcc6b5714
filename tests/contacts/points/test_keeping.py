"""Addresses as rows: kept, found, shared, reserved, forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from contacts import erase, matching, points, records
from contacts.canonical import ValueRefused
from contacts.facts import PointFact
from contacts.merge import acts
from contacts.models import Contact, ContactPoint
from contacts.points import choosing, keeping, sealing, sharing
from contacts.points.keeping import NewPoint
from contacts.records import Change
from tests.conftest import NOON
from tests.consent.conftest import person

pytestmark = pytest.mark.usefixtures("at_harbor")
SAFE = "ada.safe@elsewhere.example"


def add(contact_id: int, value: object = SAFE, kind: str = "email", **more: object) -> ContactPoint:
    given = NewPoint(kind=kind, value=value, **more)  # type: ignore[arg-type]
    return keeping.add(contact_id, given, source="staff", now=NOON)


def address(contact_id: int, category: str = "") -> str | None:
    found = points.address_for([contact_id], channel="email", category=category, now=NOON)
    return found[contact_id].value if contact_id in found else None


def test_pr22_a_reserved_address_is_what_messaging_is_given() -> None:
    """PR-22"""
    ada = person("ada", email="home@family.example")
    add(ada, categories=frozenset({"reproductive"}))
    assert address(ada, "reproductive") == SAFE
    assert address(ada, "newsletter") == "home@family.example"


def test_pr22_for_what_an_address_is_reserved_stands_nowhere_in_the_clear() -> None:
    """PR-22: a row that says `reproductive` would tell what the person hides."""
    add(person("ada"), categories=frozenset({"reproductive"}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT contacts_contactpoint::text FROM contacts_contactpoint")
        stored = cursor.fetchone()[0] + str(bytes(ContactPoint.objects.get().payload))
    assert "reproductive" not in stored
    assert "safe" not in stored


def test_consent_learns_the_hash_of_the_address_that_will_be_used() -> None:
    ada = person("ada")
    row = add(ada, categories=frozenset({"all"}))
    own = {ada: bytes(Contact.objects.get(pk=ada).email_index or b"")}
    assert choosing.indexes_for(own, channel="email", now=NOON) == {
        ada: bytes(row.value_index or b"")
    }


def test_an_address_given_twice_is_one_row() -> None:
    ada = person("ada")
    add(ada)
    add(ada, value=SAFE.upper(), preferred=True)
    assert ContactPoint.objects.get().preferred is True


def test_pr22_an_address_that_is_repeated_stays_reserved() -> None:
    """PR-22: by another system, which knows nothing of what the person asked for."""
    ada = person("ada")
    add(ada, categories=frozenset({"reproductive"}))
    add(ada)
    assert address(ada, "reproductive") == SAFE


def test_a_bounce_counts_for_whichever_of_two_merged_contacts_has_the_address() -> None:
    ada, twin = person("ada"), person("twin")
    add(twin, preferred=True)
    acts.merge(ada, twin, now=NOON)
    keeping.bounced(ada, "email", SAFE, now=NOON)
    assert ContactPoint.objects.get().state == "bounced"
    assert address(ada) == "ada@patients.example"


def test_an_address_of_a_merged_contact_that_is_given_again_is_one_row() -> None:
    ada, twin = person("ada"), person("twin")
    add(twin)
    acts.merge(ada, twin, now=NOON)
    add(ada, preferred=True)
    assert ContactPoint.objects.get().preferred is True


def test_what_is_no_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueRefused) as refused:
        add(person("ada"), value="not an address 4711")
    assert "4711" not in str(refused.value)


def test_hd05_a_shared_address_is_counted_and_makes_nobody_the_same() -> None:
    """HD-05: mother and child with one address stay two people."""
    mother = person("mother", email="family@home.example")
    child = person("child", email="family@home.example")
    other = person("other")
    add(other, value="family@home.example")
    index = bytes(Contact.objects.get(pk=mother).email_index or b"")
    assert mother != child
    assert sharing.others(mother, [index]) == {index: 2}


def test_a_search_finds_who_has_the_address_as_a_further_one() -> None:
    ada = person("ada")
    add(ada)
    assert [one.id for one in matching.find("email", SAFE)] == [ada]


def test_an_address_that_bounced_gives_way_to_a_further_one() -> None:
    ada = person("ada", email="home@family.example")
    add(ada)
    keeping.bounced(ada, "email", "home@family.example", now=NOON)
    assert address(ada) == SAFE


def test_erasing_a_person_removes_the_addresses() -> None:
    ada = person("ada")
    add(ada)
    erase.erase(ada, now=NOON)
    assert not ContactPoint.objects.exists()


def test_an_address_cannot_be_changed_through_another_person() -> None:
    ada, ben = person("ada"), person("ben")
    row = add(ada)
    with pytest.raises(keeping.NoSuchPoint):
        keeping.change(row.pk, ben, now=NOON, preferred=True)


def test_what_a_source_says_of_addresses_becomes_rows_once() -> None:
    given = (
        PointFact(kind="email", value="one@x.example"),
        PointFact(kind="email", value="two@x.example", use="work", rank=2),
    )
    change = Change(source="ehr", record_number="1", values={}, points=given, occurred_at=NOON)
    (ada,) = records.upsert([change], now=NOON).contact_ids
    records.upsert([change], now=NOON + timedelta(hours=1))
    rows = ContactPoint.objects.order_by("rank")
    opened = sealing.open_many(list(rows))
    assert [opened[row.pk].value for row in rows] == ["one@x.example", "two@x.example"]
    assert {row.contact_id for row in rows} == {ada}


def test_hd03_an_older_word_on_an_address_does_not_undo_a_newer_one() -> None:
    """HD-03"""

    def said(use: str, days: int) -> Change:
        point = PointFact(kind="phone", value="+16175550101", use=use)
        at = NOON - timedelta(days=days)
        return Change(source="ehr", record_number="1", values={}, points=(point,), occurred_at=at)

    records.upsert([said("old", 1)], now=NOON)
    records.upsert([said("home", 2)], now=NOON)
    assert ContactPoint.objects.get().use == "old"
