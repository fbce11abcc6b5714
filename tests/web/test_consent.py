"""The consent desk: figures, one person's proof, and acts that staff record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation, User
from audit.models import Entry as TrailEntry
from consent import gate, ledger
from consent.models import Authorization, Entry, OptOut
from consent.policy import Answer, Permit, Refusal
from contacts import records
from contacts.models import Contact

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
ASKED = {"purpose": "marketing", "classes": frozenset({"identity", "clinical"})}


@pytest.fixture
def cleo(at_harbor: Organisation) -> Contact:
    """Somebody who was never asked."""
    change = records.Change(
        source="test", record_number="c-1", values={"email": "cleo@example.test"}
    )
    (contact_id,) = records.upsert([change], now=timezone.now()).contact_ids
    return Contact.objects.get(id=contact_id)


def signed(contact: Contact, *, now: datetime, until: date | None = None) -> Authorization:
    one = ledger.Signing(
        contact_id=contact.id,
        purposes=frozenset({"marketing"}),
        classes=frozenset({"identity", "clinical"}),
        signed_at=now - timedelta(days=1),
        expires_on=until or (now + timedelta(days=400)).date(),
    )
    return Authorization.objects.get(
        id=ledger.record_authorization(one, received_by="staff", now=now)
    )


def asked(contact: Contact) -> Answer:
    request = gate.GateRequest(contact_id=contact.id, **ASKED)  # type: ignore[arg-type]
    return gate.ask([request], now=timezone.now())[0]


def paper(**more: object) -> dict[str, object]:
    return {
        "purposes": ["marketing"],
        "classes": ["identity", "clinical"],
        "signed_on": "2026-01-15",
        "expires_on": "2099-01-15",
    } | more


def test_the_desk_counts_people_with_a_live_authorization_once(
    sign_in_as: SignedIn, omar: User, cleo: Contact
) -> None:
    for _ in range(2):
        signed(cleo, now=timezone.now())
    page = sign_in_as(omar).get("/consent/")
    rows = {row.purpose: row.authorized for row in page.context["standing"].coverage}
    assert rows["marketing"] == 1


def test_an_expired_authorization_is_not_counted(
    sign_in_as: SignedIn, omar: User, cleo: Contact
) -> None:
    signed(cleo, now=timezone.now() - timedelta(days=90), until=date(2026, 1, 1))
    page = sign_in_as(omar).get("/consent/")
    rows = {row.purpose: row.authorized for row in page.context["standing"].coverage}
    assert rows["marketing"] == 0


def test_a_recorded_paper_permits_marketing_from_then_on(
    sign_in_as: SignedIn, omar: User, cleo: Contact
) -> None:
    """PR-01: without an authorization marketing is refused; with one it is permitted."""
    assert isinstance(asked(cleo), Refusal)
    sign_in_as(omar).post(f"/consent/{cleo.public_id}/authorizations/", paper())
    assert isinstance(asked(cleo), Permit)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purposes", []),
        ("classes", []),
        ("signed_on", "2999-01-01"),
        ("expires_on", "2020-01-01"),
        ("expires_on", ""),
        ("form_version", "not-a-text"),
    ],
)
def test_a_defective_paper_is_refused_at_its_field(
    sign_in_as: SignedIn, omar: User, cleo: Contact, field: str, value: object
) -> None:
    page = sign_in_as(omar).post(
        f"/consent/{cleo.public_id}/authorizations/", paper(**{field: value})
    )
    assert page.status_code == 422
    assert field in page.context["record_form"].errors
    assert not Authorization.objects.exists()


def test_a_withdrawal_counts_at_once(sign_in_as: SignedIn, omar: User, cleo: Contact) -> None:
    """PR-04: effective on receipt, with the way it was received on the ledger."""
    one = signed(cleo, now=timezone.now())
    address = f"/consent/{cleo.public_id}/authorizations/{one.id}/withdrawal/"
    sign_in_as(omar).post(address, {"received_by": "telephone"})
    answer = asked(cleo)
    assert isinstance(answer, Refusal) and answer.code == "auth_revoked"
    assert Entry.objects.get(kind="revoked").received_by == "telephone"


def test_a_no_by_telephone_stops_treatment_mail_too(
    sign_in_as: SignedIn, omar: User, cleo: Contact
) -> None:
    sign_in_as(omar).post(
        f"/consent/{cleo.public_id}/opt-outs/", {"received_by": "telephone", "purpose": ""}
    )
    assert OptOut.objects.filter(contact_id=cleo.id).exists()


def test_reading_a_persons_consent_is_in_the_trail(
    sign_in_as: SignedIn, omar: User, cleo: Contact
) -> None:
    sign_in_as(omar).get(f"/consent/{cleo.public_id}/")
    entry = TrailEntry.objects.get(action="consent.viewed")
    assert (entry.subject, entry.actor_id) == (f"contact:{cleo.id}", str(omar.pk))


def test_a_marketer_reads_but_records_nothing(
    sign_in_as: SignedIn, mara: User, cleo: Contact
) -> None:
    client = sign_in_as(mara)
    assert client.get(f"/consent/{cleo.public_id}/").status_code == 200
    refused = client.post(f"/consent/{cleo.public_id}/authorizations/", paper())
    assert refused.status_code == 403
    assert not Authorization.objects.exists()


def test_another_organisation_finds_nobody(sign_in_as: SignedIn, ivy: User, cleo: Contact) -> None:
    with tenancy.acting_for(ivy.organisation_id):
        ivy.role = "compliance"
        ivy.save(update_fields=["role"])
    assert sign_in_as(ivy).get(f"/consent/{cleo.public_id}/").status_code == 404


def test_another_persons_authorization_cannot_be_withdrawn_through_this_page(
    sign_in_as: SignedIn, omar: User, cleo: Contact
) -> None:
    other = records.Change(source="test", record_number="d-1", values={})
    (other_id,) = records.upsert([other], now=timezone.now()).contact_ids
    one = signed(Contact.objects.get(id=other_id), now=timezone.now())
    address = f"/consent/{cleo.public_id}/authorizations/{one.id}/withdrawal/"
    assert sign_in_as(omar).post(address, {"received_by": "letter"}).status_code == 404
