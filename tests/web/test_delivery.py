"""The Delivery page."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from accounts import tenancy
from accounts.models import Organisation, User
from messaging.hearing import intake
from messaging.models import Returned
from tests.messaging.test_bounces import report


def _hear(harbor: Organisation) -> None:
    from django.utils import timezone

    with tenancy.acting_for(harbor.pk):
        intake.take(report("5.1.1", "550 5.1.1 Unknown"), source="api", now=timezone.now())


def test_what_came_back_is_counted_and_what_is_unmatched_waits(
    harbor: Organisation, omar: User, sign_in_as: Callable[[User], Client]
) -> None:
    _hear(harbor)
    html = sign_in_as(omar).get("/delivery/").content.decode()
    assert "userunknown" in html
    assert "Not matched to a message" in html
    assert "ada@example.org" not in html


def test_what_was_looked_at_waits_no_more(
    harbor: Organisation, omar: User, sign_in_as: Callable[[User], Client]
) -> None:
    _hear(harbor)
    with tenancy.acting_for(harbor.pk):
        number = Returned.objects.get().pk
    sign_in_as(omar).post("/delivery/reviewed/", {"returned": str(number)})
    with tenancy.acting_for(harbor.pk):
        assert Returned.objects.get().reviewed_at is not None


def test_a_marketer_finds_what_was_not_delivered_in_the_navigation(
    mara: User, omar: User, sign_in_as: Callable[[User], Client]
) -> None:
    assert 'href="/delivery/undelivered/"' in sign_in_as(mara).get("/").content.decode()
    assert 'href="/delivery/undelivered/"' not in sign_in_as(omar).get("/").content.decode()
