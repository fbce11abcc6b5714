"""The door to contacts' values, and forgetting a person."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts import tenancy
from accounts.models import Organisation, User
from audit.actor import Actor, acting_as
from audit.models import Entry
from contacts import erase, events, matching, records, reveal
from contacts.events import NewEvent
from contacts.fields import DataClass
from contacts.models import Contact, Event, Identifier, first_id
from contacts.records import Change
from contacts.reveal import RevealRefused
from crypto import data_keys
from crypto.seal import SealBroken
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("at_harbor")

VALUES = {
    "given_name": "Canaryname",
    "email": "canary@example.test",
    "phone": "617-555-0199",
    "city": "Canaryville",
    "conditions": [{"system": "urn:x", "code": "canary-code", "status": "active"}],
    "encounters": [
        {"status": "finished", "at": "2026-01-05T09:00:00Z"},
        {"status": "cancelled", "at": "2026-02-05T09:00:00Z"},
    ],
}


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    change = Change(source="ehr", record_number="4711081547110815", values=VALUES)
    return records.upsert([change], now=NOON).contact_ids[0]


def staff(user: User) -> Actor:
    return Actor("staff", str(user.pk))


def test_only_the_classes_asked_for_are_opened(ada: int) -> None:
    opened = reveal.reveal([ada], [DataClass.IDENTITY], purpose="test")[ada]
    assert set(opened) == {"given_name", "record_numbers"}


def test_the_last_visit_took_place(ada: int) -> None:
    opened = reveal.reveal([ada], [DataClass.ENGAGEMENT], purpose="test")[ada]
    assert opened == {"last_visit": "2026-01-05T09:00:00Z", "journey_stage": "active"}


def test_pr19_a_role_gets_only_its_classes(ada: int, mara: User) -> None:
    with acting_as(staff(mara)), pytest.raises(RevealRefused, match="clinical"):
        reveal.reveal([ada], [DataClass.IDENTITY, DataClass.CLINICAL], purpose="test")


def test_a_refused_reveal_is_in_the_trail(ada: int, mara: User) -> None:
    with acting_as(staff(mara)), pytest.raises(RevealRefused):
        reveal.reveal([ada], [DataClass.CLINICAL], purpose="test")
    assert Entry.objects.filter(action="contact.revealed", outcome="refused").count() == 1


def test_pr19_a_clinical_role_gets_clinical_facts(ada: int, omar: User) -> None:
    with acting_as(staff(omar)):
        opened = reveal.reveal([ada], [DataClass.CLINICAL], purpose="test")[ada]
    assert opened["conditions"][0]["code"] == "canary-code"


def test_each_person_revealed_to_staff_is_an_entry(ada: int, omar: User) -> None:
    other = Change(source="ehr", record_number="2", values={"given_name": "Ben"})
    ids = [ada, *records.upsert([other], now=NOON).contact_ids]
    with acting_as(staff(omar)):
        reveal.reveal(ids, [DataClass.IDENTITY], purpose="test")
    subjects = Entry.objects.filter(actor_kind="staff").values_list("subject", flat=True)
    assert set(subjects) == {f"contact:{contact_id}" for contact_id in ids}


def test_where_the_trail_cannot_be_written_nothing_is_revealed(
    ada: int, omar: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("audit.trail.record_many", full)
    with acting_as(staff(omar)), pytest.raises(OSError, match="no room"):
        reveal.reveal([ada], [DataClass.IDENTITY], purpose="test")


def test_a_patient_reveals_nothing(ada: int) -> None:
    with acting_as(Actor("patient", "x")), pytest.raises(RevealRefused):
        reveal.reveal([ada], [DataClass.IDENTITY], purpose="test")


def test_se01_the_other_organisation_reveals_nothing(ada: int, hill: Organisation) -> None:
    with tenancy.acting_for(hill.pk):
        assert reveal.reveal([ada], list(DataClass), purpose="test") == {}


def test_sr08_a_record_moved_to_another_person_does_not_open(ada: int) -> None:
    other = Change(source="ehr", record_number="2", values={"given_name": "Ben"})
    (ben,) = records.upsert([other], now=NOON).contact_ids
    Contact.objects.filter(pk=ben).update(identity=Contact.objects.get(pk=ada).identity)
    with pytest.raises(SealBroken):
        reveal.reveal([ben], [DataClass.IDENTITY], purpose="test")


def test_sr08_a_record_moved_to_another_class_does_not_open(ada: int) -> None:
    Contact.objects.filter(pk=ada).update(identity=Contact.objects.get(pk=ada).clinical)
    with pytest.raises(SealBroken):
        reveal.reveal([ada], [DataClass.IDENTITY], purpose="test")


def dumped() -> bytes:
    """Everything that the organisation's rows hold of people."""
    with connection.cursor() as cursor:
        parts = []
        for table in ("contact", "identifier", "event", "eventkey", "dirty"):
            cursor.execute(f"SELECT t::text FROM contacts_{table} t")
            parts += [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT identity || contact_point || clinical FROM contacts_contact")
        return "".join(parts).encode() + b"".join(bytes(r[0]) for r in cursor.fetchall() if r[0])


def test_sr03_no_value_of_a_person_is_readable_at_rest(ada: int) -> None:
    happened = NewEvent(
        contact_id=ada, kind="visit.made", occurred_at=NOON, properties={"x": "canary-prop"}
    )
    events.append([happened], now=NOON)
    dump = dumped().lower()
    for canary in (b"canary", b"6175550199", b"4711081547110815"):
        assert canary not in dump


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "CANARY@example.TEST"),
        ("phone", "(617) 555-0199"),
        ("phone", "+1 617 555 0199"),
        ("record_number", "4711081547110815"),
    ],
)
def test_em22_an_exact_value_is_found_however_it_is_written(
    ada: int, kind: matching.Kind, value: str
) -> None:
    assert [contact.pk for contact in matching.find(kind, value)] == [ada]


