"""The history of a contact over HTTP."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from audit.models import Entry
from contacts import amending
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem
from tests.conftest import NOON

ILL = {"system": "s", "code": "1", "display": "Canary asthma", "status": "active"}


@pytest.fixture
def changed(ada: Contact, harbor: Organisation) -> Contact:
    with tenancy.acting_for(harbor.pk):
        amending.amend(
            {ada.pk: {"city": "Salem", "conditions": [ILL]}}, source="registry", now=NOON
        )
    return ada


def test_pr28_what_stood_before_is_told_with_who_changed_it(
    machine: Machine, changed: Contact
) -> None:
    """PR-28"""
    body = machine.get(f"contacts/{changed.public_id}/history").json()
    city = next(one for one in body["changes"] if one["data_class"] == "contact_point")
    assert city["known_from"] == "registry"
    assert city["differences"] == [{"field": "city", "before": None, "after": "Salem"}]


def test_a_key_without_the_clinical_scope_reads_no_clinical_history(
    harbor: Organisation, changed: Contact, machine_for: Maker
) -> None:
    key = machine_for(harbor, [Permission.CONTACTS_VIEW, Permission.CONTACTS_REVEAL_IDENTITY])
    answer = key.get(f"contacts/{changed.public_id}/history")
    clinical = next(one for one in answer.json()["changes"] if one["data_class"] == "clinical")
    assert ("Canary" in answer.content.decode(), clinical["differences"]) == (False, None)
    assert "clinical" in answer.json()["withheld"]


def test_a_key_that_opens_nothing_reads_no_value(
    harbor: Organisation, changed: Contact, machine_for: Maker
) -> None:
    answer = machine_for(harbor, [Permission.CONTACTS_VIEW]).get(
        f"contacts/{changed.public_id}/history"
    )
    assert (len(answer.json()["changes"]), b"Salem" in answer.content) == (2, False)


def test_reading_the_history_is_in_the_trail(
    machine: Machine, changed: Contact, harbor: Organisation
) -> None:
    machine.get(f"contacts/{changed.public_id}/history")
    with tenancy.acting_for(harbor.pk):
        told = Entry.objects.get(action="contact.history_viewed")
    assert (told.subject, told.actor_kind) == (f"contact:{changed.pk}", "api_key")


def test_a_changed_address_stands_in_the_history(machine: Machine, ada: Contact) -> None:
    new = {"kind": "email", "value": "ada.new@example.org"}
    made = machine.post(f"contacts/{ada.public_id}/points", new).json()
    machine.delete(f"contacts/{ada.public_id}/points/{made['id']}")
    changes = machine.get(f"contacts/{ada.public_id}/history").json()["changes"]
    gone, came = (one["differences"][0] for one in changes)
    assert (gone["before"]["value"], gone["after"]) == ("ada.new@example.org", None)
    assert (came["before"], came["after"]["value"]) == (None, "ada.new@example.org")


def test_a_key_without_the_scope_reads_no_history(
    harbor: Organisation, ada: Contact, machine_for: Maker
) -> None:
    writer = machine_for(harbor, [Permission.CONTACTS_WRITE])
    problem(writer.get(f"contacts/{ada.public_id}/history"), 403, "scope-missing")


def test_another_organisation_reads_no_history(stranger: Machine, changed: Contact) -> None:
    problem(stranger.get(f"contacts/{changed.public_id}/history"), 404, "not-found")


def test_hd18_each_value_says_where_it_comes_from(machine: Machine, ada: Contact) -> None:
    """HD-18"""
    rows = machine.get(f"contacts/{ada.public_id}/provenance").json()["fields"]
    (email,) = [one for one in rows if one["field"] == "email"]
    assert (email["known_from"], email["data_class"]) == ("epic", "contact_point")


def test_provenance_goes_as_far_as_the_scopes(
    machine: Machine, stranger: Machine, ada: Contact, harbor: Organisation, machine_for: Maker
) -> None:
    viewer = machine_for(harbor, [Permission.CONTACTS_VIEW])
    body = viewer.get(f"contacts/{ada.public_id}/provenance").json()
    assert body["fields"] == [] and "identity" in body["withheld"]
    problem(stranger.get(f"contacts/{ada.public_id}/provenance"), 404, "not-found")
