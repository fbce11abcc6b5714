"""Where values come from, what stood before, and who may read that."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from contacts import amending, erase, records
from contacts.facts import CLEAR
from contacts.fields import DataClass
from contacts.history import reading
from contacts.history.reading import Provenance
from contacts.models import Contact, Event, Origin, ValueChange
from contacts.records import Change
from tests.conftest import NOON
from tests.consent.conftest import person

pytestmark = pytest.mark.usefixtures("at_harbor")
RUN = UUID(int=7)


def said(message: str = "", run: UUID | None = None, **values: object) -> int:
    change = Change(
        source="epic", record_number="1", values=values, message_id=message,
        occurred_at=NOON - timedelta(days=1), mapping="hl7/2",
    )  # fmt: skip
    return records.upsert([change], now=NOON, run=run).contact_ids[0]


def origin(contact_id: int, field: str, kind: DataClass = DataClass.CONTACT_POINT) -> Provenance:
    return reading.provenance(Contact.objects.get(pk=contact_id), kind)[field]


def changes(contact_id: int) -> list[dict[str, tuple[object, object]]]:
    kinds = [DataClass.IDENTITY, DataClass.CONTACT_POINT, DataClass.CLINICAL]
    return [one.fields for one in reading.revealed(contact_id, kinds, purpose="test")]


def test_hd18_a_value_is_traced_to_its_source_run_message_and_mapping() -> None:
    """HD-18"""
    found = origin(said(message="MSG-77", run=RUN, city="Boston"), "city")
    assert (found.source, found.message, found.run, found.mapping) == (
        "epic", "MSG-77", RUN, "hl7/2",
    )  # fmt: skip
    assert (found.known_at, found.came_at) == (NOON - timedelta(days=1), NOON)


def test_hd18_provenance_stays_when_the_log_of_events_is_gone() -> None:
    """HD-18: partitions of events are dropped after their time."""
    ada = said(run=RUN, city="Boston")
    Event.objects.all().delete()
    assert origin(ada, "city").run == RUN


def test_hd18_the_same_message_again_makes_nothing_new() -> None:
    """HD-18, HD-02"""
    first = said(message="MSG-77", city="Boston")
    before = ValueChange.objects.count()
    assert said(message="MSG-77", city="Boston") == first
    assert ValueChange.objects.count() == before


def test_pr28_what_was_amended_keeps_its_old_value() -> None:
    """PR-28: an amendment is a link to what stood, never an overwriting."""
    ada = person("ada", birth_date="1961-02-03")
    amending.amend({ada: {"birth_date": "1961-03-02"}}, source="staff", now=NOON)
    assert changes(ada)[0] == {"birth_date": ("1961-02-03", "1961-03-02")}
    found = origin(ada, "birth_date", DataClass.IDENTITY)
    assert (found.source, found.actor) == ("staff", "system:test")


def test_what_was_removed_keeps_its_old_value() -> None:
    ada = person("ada", city="Boston")
    amending.amend({ada: {"city": CLEAR}}, source="staff", now=NOON)
    assert changes(ada)[0] == {"city": ("Boston", None)}


def test_of_a_list_only_what_differs_is_kept() -> None:
    asthma = {"system": "s", "code": "1", "display": "Asthma", "status": "active", "ref": "a"}
    eczema = {"system": "s", "code": "2", "display": "Eczema", "status": "active", "ref": "b"}
    ada = person("ada", conditions=[asthma])
    amending.amend({ada: {"conditions": [eczema]}}, source="epic", now=NOON)
    assert changes(ada)[0] == {"conditions": ([], [eczema])}


def test_old_values_are_sealed_and_erased_with_the_person() -> None:
    ada = person("ada", city="Canaryville")
    amending.amend({ada: {"city": "Boston"}}, source="staff", now=NOON)
    assert b"Canaryville" not in bytes(ValueChange.objects.get().payload)
    erase.erase(ada, now=NOON)
    assert not ValueChange.objects.exists()


def test_people_who_come_in_together_cost_one_origin() -> None:
    many = [Change(source="csv", record_number=str(n), values={}) for n in range(50)]
    records.upsert(many, now=NOON)
    assert (Origin.objects.count(), ValueChange.objects.count()) == (1, 0)
