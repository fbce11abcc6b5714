"""The rules as tables, the settings of sending, and what one person asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from consent import gate
from consent.gate import GateRequest, Permit
from consent.models import Carrier, Entry, FrequencyCap, QuietTime, Restriction
from consent.purposes import Purpose
from consent.reasons import REASONS
from consent.sending import terms
from consent.wishes import record
from contacts import records
from contacts.models import Contact
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def nia(at_harbor: Organisation) -> User:
    """Administrator at Harbor."""
    return staff.add("nia@harbor.example", name="Nia Odum", role=Role.ADMINISTRATOR, now=NOON)


@pytest.fixture
def cleo(at_harbor: Organisation) -> Contact:
    change = records.Change(
        source="test", record_number="c-1", values={"email": "cleo@example.test"}
    )
    (contact_id,) = records.upsert([change], now=timezone.now()).contact_ids
    return Contact.objects.get(id=contact_id)


def answer(contact: Contact, purpose: str = "treatment") -> str:
    (given,) = gate.ask([GateRequest(contact.id, purpose)], now=timezone.now())
    return given.basis if isinstance(given, Permit) else given.code


def test_the_table_shows_every_purpose_and_every_reason(omar: User, sign_in_as: SignedIn) -> None:
    """PR-01"""
    page = sign_in_as(omar).get("/consent/purposes/").content.decode()
    assert all(f"<code>{code}</code>" in page for code in [*Purpose, *REASONS])


def test_the_settings_show_what_stands(nia: User, sign_in_as: SignedIn) -> None:
    page = sign_in_as(nia).get("/settings/sending/").content.decode()
    assert "may carry" in page and "refused: no_baa" in page


def test_quiet_hours_are_added_and_removed(nia: User, sign_in_as: SignedIn) -> None:
    """TC-04"""
    client = sign_in_as(nia)
    client.post(
        "/settings/sending/quiet-hours/", {"begins": "21:00", "ends": "08:00", "days": ["6", "7"]}
    )
    (one,) = QuietTime.objects.all()
    assert one.days == [6, 7] and len(terms.read(now=NOON).quiet) == 1
    client.post(f"/settings/sending/quiet-hours/{one.id}/end/")
    assert terms.read(now=NOON).quiet == ()


def test_hours_without_a_length_are_refused_in_words(nia: User, sign_in_as: SignedIn) -> None:
    given = {"begins": "21:00", "ends": "21:00"}
    answered = sign_in_as(nia).post("/settings/sending/quiet-hours/", given)
    assert answered.status_code == 422 and "two different times" in answered.content.decode()


def test_a_cap_is_added_and_removed(nia: User, sign_in_as: SignedIn) -> None:
    client = sign_in_as(nia)
    given = {"most": "2", "days": "7", "when_full": "hold", "purposes": ["marketing"]}
    client.post("/settings/sending/caps/", given)
    one = FrequencyCap.objects.get()
    client.post(f"/settings/sending/caps/{one.id}/end/")
    assert terms.read(now=NOON).caps == ()


def test_how_far_stop_reaches_is_set(nia: User, sign_in_as: SignedIn) -> None:
    """TC-03"""
    sign_in_as(nia).post("/settings/sending/stop/", {"everything_from": "2026-01-31"})
    assert terms.read(now=NOON).stop_means_all


def test_a_marketer_may_not_change_how_messages_go(mara: User, sign_in_as: SignedIn) -> None:
    given = {"most": "2", "days": "7", "when_full": "hold"}
    assert sign_in_as(mara).post("/settings/sending/caps/", given).status_code == 403


def test_a_vendor_without_an_agreement_stops_its_channel(
    nia: User, sign_in_as: SignedIn, cleo: Contact
) -> None:
    """PR-32"""
    given = {"channel": "email", "name": "Vendor"}
    sign_in_as(nia).post("/settings/sending/routes/", given)
    assert Carrier.objects.get().name == "Vendor" and answer(cleo) == "no_baa"


def test_a_restriction_is_recorded_and_ended(
    omar: User, sign_in_as: SignedIn, cleo: Contact
) -> None:
    """PR-23"""
    client, here = sign_in_as(omar), f"/consent/{cleo.public_id}"
    client.post(f"{here}/restrictions/", {"purposes": ["treatment"], "received_by": "letter"})
    assert answer(cleo) == "restricted"
    one = Restriction.objects.get()
    client.post(f"{here}/restrictions/{one.id}/end/", {"how": "agreement"})
    assert answer(cleo) == "treatment"


def test_a_confidential_request_is_recorded_and_ended(
    omar: User, sign_in_as: SignedIn, cleo: Contact
) -> None:
    """PR-22: nobody asks why."""
    client, here = sign_in_as(omar), f"/consent/{cleo.public_id}"
    client.post(f"{here}/confidential/", {"category": "payment", "received_by": "letter"})
    assert answer(cleo, "payment") == "confidential_address"
    one = Entry.objects.get(kind="confidential")
    client.post(f"{here}/wishes/confidential/{one.concerns}/end/")
    assert answer(cleo, "payment") == "payment"


def test_a_wish_for_open_mail_shows_its_warning(
    omar: User, sign_in_as: SignedIn, cleo: Contact
) -> None:
    """PR-38"""
    client, here = sign_in_as(omar), f"/consent/{cleo.public_id}"
    client.post(f"{here}/plain/", {"channel": "email", "received_by": "in_person"})
    page = client.get(f"{here}/wishes/").content.decode()
    assert "Unencrypted messages, en, version 1" in page


def test_a_part2_consent_is_shown_and_withdrawn(
    omar: User, sign_in_as: SignedIn, cleo: Contact
) -> None:
    """PR-29"""
    now = timezone.now()
    one = record.sign_part2(cleo.id, signed_at=now, received_by="paper", now=now)
    client, here = sign_in_as(omar), f"/consent/{cleo.public_id}"
    assert "treatment, payment and operations" in client.get(f"{here}/wishes/").content.decode()
    client.post(f"{here}/wishes/part2/{one}/end/")
    assert Entry.objects.filter(kind="part2_revoked").count() == 1


def test_another_persons_restriction_cannot_be_ended_here(
    omar: User, sign_in_as: SignedIn, cleo: Contact
) -> None:
    change = records.Change(source="test", record_number="d-1", values={"given_name": "Dan"})
    (other,) = records.upsert([change], now=NOON).contact_ids
    one = record.restrict(other, received_by="letter", now=timezone.now() - timedelta(days=1))
    gone = sign_in_as(omar).post(
        f"/consent/{cleo.public_id}/restrictions/{one}/end/", {"how": "agreement"}
    )
    assert gone.status_code == 404


def test_who_pays_is_kept_on_the_draft_and_shown(
    mara: User, sign_in_as: SignedIn, at_harbor: Organisation
) -> None:
    """PR-02"""
    from messaging.models import Template

    client = sign_in_as(mara)
    client.post("/templates/", {"name": "Statins", "purpose": "treatment"})
    draft = Template.objects.get()
    given: dict[str, Any] = {
        "name": "Statins", "purpose": "treatment", "subject": "s", "mjml": "m", "text": "t",
        "payer": "Acme", "product_of": "Acme", "kind": "cash", "amount": "100", "act": "save",
    }  # fmt: skip
    client.post(f"/templates/{draft.id}/", given)
    page = client.get(f"/templates/{draft.id}/").content.decode()
    assert "by its payment: <strong>Marketing that somebody pays for" in page
