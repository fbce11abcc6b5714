"""What the organisation says of itself, in the browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from tests.conftest import NOON

SignIn = Callable[[User], Client]
ADDRESS = "/settings/organisation/"
SAID = {
    "name": "Harbor Clinic", "postal_address": " 2 Quay \r\n\r\nBoston, MA 02110", "mail_from": "",
    "timezone": "America/New_York",
}  # fmt: skip


@pytest.fixture
def ann(harbor: Organisation) -> User:
    """Administrator at Harbor."""
    with tenancy.acting_for(harbor.pk):
        return staff.add("ann@harbor.example", name="Ann Stone", role=Role.ADMINISTRATOR, now=NOON)


def now_said(organisation: Organisation) -> Organisation:
    with tenancy.door():
        return Organisation.objects.get(pk=organisation.pk)


def test_an_administrator_writes_the_postal_address(
    ann: User, harbor: Organisation, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(ann)
    assert "1 Quay, Boston" in browser.get(ADDRESS).content.decode()
    assert browser.post(ADDRESS, SAID).status_code == 302
    assert now_said(harbor).postal_address == "2 Quay\nBoston, MA 02110"


def test_what_was_changed_is_in_the_trail_and_not_how(
    ann: User, harbor: Organisation, sign_in_as: SignIn
) -> None:
    sign_in_as(ann).post(ADDRESS, SAID)
    with tenancy.acting_for(harbor.pk):
        entry = Entry.objects.get(action="organisation.changed")
    assert entry.facts() == {"fields": ["postal_address"]}


def test_the_same_again_changes_nothing(
    ann: User, harbor: Organisation, sign_in_as: SignIn
) -> None:
    sign_in_as(ann).post(ADDRESS, SAID | {"postal_address": "1 Quay, Boston"})
    with tenancy.acting_for(harbor.pk):
        assert not Entry.objects.filter(action="organisation.changed").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "Harbor\x1bClinic"}, {"postal_address": " \n "}, {"mail_from": "care"},
     {"postal_address": "1 Quay\x07"}, {"postal_address": "\n".join("abcdefg")},
     {"timezone": "Boston"}],
)  # fmt: skip
def test_what_cannot_be_said_is_named_and_changes_nothing(
    ann: User, harbor: Organisation, sign_in_as: SignIn, wrong: dict[str, str]
) -> None:
    answer = sign_in_as(ann).post(ADDRESS, SAID | wrong)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == list(wrong)
    assert now_said(harbor).postal_address == "1 Quay, Boston"


def test_who_may_not_change_it_reads_it(
    mara: User, harbor: Organisation, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(mara)
    page = browser.get(ADDRESS).content.decode()
    assert "1 Quay, Boston" in page and "postal_address" not in page
    assert browser.post(ADDRESS, SAID).status_code == 403
    assert now_said(harbor).postal_address == "1 Quay, Boston"


def test_another_organisation_stays_as_it_is(
    ann: User, hill: Organisation, sign_in_as: SignIn
) -> None:
    """SE-01"""
    sign_in_as(ann).post(ADDRESS, SAID | {"name": "Mine"})
    assert now_said(hill).name == "Hill Clinic"
