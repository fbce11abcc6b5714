"""FHIR R4 Consent both ways (HD-12)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from accounts import tenancy
from accounts.models import Organisation, User
from accounts.roles import Permission
from consent import fhir
from consent.models import Authorization, ImportedConsent, OptOut
from consent.wishes import record
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem
from tests.conftest import NOON

MARKETING = {"system": fhir.ACT_REASON, "code": "HMARKT"}
IDENTITY = {"system": fhir.OURS, "code": "identity"}


def consent(contact: Contact, **provision: Any) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "id": "c-1",
        "status": "active",
        "patient": {"reference": f"Patient/{contact.public_id}"},
        "dateTime": "2026-03-01",
        "provision": {
            "type": "permit",
            "period": {"end": "2099-03-01"},
            "purpose": [MARKETING],
            "class": [IDENTITY],
            **provision,
        },
    }


@pytest.fixture
def within(harbor: Organisation) -> Iterator[None]:
    with tenancy.acting_for(harbor.pk):
        yield


def answer(contact: Contact, machine: Machine) -> str:
    asked = {"contacts": [str(contact.public_id)], "purpose": "marketing", "classes": ["identity"]}
    (told,) = machine.post("decisions", asked).json()["decisions"]
    return str(told["code"] if told["answer"] != "permit" else "permit")


def taken(machine: Machine, resource: dict[str, Any]) -> dict[str, Any]:
    (one,) = machine.post("consents/fhir", resource).json()["consents"]
    return dict(one)


def test_a_consent_for_marketing_permits_it(machine: Machine, ada: Contact) -> None:
    """HD-12: purpose HMARKT is marketing."""
    assert answer(ada, machine) == "no_authorization"
    assert taken(machine, consent(ada))["outcome"] == "recorded"
    assert answer(ada, machine) == "permit"


def test_sending_it_again_changes_nothing(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    """HD-12, HD-02"""
    for outcome in ("recorded", "unchanged", "unchanged"):
        assert taken(machine, consent(ada))["outcome"] == outcome
    with tenancy.acting_for(harbor.pk):
        assert Authorization.objects.count() == ImportedConsent.objects.count() == 1


def test_a_new_version_takes_the_place_of_the_former(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    taken(machine, consent(ada))
    taken(machine, consent(ada, period={"end": "2098-01-01"}))
    with tenancy.acting_for(harbor.pk):
        assert Authorization.objects.filter(revoked_at=None).count() == 1
        assert Authorization.objects.count() == 2


def test_an_inactive_consent_ends_what_it_permitted(machine: Machine, ada: Contact) -> None:
    taken(machine, consent(ada))
    assert taken(machine, consent(ada) | {"status": "inactive"})["outcome"] == "ended"
    assert answer(ada, machine) == "auth_revoked"


def test_a_deny_inside_a_permit_is_denied(machine: Machine, ada: Contact) -> None:
    """HD-12: nested deny inside permit."""
    inner = {"type": "deny", "purpose": [MARKETING]}
    told = taken(machine, consent(ada, provision=[inner]))
    assert told["refused"] == ["marketing"]
    assert answer(ada, machine) == "opted_out"


@pytest.mark.parametrize(
    ("provision", "fault"),
    [
        ({"purpose": [{"system": fhir.ACT_REASON, "code": "XMYSTERY"}]}, "provision.purpose[0]"),
        ({"class": [{"system": "urn:else", "code": "identity"}]}, "provision.class[0]"),
        ({"actor": [{"role": {"text": "who"}}]}, "provision.actor"),
        ({"type": "maybe"}, "provision.type"),
    ],
)
def test_what_is_not_understood_is_denied_and_waits_for_a_person(
    machine: Machine,
    ada: Contact,
    omar: User,
    sign_in_as: Callable[[User], Client],
    provision: dict[str, Any],
    fault: str,
) -> None:
    """HD-12: unknown provision or code -> DENY, review task."""
    assert taken(machine, consent(ada, **provision))["not_understood"] == [fault]
    assert answer(ada, machine) == "opted_out"
    desk = sign_in_as(omar)
    ((row, _),) = desk.get("/consent/imported/").context["rows"]
    desk.post(f"/consent/imported/{row.id}/")
    assert desk.get("/consent/imported/").context["rows"] == []


def test_a_consent_without_an_end_authorises_nothing(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    told = taken(machine, consent(ada, period={}))
    assert told["not_understood"] == ["provision.period.end"]
    with tenancy.acting_for(harbor.pk):
        assert not Authorization.objects.exists() and not OptOut.objects.exists()


def test_what_goes_out_comes_in_as_the_same(machine: Machine, ada: Contact, within: None) -> None:
    """HD-12: the round trip keeps purposes, classes, signature and end."""
    taken(machine, consent(ada))
    (out,) = fhir.consents_in(machine.get(f"consents/fhir?contact={ada.public_id}").json())
    row = Authorization.objects.get()
    (permit,) = fhir.read(out).permits
    assert permit.purposes == set(row.purposes) and permit.classes == set(row.classes)
    assert (permit.signed_at, permit.expires_on) == (row.signed_at, row.expires_on)
    assert out["provision"]["purpose"] == [MARKETING]


def test_substance_use_leaves_only_with_its_consent_and_the_notice(
    machine: Machine, ada: Contact, within: None
) -> None:
    """PR-31: one labelled row and no attached consent -> blocked; with it -> notice in file."""
    labelled = [IDENTITY, {"system": fhir.OURS, "code": "substance_use"}]
    taken(machine, consent(ada, **{"class": labelled}))
    address = f"consents/fhir?contact={ada.public_id}"
    problem(machine.get(address), 409, "conflict")
    record.sign_part2(ada.id, signed_at=NOON, received_by="paper", now=NOON)
    told = json.dumps(machine.get(address).json())
    assert "42 CFR part 2 prohibits unauthorized use or disclosure" in told
    assert "treatment, payment and health care operations" in told


def test_nobody_elses_patient_is_signed_for(stranger: Machine, ada: Contact) -> None:
    """SE-02"""
    problem(stranger.post("consents/fhir", consent(ada)), 422, "invalid")


@pytest.mark.parametrize(
    "body", [[], {}, {"resourceType": "Bundle", "entry": [1]}, {"resourceType": "Consent"}]
)
def test_what_is_no_consent_is_refused_in_words(machine: Machine, body: object) -> None:
    problem(machine.post("consents/fhir", body), 422, "invalid")


def test_a_key_that_may_only_record_exports_nothing(
    harbor: Organisation, machine_for: Maker, ada: Contact
) -> None:
    one = machine_for(harbor, [Permission.CONSENT_RECORD])
    problem(one.get(f"consents/fhir?contact={ada.public_id}"), 403, "scope-missing")


def test_a_record_number_names_the_patient_too(machine: Machine, ada: Contact) -> None:
    named = consent(ada) | {"patient": {"identifier": {"system": "epic", "value": "MRN-0042"}}}
    assert taken(machine, named)["outcome"] == "recorded"
    assert answer(ada, machine) == "permit"
