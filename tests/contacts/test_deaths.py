"""A date of death says that somebody died, by whichever way it came."""

from __future__ import annotations

import pytest

from consent import gate
from consent.gate import GateRequest
from contacts import amending, records
from contacts.changes import ChangeRefused
from contacts.facts import CLEAR
from contacts.models import Contact, Event
from contacts.records import Change
from tests.conftest import NOON
from tests.consent.conftest import person

pytestmark = pytest.mark.usefixtures("at_harbor")


def answer(contact_id: int) -> str:
    (found,) = gate.ask([GateRequest(contact_id, "treatment")], now=NOON)
    return getattr(found, "code", "permit")


def test_pr36_a_date_of_death_alone_stops_messages() -> None:
    """PR-36: many tables have the date and no other column."""
    dora = person("dora", deceased_at="2026-02-27")
    assert answer(dora) == "deceased"
    assert Event.objects.filter(contact_id=dora, kind="contact.deceased").exists()


def test_hd06_a_date_of_death_that_comes_later_stops_them_too() -> None:
    """HD-06"""
    dora = person("dora", deceased=False)
    person("dora", deceased_at="2026-02-27")
    assert answer(dora) == "deceased"


def test_a_date_of_death_of_somebody_said_to_live_is_refused() -> None:
    change = Change(
        source="ehr", record_number="1", values={"deceased": False, "deceased_at": "2026-02-27"}
    )
    with pytest.raises(ChangeRefused) as refused:
        records.upsert([change], now=NOON)
    assert refused.value.field == "deceased"


def test_a_death_recorded_by_hand_is_taken_back_by_hand() -> None:
    dora = person("dora")
    amending.amend({dora: {"deceased_at": "2026-02-27"}}, source="staff", now=NOON)
    dead = answer(dora)
    amending.amend({dora: {"deceased": False, "deceased_at": CLEAR}}, source="staff", now=NOON)
    assert (dead, answer(dora)) == ("deceased", "permit")
    assert not Contact.objects.get(pk=dora).deceased
