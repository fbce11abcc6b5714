"""What machines ask of consent: the list, and the coverage of a segment."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact
from contacts.segments import catalogue, membership
from contacts.segments.models import Segment
from tests.api.conftest import Machine, Maker, problem
from tests.api.test_consents import signed
from tests.conftest import NOON


@pytest.fixture
def diabetics(ada: Contact, harbor: Organisation) -> Segment:
    ill = {"field": "conditions", "op": "has_code", "codes": ["44054006"]}
    with tenancy.acting_for(harbor.pk):
        segment = catalogue.save(name="Ill", tree=ill, now=NOON)
        membership.refresh(segment, now=NOON)
    return segment


def test_authorizations_are_listed_by_state_and_person(machine: Machine, ada: Contact) -> None:
    """GD-02"""
    one, other = (machine.post("consents", signed(ada)).json()["id"] for _ in range(2))
    machine.post(f"consents/{other}/revocation", {})
    (live,) = machine.get(f"consents?state=live&contact={ada.public_id}").json()["consents"]
    assert (live["id"], live["contact"], live["has_copy"]) == (one, str(ada.public_id), False)
    (gone,) = machine.get("consents?state=revoked").json()["consents"]
    assert gone["id"] == other and gone["revoked_at"]


def test_a_filter_that_is_not_known_is_refused(machine: Machine, ada: Contact) -> None:
    problem(machine.get("consents?colour=blue"), 422, "invalid")


def test_another_organisation_lists_nothing(
    stranger: Machine, machine: Machine, ada: Contact
) -> None:
    """SE-02"""
    machine.post("consents", signed(ada))
    assert stranger.get("consents").json()["consents"] == []


def test_coverage_counts_by_reason(machine: Machine, ada: Contact, diabetics: Segment) -> None:
    address = f"consents/coverage?segment={diabetics.id}&purpose=marketing"
    assert machine.get(address).json()["refused"] == {"no_authorization": 1}
    machine.post("consents", signed(ada))
    told = machine.get(address).json()
    assert (told["permitted"], told["refused"]) == (1, {})


def test_a_key_that_may_not_reveal_gets_no_small_number(
    harbor: Organisation, machine_for: Maker, diabetics: Segment
) -> None:
    """PR-40"""
    one = machine_for(harbor, [Permission.CONSENT_VIEW])
    told = one.get(f"consents/coverage?segment={diabetics.id}&purpose=marketing").json()
    assert told["members"] is None and told["refused"] == {"no_authorization": None}
