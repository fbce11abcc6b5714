"""Wishes, purposes and questions to the gate over the API."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from consent.models import Entry
from contacts.models import Contact
from tests.api.conftest import Machine, problem


def decided(machine: Machine, contact: Contact, **more: Any) -> dict[str, Any]:
    asked = {"contacts": [str(contact.public_id)], "purpose": "treatment"} | more
    (one,) = machine.post("decisions", asked).json()["decisions"]
    found: dict[str, Any] = one
    return found


def test_the_purposes_come_with_the_version_of_their_rules(machine: Machine) -> None:
    """PR-01"""
    body = machine.get("purposes").json()
    assert body["rules"] and len(body["purposes"]) == 11


def test_a_restriction_is_recorded_asked_about_and_ended(machine: Machine, ada: Contact) -> None:
    """PR-23"""
    sent = {"contact": str(ada.public_id), "purposes": ["treatment"]}
    made = machine.post("restrictions", sent).json()["id"]
    assert decided(machine, ada)["code"] == "restricted"
    assert machine.post(f"restrictions/{made}/end", {"how": "agreement"}).json() == {"ended": True}
    assert decided(machine, ada)["code"] != "restricted"


@pytest.mark.parametrize(
    ("address", "more", "kind"),
    [
        ("confidential-requests", {"category": "reproductive"}, "confidential"),
        ("plain-preferences", {"channel": "email"}, "plain_agreed"),
        ("part2-consents", {"signed_at": "2026-03-01T09:30:00-05:00"}, "part2_signed"),
    ],
)
def test_a_wish_is_recorded_once_however_often_it_is_sent(
    machine: Machine,
    ada: Contact,
    harbor: Organisation,
    address: str,
    more: dict[str, str],
    kind: str,
) -> None:
    """PR-22, PR-29, PR-38, HD-02"""
    sent = {"contact": str(ada.public_id)} | more
    for _ in range(2):
        assert machine.post(address, sent, Idempotency_Key="once").status_code == 201
    with tenancy.acting_for(harbor.pk):
        assert Entry.objects.filter(kind=kind, contact_id=ada.id).count() == 1


def test_an_unknown_category_is_refused(machine: Machine, ada: Contact) -> None:
    sent = {"contact": str(ada.public_id), "category": "shoes"}
    problem(machine.post("confidential-requests", sent), 422, "invalid")


def test_a_contact_of_another_organisation_cannot_be_asked_about(
    stranger: Machine, ada: Contact
) -> None:
    """SE-02"""
    asked = {"contacts": [str(ada.public_id)], "purpose": "treatment"}
    problem(stranger.post("decisions", asked), 422, "invalid")
