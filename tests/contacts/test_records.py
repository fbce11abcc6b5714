"""Storing what sources say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts import records
from contacts.facts import CLEAR
from contacts.fields import DataClass
from contacts.models import Contact, Dirty, Event, Identifier
from contacts.records import Change
from contacts.reveal import reveal
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("at_harbor")

DIABETES = {
    "system": "http://snomed.info/sct", "code": "44054006", "display": "Diabetes",
    "status": "active", "date": "2011-04-01", "ref": "Condition/1",
}  # fmt: skip


def ada(*, at: datetime | None = None, number: str = "1001", **values: Any) -> Change:
    return Change(source="ehr", record_number=number, values=values, occurred_at=at)


def known(change: Change) -> dict[str, Any]:
    (contact_id,) = records.upsert([change], now=NOON).contact_ids
    return reveal([contact_id], list(DataClass), purpose="test")[contact_id]


def test_what_was_stored_comes_back() -> None:
    values = known(ada(given_name="Ada", birth_date="1961-02-03", conditions=[DIABETES]))
    assert values["given_name"] == "Ada"
    assert values["birth_date"] == "1961-02-03"
    assert values["conditions"] == [DIABETES]
    assert values["record_numbers"] == [{"source": "ehr", "value": "1001"}]


def test_hd02_saying_it_twice_changes_nothing() -> None:
    change = ada(given_name="Ada", conditions=[DIABETES], email="ada@example.test")
    records.upsert([change], now=NOON)
    before = Contact.objects.values().get()
    again = records.upsert([change], now=NOON + timedelta(hours=1))
    assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
    assert Contact.objects.values().get() == before


def test_two_changes_for_one_person_in_one_call_make_one_contact() -> None:
    outcome = records.upsert([ada(given_name="A"), ada(family_name="B")], now=NOON)
    assert outcome.created == 1
    assert len(set(outcome.contact_ids)) == 1


def test_hd03_an_older_event_never_overwrites_a_newer_value() -> None:
    known(ada(at=NOON - timedelta(days=1), city="Boston", phone="617-555-0101"))
    values = known(ada(at=NOON - timedelta(days=2), city="Quincy", state="MA"))
    assert (values["city"], values["state"]) == ("Boston", "MA")


def test_hd03_a_value_confirmed_later_withstands_a_late_change() -> None:
    known(ada(at=NOON - timedelta(days=3), city="Boston"))
    known(ada(at=NOON - timedelta(days=1), city="Boston"))
    assert known(ada(at=NOON - timedelta(days=2), city="Quincy"))["city"] == "Boston"


def test_hd03_a_cancelled_appointment_stays_cancelled_when_its_booking_comes_late() -> None:
    booked = {"status": "booked", "at": "2026-04-01T10:00:00Z", "ref": "Appointment/9"}
    known(ada(at=NOON - timedelta(hours=1), appointments=[{**booked, "status": "cancelled"}]))
    values = known(ada(at=NOON - timedelta(hours=2), appointments=[booked]))
    assert [item["status"] for item in values["appointments"]] == ["cancelled"]


def test_a_source_whose_clock_runs_ahead_does_not_block_tomorrow() -> None:
    known(ada(at=NOON + timedelta(days=900), city="Boston"))
    (contact_id,) = records.upsert([ada(city="Quincy")], now=NOON + timedelta(days=1)).contact_ids
    values = reveal([contact_id], [DataClass.CONTACT_POINT], purpose="test")
    assert values[contact_id]["city"] == "Quincy"


def test_clear_removes_and_absent_leaves() -> None:
    known(ada(city="Boston", postal_code="02115"))
    values = known(ada(city=CLEAR))
    assert "city" not in values
    assert values["postal_code"] == "02115"


def test_clearing_the_numbers_of_somebody_new_stores_the_rest() -> None:
    values = known(ada(given_name="Ada", record_numbers=CLEAR))
    assert values["given_name"] == "Ada"


def test_clearing_the_address_removes_it_from_search() -> None:
    known(ada(email="ada@example.test"))
    known(ada(email=CLEAR))
    assert Contact.objects.get().email_index is None


def test_a_list_merges_item_by_item() -> None:
    asthma = {**DIABETES, "code": "195967001", "ref": "Condition/2"}
    known(ada(conditions=[DIABETES]))
    assert len(known(ada(conditions=[asthma]))["conditions"]) == 2


def test_only_the_newest_result_of_a_code_is_kept() -> None:
    a1c = {"system": "http://loinc.org", "code": "4548-4", "display": "A1c", "value": 6.1}
    newer = {**a1c, "value": 7.2, "at": "2026-02-01T09:00:00Z"}
    older = {**a1c, "at": "2025-02-01T09:00:00Z"}
    assert known(ada(results=[newer, older]))["results"] == [newer]
    assert known(ada(results=[older]))["results"] == [newer]


def test_hd07_what_a_source_takes_back_leaves_the_record() -> None:
    known(ada(conditions=[DIABETES]))
    taken_back = Change(
        source="ehr", record_number="1001", values={}, retracted=frozenset({"Condition/1"})
    )
    assert "conditions" not in known(taken_back)


def test_hd05_a_mother_and_her_child_with_one_address_are_two_people() -> None:
    shared: dict[str, Any] = {"email": "family@example.test", "phone": "617-555-0101"}
    outcome = records.upsert(
        [ada(number="1", given_name="Ruth", **shared), ada(number="2", given_name="Tim", **shared)],
        now=NOON,
    )
    assert outcome.created == 2


def test_the_same_number_from_two_sources_is_two_people() -> None:
    other = Change(source="crm", record_number="1001", values={})
    assert records.upsert([ada(), other], now=NOON).created == 2


def test_a_further_number_never_moves_to_somebody_else() -> None:
    mine = Change(source="ehr", record_number="1", values={}, also=(("fhir", "a"),))
    theirs = Change(source="ehr", record_number="2", values={}, also=(("fhir", "a"),))
    outcome = records.upsert([mine, theirs], now=NOON)
    assert Identifier.objects.get(source="fhir").contact_id == outcome.contact_ids[0]


def test_a_change_marks_the_contact_dirty_and_writes_an_event() -> None:
    known(ada(city="Boston"))
    known(ada(city="Quincy"))
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["contact.created", "contact.updated"]
    assert Dirty.objects.count() == 2


def test_hd06_a_death_is_an_event_of_its_own() -> None:
    known(ada(deceased=False))
    known(ada(deceased=True))
    assert Event.objects.filter(kind="contact.deceased").count() == 1


def test_ordinals_are_dense() -> None:
    records.upsert([ada(number=str(n)) for n in range(5)], now=NOON)
    records.upsert([ada(number=str(n)) for n in range(3, 8)], now=NOON)
    assert sorted(Contact.objects.values_list("ordinal", flat=True)) == list(range(8))


def test_a_refused_value_names_its_field_and_not_itself() -> None:
    with pytest.raises(records.ChangeRefused) as refused:
        records.upsert([ada(), ada(number="2", birth_date="31.12.1970")], now=NOON)
    assert str(refused.value) == "change 2: birth_date: must be a date like 1970-12-31"
    assert Contact.objects.count() == 0


def test_se01_an_unknown_field_is_refused() -> None:
    with pytest.raises(records.ChangeRefused, match="is not a field"):
        records.upsert([ada(favourite_colour="red")], now=NOON)
