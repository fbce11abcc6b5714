"""The page of what may be purged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from consent.models import Authorization
from contacts.models import Contact
from tests.consent.test_retention import LONG_AGO, signed
from tests.web.test_consent_desk import cleo, desk

__all__ = ["cleo", "desk"]

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
PAGE, PURGE = "/consent/retention/", "/consent/retention/purge/"


@pytest.fixture
def over(cleo: Contact) -> Authorization:
    return signed(cleo.id, at=LONG_AGO, expires_on=date(2011, 1, 1))


def test_the_page_shows_what_may_go_and_from_when(desk: Client, cleo: Contact) -> None:
    """PR-16"""
    signed(cleo.id, at=datetime(2020, 1, 1, tzinfo=UTC), expires_on=date(2024, 12, 31))
    today = desk.get(PAGE)
    assert today.context["offered"] == 0 and "Jan 1, 2031" in today.content.decode()
    assert desk.get(PAGE, {"on": "2031-01-01"}).context["offered"] == 1
    assert "Purge 1" not in desk.get(PAGE, {"on": "2031-01-01"}).content.decode()


def test_a_day_that_is_none_is_named(desk: Client) -> None:
    answer = desk.get(PAGE, {"on": "someday"})
    assert answer.status_code == 422 and "2032-06-02" in answer.content.decode()


def test_an_officer_purges_what_the_page_showed(desk: Client, over: Authorization) -> None:
    """PR-16"""
    assert "Purge 1 paper" in desk.get(PAGE).content.decode()
    desk.post(PURGE, {"expected": "7"})
    assert Authorization.objects.exists()
    desk.post(PURGE, {"expected": "1"})
    assert not Authorization.objects.exists()


def test_home_says_that_papers_may_go(desk: Client, over: Authorization) -> None:
    """PR-16"""
    assert reverse("consent-retention") in desk.get("/").content.decode()


def test_who_may_only_look_purges_nothing(
    sign_in_as: SignedIn, mara: User, over: Authorization
) -> None:
    client = sign_in_as(mara)
    assert "Purge 1" not in client.get(PAGE).content.decode()
    assert client.post(PURGE, {"expected": "1"}).status_code == 403
    assert Authorization.objects.exists()


def test_another_organisation_sees_and_purges_nothing_of_ours(
    sign_in_as: SignedIn, ivy: User, over: Authorization
) -> None:
    """SE-01"""
    assert sign_in_as(ivy).post(PURGE, {"expected": "1"}).status_code == 403
    assert Authorization.objects.exists()
