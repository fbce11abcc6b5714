"""Signing in: two factors, in order, whatever path is taken (SE-07)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import mfa, passwords, staff, tenancy, throttle
from accounts.middleware import POLLING, cookie_name
from accounts.models import Authenticator, Session, User
from accounts.roles import Role
from audit.models import Entry

pytestmark = pytest.mark.django_db
GOOD = "seven quiet herons wade at dusk"


@pytest.fixture
def mara(mara: User) -> User:
    """Mara with a password and no authenticator yet."""
    with tenancy.acting_for(mara.organisation_id):
        passwords.choose(mara, GOOD, now=timezone.now())
    return mara


@pytest.fixture
def enrolled(mara: User) -> User:
    with tenancy.acting_for(mara.organisation_id):
        long_ago = timezone.now() - timedelta(hours=1)
        authenticator = mfa.start(mara, now=long_ago)
        assert mfa.confirm(authenticator, mfa.code_at(authenticator, now=long_ago), now=long_ago)
    return mara


def code_of(user: User) -> str:
    with tenancy.acting_for(user.organisation_id):
        return mfa.code_at(Authenticator.objects.get(user=user), now=timezone.now())


def give_password(client: Client, user: User, password: str = GOOD) -> Any:
    return client.post("/sign-in/", {"email": user.email, "password": password})


def sessions_of(user: User) -> list[Session]:
    with tenancy.acting_for(user.organisation_id):
        return list(Session.objects.filter(user=user))


def test_a_stranger_is_sent_to_sign_in_and_back(client: Client, mara: User) -> None:
    assert client.get("/account/")["Location"] == "/sign-in/?next=%2Faccount%2F"


def test_a_password_alone_opens_no_page(client: Client, enrolled: User) -> None:
    give_password(client, enrolled)
    assert client.get("/")["Location"] == "/sign-in/code/"


def test_the_password_and_the_code_open_home(client: Client, enrolled: User) -> None:
    give_password(client, enrolled)
    client.post("/sign-in/code/", {"code": code_of(enrolled)})
    assert client.get("/").status_code == 200


def test_the_second_factor_changes_the_cookie(client: Client, enrolled: User) -> None:
    """A session that somebody planted or saw before is worth nothing after."""
    give_password(client, enrolled)
    before = client.cookies[cookie_name()].value
    client.post("/sign-in/code/", {"code": code_of(enrolled)})
    assert client.cookies[cookie_name()].value != before
    stale = Client()
    stale.cookies[cookie_name()] = before
    assert stale.get("/").status_code == 302


def test_the_cookie_is_out_of_reach_of_scripts(client: Client, enrolled: User) -> None:
    give_password(client, enrolled)
    morsel = client.cookies[cookie_name()]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")


def test_a_first_sign_in_must_enrol_an_authenticator(client: Client, mara: User) -> None:
    give_password(client, mara)
    assert client.get("/sign-in/code/")["Location"] == "/sign-in/authenticator/"
    page = client.get("/sign-in/authenticator/").content.decode()
    assert "<svg" in page and 'class="qr"' in page


def test_enrolling_shows_ten_recovery_codes_once_and_signs_in(client: Client, mara: User) -> None:
    give_password(client, mara)
    page = client.post("/sign-in/authenticator/", {"code": code_of(mara)}).content.decode()
    assert len(re.findall(r"<li>[2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4}</li>", page)) == 10
    assert client.get("/").status_code == 200


def test_a_code_is_taken_once(client: Client, enrolled: User) -> None:
    """SE-07"""
    code = code_of(enrolled)
    give_password(client, enrolled)
    client.post("/sign-in/code/", {"code": code})
    second = Client()
    give_password(second, enrolled)
    assert "used before" in second.post("/sign-in/code/", {"code": code}).content.decode()


def test_a_recovery_code_is_taken_once(client: Client, enrolled: User) -> None:
    with tenancy.acting_for(enrolled.organisation_id):
        code = mfa.new_recovery_codes(enrolled)[0]
    give_password(client, enrolled)
    assert client.post("/sign-in/recovery/", {"code": code.upper()})["Location"] == "/"
    second = Client()
    give_password(second, enrolled)
    assert second.post("/sign-in/recovery/", {"code": code}).status_code == 200


def test_guessing_codes_is_stopped_even_for_the_right_one(client: Client, enrolled: User) -> None:
    """SE-07: a hundred guesses lock; nobody hits the code by trying."""
    began = timezone.now()
    with tenancy.acting_for(enrolled.organisation_id):
        for second in range(100):
            mfa.verify(enrolled, "000000", now=began + timedelta(seconds=second))
    give_password(client, enrolled)
    assert client.post("/sign-in/code/", {"code": code_of(enrolled)}).status_code == 200


def test_a_known_and_an_unknown_account_are_refused_alike(client: Client, mara: User) -> None:
    known = give_password(client, mara, "something else entirely").content.decode()
    mara.email = "nobody@harbor.example"
    unknown = give_password(client, mara, "something else entirely").content.decode()

    def stripped(page: str) -> str:
        return re.sub(r'value="[^"]*"', "", page)

    assert stripped(known) == stripped(unknown)


def test_both_are_slowed_down_alike(client: Client, mara: User) -> None:
    for email in (mara.email, "nobody@harbor.example"):
        for _ in range(throttle.ACCOUNT.free + 1):
            answer = client.post("/sign-in/", {"email": email, "password": "wrong"})
        assert "Wait 1 minute" in answer.content.decode()


def test_the_right_password_waits_too(client: Client, mara: User) -> None:
    for _ in range(throttle.ACCOUNT.free + 3):
        give_password(client, mara, "wrong")
    assert "Too many attempts" in give_password(client, mara).content.decode()


def test_a_refused_attempt_is_in_the_trail(client: Client, mara: User) -> None:
    give_password(client, mara, "wrong")
    with tenancy.acting_for(mara.organisation_id):
        entry = Entry.objects.get(action="staff.sign_in_refused")
    assert entry.subject == f"staff:{mara.pk}"


def test_fifteen_idle_minutes_end_the_session_for_a_polling_page_too(
    sign_in_as: Callable[[User], Client], mara: User
) -> None:
    """SR-07: the answer is 401 and the row is gone."""
    client = sign_in_as(mara)
    with tenancy.acting_for(mara.organisation_id):
        idle = timezone.now() - Session.IDLE - timedelta(seconds=1)
        Session.objects.update(seen_at=idle)
    answer = client.get("/", headers={POLLING: "1", "HX-Request": "true"})
    assert answer.status_code == 401
    assert not sessions_of(mara)


def test_polling_does_not_keep_anyone_signed_in(
    sign_in_as: Callable[[User], Client], mara: User
) -> None:
    """SR-07"""
    client = sign_in_as(mara)
    with tenancy.acting_for(mara.organisation_id):
        earlier = timezone.now() - timedelta(minutes=10)
        Session.objects.update(seen_at=earlier)
    client.get("/", headers={POLLING: "1"})
    assert sessions_of(mara)[0].seen_at == earlier
    client.get("/")
    assert sessions_of(mara)[0].seen_at > earlier


def test_twelve_hours_end_the_busiest_session(
    sign_in_as: Callable[[User], Client], mara: User
) -> None:
    """SE-09"""
    client = sign_in_as(mara)
    with tenancy.acting_for(mara.organisation_id):
        Session.objects.update(created_at=timezone.now() - Session.ABSOLUTE)
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("act", ["disable", "role", "password"])
def test_a_change_of_access_ends_every_session(
    sign_in_as: Callable[[User], Client], mara: User, act: str
) -> None:
    """SE-09, SR-10"""
    client, now = sign_in_as(mara), timezone.now()
    with tenancy.acting_for(mara.organisation_id):
        if act == "disable":
            staff.disable(mara, now=now)
        elif act == "role":
            staff.change_role(mara, Role.ANALYST, now=now)
        else:
            passwords.choose(mara, GOOD + "!", now=now)
    assert client.get("/").status_code == 302


def test_signing_out_ends_the_session_on_the_server(
    sign_in_as: Callable[[User], Client], mara: User
) -> None:
    client = sign_in_as(mara)
    client.post("/sign-out/")
    assert not sessions_of(mara)


def test_next_leads_to_our_own_pages_only(client: Client, enrolled: User) -> None:
    give_password(client, enrolled)
    answer = client.post(
        "/sign-in/code/", {"code": code_of(enrolled), "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/"


def test_a_disabled_account_cannot_sign_in(client: Client, mara: User) -> None:
    with tenancy.acting_for(mara.organisation_id):
        staff.disable(mara, now=timezone.now())
    assert give_password(client, mara).status_code == 200
