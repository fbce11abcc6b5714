"""What no keyboard types and no calendar holds is refused in words: never a page that broke."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User

SignIn = Callable[[User], Client]


@pytest.mark.parametrize("address", ["/workflows/new/", "/lists/", "/templates/"])
def test_a_form_with_a_nul_is_refused_whole(mara: User, sign_in_as: SignIn, address: str) -> None:
    answer = sign_in_as(mara).post(
        address, "name=a%00b&purpose=marketing", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 400
    assert "reload the page" in answer.content.decode()


def test_a_stranger_learns_no_more_from_a_nul(client: Client, db: None) -> None:
    answer = client.post(
        "/sign-in/", "email=a%00b", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("number", ["\u202e12", "9" * 70])
def test_a_number_that_no_record_can_have_is_nobodys(
    mara: User, sign_in_as: SignIn, number: str
) -> None:
    page = sign_in_as(mara).post("/contacts/search/", {"kind": "record_number", "value": number})
    assert page.status_code == 200
    assert "Nobody has this identifier" in page.content.decode()


@pytest.mark.parametrize("month", ["0001-01", "9999-12", "2026-13", "soon"])
def test_a_month_that_nobody_plans_is_this_one(mara: User, sign_in_as: SignIn, month: str) -> None:
    page = sign_in_as(mara).get("/campaigns/calendar/", {"month": month})
    assert page.status_code == 200
    assert page.context["first"] == page.context["today"].replace(day=1)


@pytest.mark.parametrize("days", [{"since": "0001-01-01"}, {"until": "9999-12-31"}])
def test_the_trail_asks_for_a_day_that_it_can_hold(
    omar: User, sign_in_as: SignIn, days: dict[str, str]
) -> None:
    page = sign_in_as(omar).get("/trail/", days)
    assert page.status_code == 200
    assert "Give a day" in page.content.decode()


@pytest.mark.parametrize("days", [{"signed_since": "0001-01-01"}, {"signed_until": "9999-12-31"}])
def test_the_list_of_agreements_takes_any_day(
    omar: User, sign_in_as: SignIn, days: dict[str, str]
) -> None:
    assert sign_in_as(omar).get("/consent/agreements/", days).status_code < 500