@pytest.mark.parametrize("value", ["", " ", "canary", "canary@example", "%", "4711081547110815"])
def test_nothing_but_the_exact_value_is_found(ada: int, value: str) -> None:
    assert matching.find("email", value) == []


def test_a_search_is_in_the_trail_without_what_was_searched(ada: int) -> None:
    matching.find("email", "canary@example.test")
    entry = Entry.objects.get(action="contact.searched")
    assert "canary" not in str(entry.detail)


def test_se06_an_erased_person_is_gone(ada: int, at_harbor: Organisation) -> None:
    sealed = bytes(Contact.objects.get(pk=ada).identity or b"")
    erase.erase(ada, now=NOON)
    assert reveal.reveal([ada], list(DataClass), purpose="test") == {}
    assert matching.find("email", "canary@example.test") == []
    assert Identifier.objects.count() == 0
    assert data_keys.load(at_harbor.pk, [ada]) == {}
    assert sealed not in dumped()


def test_se06_the_properties_of_an_erased_persons_events_are_gone(ada: int) -> None:
    happened = NewEvent(contact_id=ada, kind="visit.made", occurred_at=NOON, properties={"x": "y"})
    events.append([happened], now=NOON)
    erase.erase(ada, now=NOON)
    assert set(Event.objects.values_list("properties", flat=True)) == {None}


def test_an_erased_person_who_comes_again_is_somebody_new(ada: int) -> None:
    erase.erase(ada, now=NOON)
    again = Change(source="ehr", record_number="4711081547110815", values=VALUES)
    assert records.upsert([again], now=NOON).contact_ids != (ada,)


def test_erasing_twice_is_refused(ada: int) -> None:
    erase.erase(ada, now=NOON)
    with pytest.raises(erase.AlreadyErased):
        erase.erase(ada, now=NOON)


def test_se01_the_other_organisation_erases_nobody(ada: int, hill: Organisation) -> None:
    with tenancy.acting_for(hill.pk), pytest.raises(erase.AlreadyErased):
        erase.erase(ada, now=NOON)


def test_ids_of_two_organisations_never_meet() -> None:
    assert first_id(2) - first_id(1) == 1 << 40
