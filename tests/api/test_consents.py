"""Consent recorded and revoked by another system."""

from __future__ import annotations

from typing import Any

from accounts import tenancy
from accounts.models import Organisation
from consent.models import Authorization, OptOut
from contacts.models import Contact
from tests.api.conftest import Machine, problem


def signed(contact: Contact, **more: Any) -> dict[str, Any]:
    return {
        "contact": str(contact.public_id),
        "purposes": ["marketing"],
        "classes": ["identity", "clinical"],
        "signed_at": "2026-03-01T09:30:00-05:00",
        "expires_on": "2099-03-01",
    } | more


def test_an_authorization_is_recorded_and_revoked(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    made = machine.post("consents", signed(ada)).json()["id"]
    assert machine.post(f"consents/{made}/revocation", {}).json() == {"revoked": True}
    assert machine.post(f"consents/{made}/revocation", {}).json() == {"revoked": False}
    with tenancy.acting_for(harbor.pk):
        assert Authorization.objects.get(pk=made).revoked_at is not None


def test_repeating_with_a_key_records_once(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    """HD-02."""
    for _ in range(3):
        machine.post("consents", signed(ada), Idempotency_Key="paper-77")
    with tenancy.acting_for(harbor.pk):
        assert Authorization.objects.count() == 1


def test_an_authorization_without_an_end_is_refused(machine: Machine, ada: Contact) -> None:
    problem(machine.post("consents", signed(ada, expires_on=None)), 422, "invalid")


def test_an_unknown_purpose_is_pointed_at(machine: Machine, ada: Contact) -> None:
    body = problem(machine.post("consents", signed(ada, purposes=["fun"])), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/purposes/0"


def test_a_contact_of_another_organisation_cannot_be_signed_for(
    stranger: Machine, ada: Contact
) -> None:
    """SE-02."""
    body = problem(stranger.post("consents", signed(ada)), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/contact"


def test_an_opt_out_is_recorded(machine: Machine, ada: Contact, harbor: Organisation) -> None:
    sent = {"contact": str(ada.public_id), "channel": "email"}
    assert machine.post("opt-outs", sent).status_code == 201
    with tenancy.acting_for(harbor.pk):
        assert OptOut.objects.filter(contact_id=ada.id, channel="email").exists()
