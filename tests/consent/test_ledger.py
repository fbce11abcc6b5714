"""What is recorded stands, and what stands was recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from accounts.models import Organisation
from audit.models import Entry as TrailEntry
from consent import forms, gate, ledger, suppression
from consent.gate import GateRequest
from consent.ledger import ConsentInvalid, Signing
from consent.models import Authorization, Entry
from consent.policy import Permit, Refusal
from contacts.erase import erase
from contacts.models import Event
from tests.conftest import NOON
from tests.consent.conftest import person

LATER = NOON + timedelta(days=1)


def signing(contact_id: int) -> Signing:
    return Signing(
        contact_id,
        purposes=frozenset({"marketing"}),
        classes=frozenset({"identity", "clinical"}),
        signed_at=NOON,
        expires_on=date(2027, 3, 2),
        zone="America/New_York",
    )


def sign(contact_id: int) -> Authorization:
    return Authorization.objects.get(
        id=ledger.record_authorization(signing(contact_id), received_by="paper", now=NOON)
    )


def answer(contact_id: int, purpose: str = "marketing", *, topic: str = "") -> str:
    asked = GateRequest(contact_id, purpose, classes=frozenset({"clinical"}), topic=topic)
    (given,) = gate.ask([asked], now=LATER)
    return given.basis if isinstance(given, Permit) else given.code


def test_a_signature_permits_what_it_covers(ada: int) -> None:
    """PR-01"""
    sign(ada)
    assert answer(ada) == "authorization"


def test_a_person_who_signed_nothing_is_refused(cleo: int) -> None:
    """PR-01"""
    assert answer(cleo) == "no_authorization"


def test_a_revocation_counts_at_once(ada: int) -> None:
    """PR-04"""
    ledger.revoke(sign(ada).id, received_by="portal", now=LATER)
    assert answer(ada) == "auth_revoked"


def test_a_revocation_counts_even_where_the_asker_has_a_slower_clock(ada: int) -> None:
    """PR-04"""
    ledger.revoke(sign(ada).id, received_by="portal", now=LATER + timedelta(hours=1))
    assert answer(ada) == "auth_revoked"


def test_revoking_twice_is_recorded_once(ada: int) -> None:
    one = sign(ada)
    assert [ledger.revoke(one.id, received_by="portal", now=LATER) for _ in "ab"] == [True, False]


def test_the_ledger_holds_when_by_whom_and_how_it_was_received(ada: int) -> None:
    """PR-04"""
    ledger.revoke(sign(ada).id, received_by="phone", now=LATER)
    entry = Entry.objects.get(kind="revoked")
    told = (entry.contact_id, entry.received_by, entry.received_at, entry.actor_kind)
    assert told == (ada, "phone", LATER, "system")


def test_every_act_of_consent_is_in_the_trail_and_in_the_timeline(ada: int) -> None:
    sign(ada)
    assert TrailEntry.objects.filter(action="consent.recorded").count() == 1
    assert Event.objects.filter(contact_id=ada, kind="consent.authorized").count() == 1


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("purposes", frozenset()),
        ("purposes", frozenset({"newsletter"})),
        ("classes", frozenset({"shoe size"})),
        ("classes", frozenset()),
        ("expires_on", None),
        ("zone", "Boston"),
        ("signed_at", NOON + timedelta(seconds=1)),
    ],
)
def test_an_authorization_that_lacks_an_element_is_not_recorded(
    ada: int, element: str, value: object
) -> None:
    """PR-08"""
    with pytest.raises(ConsentInvalid):
        ledger.record_authorization(
            replace(signing(ada), **{element: value}),  # type: ignore[arg-type]
            received_by="paper",
            now=NOON,
        )


def test_an_event_that_ends_an_authorization_ends_it(ada: int) -> None:
    """PR-08"""
    from contacts.events import NewEvent, append

    until = replace(signing(ada), expires_on=None, expires_event="treatment.ended")
    ledger.record_authorization(until, received_by="paper", now=NOON)
    before = answer(ada)
    append([NewEvent(contact_id=ada, kind="treatment.ended", occurred_at=NOON)], now=NOON)
    assert (before, answer(ada)) == ("authorization", "auth_expired")


def test_opting_out_of_everything_stops_care_messages_too(ada: int) -> None:
    """CS-01"""
    sign(ada)
    ledger.opt_out(ada, received_by="one_click", now=LATER)
    assert {answer(ada), answer(ada, "treatment")} == {"opted_out"}


def test_opting_out_of_a_topic_leaves_the_others(ada: int) -> None:
    sign(ada)
    ledger.opt_out(ada, topic="diabetes", received_by="preferences", now=LATER)
    assert (answer(ada, topic="diabetes"), answer(ada, topic="heart")) == (
        "opted_out",
        "authorization",
    )


def test_saying_no_twice_adds_nothing(ada: int) -> None:
    again = [ledger.opt_out(ada, received_by="one_click", now=LATER) for _ in "ab"]
    assert again[0] == again[1] and Entry.objects.filter(kind="opted_out").count() == 1


def test_a_no_is_lifted_by_the_person_only_in_the_scope_it_was_said(ada: int) -> None:
    ledger.opt_out(ada, received_by="one_click", now=LATER)
    assert ledger.opt_in(ada, topic="diabetes", received_by="preferences", now=LATER) == 0
    assert ledger.opt_in(ada, received_by="preferences", now=LATER) == 1
    assert answer(ada, "treatment") == "treatment"


def test_a_no_outlives_the_contact_and_meets_the_address_again(ada: int) -> None:
    """CS-02: opt out, erase, come back from another source."""
    ledger.opt_out(ada, received_by="one_click", now=NOON)
    erase(ada, now=LATER)
    again = person("other-number", email="Ada@patients.example")
    assert again != ada and answer(again, "treatment") == "opted_out"


def test_a_suppressed_address_is_refused_whoever_has_it(ada: int) -> None:
    """CS-02"""
    suppression.suppress(
        "ADA@patients.example", reason="hard_bounce", received_by="smtp", now=LATER
    )
    assert answer(ada, "treatment") == "suppressed"


def test_a_suppression_keeps_no_address(ada: int) -> None:
    """CS-02"""
    suppression.suppress("ada@patients.example", reason="staff", received_by="staff", now=LATER)
    with connection.cursor() as cursor:
        cursor.execute("select (s.*)::text from consent_suppression s")
        assert "patients" not in cursor.fetchone()[0]


def test_a_suppression_can_be_released_once(ada: int) -> None:
    found = suppression.suppress_contact(ada, reason="complaint", received_by="arf", now=LATER)
    assert found is not None
    freed = [suppression.release(found, received_by="staff", now=LATER) for _ in "ab"]
    assert freed == [True, False] and answer(ada, "treatment") == "treatment"


def test_death_stops_everything(at_harbor: Organisation) -> None:
    """PR-36, HD-06"""
    dora = person("dora", deceased=True)
    assert answer(dora, "treatment") == "deceased"


def test_a_death_recorded_by_mistake_can_be_corrected(at_harbor: Organisation) -> None:
    dora = person("dora", deceased=True)
    person("dora", deceased=False)
    assert answer(dora, "treatment") == "treatment"


def test_a_form_keeps_its_words_under_its_number(at_harbor: Organisation) -> None:
    """PR-15"""
    first = forms.add_version("marketing", language="en", text="I agree.", now=NOON)
    second = forms.add_version("marketing", language="en", text="I do agree.", now=NOON)
    again = forms.add_version("marketing", language="en", text="I do agree.", now=LATER)
    assert (first.number, second.number, again.id) == (1, 2, second.id)


def test_a_form_that_states_payment_covers_paid_marketing(ada: int) -> None:
    form = forms.add_version(
        "paid", language="en", text="A maker pays us.", states_remuneration=True, now=NOON
    )
    paid = replace(
        signing(ada), purposes=frozenset({"remunerated_marketing"}), form_version=form.id
    )
    ledger.record_authorization(paid, received_by="paper", now=NOON)
    assert answer(ada, "remunerated_marketing") == "authorization"


@pytest.mark.parametrize(
    "statement",
    [
        "update consent_entry set contact_id = 1",
        "delete from consent_entry",
        "delete from consent_authorization",
        "update consent_authorization set classes = '{clinical,coverage}'",
        "update consent_authorization set revoked_at = null",
        "update consent_formversion set text = 'I agree to everything.'",
        "delete from consent_formversion",
        "delete from consent_optout",
        "delete from consent_suppression",
        "update consent_suppression set channel = 'sms'",
    ],
)
def test_the_database_refuses_to_rewrite_what_people_said(ada: int, statement: str) -> None:
    """PR-15"""
    ledger.revoke(sign(ada).id, received_by="portal", now=LATER)
    forms.add_version("marketing", language="en", text="I agree.", now=NOON)
    ledger.opt_out(ada, received_by="one_click", now=LATER)
    suppression.suppress_contact(ada, reason="staff", received_by="staff", now=LATER)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_another_organisation_sees_none_of_it(ada: int, hill: Organisation) -> None:
    """SE-01"""
    from accounts import tenancy

    sign(ada)
    with tenancy.acting_for(hill.pk):
        assert not Authorization.objects.exists() and not Entry.objects.exists()
        (given,) = gate.ask([GateRequest(ada, "treatment")], now=LATER)
    assert isinstance(given, Refusal) and given.code == "unknown_contact"


def test_many_signatures_are_recorded_together_or_not_at_all(ada: int, ben: int) -> None:
    broken = replace(signing(ben), purposes=frozenset())
    with pytest.raises(ConsentInvalid):
        ledger.record_authorizations([signing(ada), broken], received_by="import", now=NOON)
    assert not Authorization.objects.exists()
