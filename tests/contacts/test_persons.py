"""Contacts that are one person, and the word on death that no log has to keep."""

from __future__ import annotations

import pytest
from django.db import connection

from consent import gate
from consent.gate import GateRequest
from contacts import persons, points
from contacts.amending import amend
from contacts.models import Contact
from tests.conftest import NOON
from tests.consent.conftest import person

pytestmark = pytest.mark.usefixtures("at_harbor")


def code(contact_id: int) -> str:
    (answer,) = gate.ask([GateRequest(contact_id, "treatment")], now=NOON)
    return getattr(answer, "code", "permit")


def test_a_contact_that_was_never_merged_is_itself_alone() -> None:
    ada, ben = person("ada"), person("ben")
    assert persons.ids_of([ada, ben]) == {ada: (ada,), ben: (ben,)}


def test_all_contacts_of_a_person_name_each_other() -> None:
    ada, ben, cleo = person("ada"), person("ben"), person("cleo")
    Contact.objects.filter(id__in=[ben, cleo]).update(merged_into=ada)
    assert persons.ids_of([cleo, ada]) == {cleo: (ada, ben, cleo), ada: (ada, ben, cleo)}
    assert persons.standing_for([ben, ada]) == {ben: ada, ada: ada}


def test_hd06_death_holds_when_the_log_of_events_is_gone() -> None:
    """HD-06, PR-36: partitions are dropped after their time; the refusal must not go with them."""
    dora = person("dora", deceased=True)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM contacts_event WHERE contact_id = %s", [dora])
    assert code(dora) == "deceased"


def test_hd06_a_correction_by_another_class_of_facts_does_not_undo_death() -> None:
    """HD-06"""
    dora = person("dora", deceased=True)
    amend({dora: {"city": "Boston"}}, source="staff", now=NOON)
    assert code(dora) == "deceased"


def test_hd06_an_amended_record_of_death_counts_at_once_and_can_be_taken_back() -> None:
    """HD-06: an error in the record must be mendable, or the living are silenced for good."""
    dora = person("dora")
    amend({dora: {"deceased": True}}, source="staff", now=NOON)
    first = code(dora)
    amend({dora: {"deceased": False}}, source="staff", now=NOON)
    assert (first, code(dora)) == ("deceased", "permit")


def test_the_address_of_the_record_is_where_a_message_goes() -> None:
    ada, ben = person("ada", email="ada@home.example"), person("ben", phone="617-555-0101")
    found = points.address_for([ada, ben], channel="email", now=NOON)
    assert found[ada].value == "ada@home.example"
    assert "home.example" not in repr(found)
