"""Who is proposed for review, and who never is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contacts import matching, records
from contacts.merge import acts, proposing
from contacts.models import Contact, Merge, MergeProposal
from contacts.records import Change
from tests.conftest import NOON
from tests.consent.conftest import person

pytestmark = pytest.mark.usefixtures("at_harbor")
ID = ("fhir", "p-1")


def known(source: str, number: str, **more: object) -> Change:
    return Change(source=source, record_number=number, values=more)


def reasons() -> list[str]:
    return list(MergeProposal.objects.values_list("reason", flat=True))


def test_the_same_number_and_birth_in_two_sources_is_proposed() -> None:
    records.upsert(
        [
            known("epic", "10042", birth_date="1961-02-03"),
            known("lab", "10042", birth_date="1961-02-03"),
            known("lab", "10043", birth_date="1961-02-03"),
        ],
        now=NOON,
    )
    proposing.seek(now=NOON)
    assert reasons() == ["same_number"]


def test_hd05_a_shared_address_proposes_nobody() -> None:
    """HD-05: mother and child, one inbox, one phone, even one name."""
    shared = {"email": "family@home.example", "phone": "617-555-0101", "family_name": "Ek"}
    person("mother", given_name="Eva", birth_date="1980-01-01", **shared)
    person("child", given_name="Eva", birth_date="2012-05-05", **shared)
    assert proposing.seek(now=NOON) == 0


def test_namesakes_without_a_birth_date_are_not_proposed() -> None:
    person("a", given_name="Jan", family_name="Ek")
    person("b", given_name="Jan", family_name="Ek")
    assert proposing.seek(now=NOON) == 0


def test_nobody_is_merged_without_a_person() -> None:
    records.upsert(
        [known(source, "10042", birth_date="1961-02-03") for source in ("epic", "lab")], now=NOON
    )
    proposing.seek(now=NOON)
    assert not Merge.objects.exists()


def test_whom_the_source_gives_both_numbers_is_one_contact() -> None:
    """The person first came without a record number, known by the resource's own id."""
    first = records.upsert([known(*ID)], now=NOON).contact_ids
    numbered = Change(source="mrn", record_number="77", values={}, also=(ID,), same_as=ID)
    again = records.upsert([numbered], now=NOON)
    assert again.contact_ids == first
    assert matching.ids_by_number([("mrn", "77")]) == list(first)


def test_further_numbers_identify_nobody_by_themselves() -> None:
    """A family shares the number of its insurance."""
    insured = ("plan", "F-1")
    one = Change(source="mrn", record_number="1", values={}, also=(insured,))
    two = Change(source="mrn", record_number="2", values={}, also=(insured,))
    assert len(set(records.upsert([one, two], now=NOON).contact_ids)) == 2


def test_two_contacts_whose_numbers_one_source_gives_together_are_proposed() -> None:
    records.upsert([known(*ID), known("mrn", "77")], now=NOON)
    together = Change(source="mrn", record_number="77", values={}, also=(ID,), same_as=ID)
    records.upsert([together], now=NOON)
    assert reasons() == ["one_record"]


def test_whom_staff_kept_apart_is_not_proposed_again() -> None:
    both = {"given_name": "Ada", "family_name": "Ek", "birth_date": "1961-02-03"}
    ada, twin = person("ada", **both), person("twin", **both)
    made = acts.merge(ada, twin, now=NOON)
    acts.undo(made.pk, now=NOON)
    proposing.seek(now=NOON)
    assert not MergeProposal.objects.filter(state="open").exists()


def test_the_loop_looks_again_when_people_came_since() -> None:
    person("ada")
    assert proposing.is_due(now=NOON)
    proposing.seek(now=NOON)
    assert not proposing.is_due(now=NOON + timedelta(days=2))
    Contact.objects.update(created_at=NOON + timedelta(days=9_999))
    assert proposing.is_due(now=NOON + timedelta(days=9_999))


def test_who_may_be_the_one_that_goes_may_be_the_one_that_stays() -> None:
    """A proposal of a contact that was merged leads nowhere; the person's own stands instead."""
    ada, twin, third = person("ada"), person("twin"), person("third")
    proposing.propose([(twin, third)], reason="same_number", now=NOON)
    made = acts.merge(ada, twin, now=NOON)
    merged = [(one.first_id, one.second_id) for one in proposing.waiting()]
    acts.undo(made.pk, now=NOON)
    assert merged == [(ada, third)]
    assert (twin, third) in [(one.first_id, one.second_id) for one in proposing.waiting()]
