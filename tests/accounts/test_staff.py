from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from accounts import links, mfa, sample, staff, tenancy
from accounts.models import Authenticator, OneTimeLink, Organisation, User
from accounts.roles import Role
from audit.actor import Actor
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def test_who_comes_back_gets_a_new_id(at_harbor: Organisation, mara: User) -> None:
    """SR-06: an id is one person for ever."""
    staff.disable(mara, now=NOON)
    again = staff.add(mara.email, name="Mara Lind", role=Role.ANALYST, now=NOON)
    assert again.pk != mara.pk


def test_the_last_administrator_stays(at_harbor: Organisation) -> None:
    ada = staff.add("ada@harbor.example", name="Ada", role=Role.ADMINISTRATOR, now=NOON)
    with pytest.raises(staff.LastAdministrator):
        staff.disable(ada, now=NOON)
    with pytest.raises(staff.LastAdministrator):
        staff.change_role(ada, Role.ANALYST, now=NOON)


def test_a_role_taken_away_is_gone_for_whoever_asks_next(
    at_harbor: Organisation, mara: User
) -> None:
    """SE-23"""
    actor = Actor("staff", str(mara.pk))
    staff.change_role(mara, Role.ANALYST, now=NOON)
    assert staff.role_of(actor) is Role.ANALYST
    staff.disable(mara, now=NOON)
    assert staff.role_of(actor) is None


def test_an_invitation_opens_once_and_not_for_ever(at_harbor: Organisation) -> None:
    _, token = staff.invite("new@harbor.example", name="New", role=Role.ANALYST, now=NOON)
    late = NOON + staff.INVITATION_LASTS
    assert links.look(token, purpose=OneTimeLink.Purpose.INVITATION, now=late) is None
    link = links.look(token, purpose=OneTimeLink.Purpose.INVITATION, now=NOON)
    assert link is not None
    assert links.use(link, now=NOON)
    assert not links.use(link, now=NOON)


def test_an_invitation_is_no_sample_link(at_harbor: Organisation) -> None:
    _, token = staff.invite("new@harbor.example", name="New", role=Role.ANALYST, now=NOON)
    assert links.look(token, purpose=OneTimeLink.Purpose.SAMPLE, now=NOON) is None


def test_a_new_invitation_voids_the_old_one(at_harbor: Organisation) -> None:
    user, old = staff.invite("new@harbor.example", name="New", role=Role.ANALYST, now=NOON)
    staff.invite_again(user, now=NOON)
    assert links.look(old, purpose=OneTimeLink.Purpose.INVITATION, now=NOON) is None


def test_the_authenticators_secret_is_sealed_at_rest(at_harbor: Organisation, mara: User) -> None:
    authenticator = mfa.start(mara, now=NOON)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select secret from accounts_authenticator")
        kept = bytes(cursor.fetchone()[0])
    assert str(authenticator.secret).encode() not in kept


def test_a_code_of_five_minutes_ago_is_refused(at_harbor: Organisation, mara: User) -> None:
    authenticator = mfa.start(mara, now=NOON)
    old = mfa.code_at(authenticator, now=NOON - timedelta(minutes=5))
    assert not mfa.confirm(authenticator, old, now=NOON)


def test_a_new_authenticator_replaces_the_old_one(at_harbor: Organisation, mara: User) -> None:
    for _ in range(2):
        authenticator = mfa.start(mara, now=NOON)
        assert mfa.confirm(authenticator, mfa.code_at(authenticator, now=NOON), now=NOON)
    assert Authenticator.objects.filter(user=mara).count() == 1


def test_production_prints_no_sign_in_link(settings: LazySettings) -> None:
    settings.SAMPLE = False
    with pytest.raises(CommandError, match="production refuses"):
        call_command("sign_in_link")


def test_the_samples_link_signs_in_once_as_whom_one_likes(
    settings: LazySettings, client: Client
) -> None:
    settings.SAMPLE = True
    out = StringIO()
    call_command("sign_in_link", stdout=out)
    path = out.getvalue().strip().removeprefix(settings.ATTUNE_PUBLIC_ORIGIN)
    assert client.get(path).status_code == 200  # looking uses nothing up
    with tenancy.door():
        omar = User.objects.get(email="omar@harborview.example")
    assert client.post(path, {"as": str(omar.pk)})["Location"] == "/"
    assert "Omar Haddad" in client.get("/").content.decode()
    assert Client().post(path).status_code == 410


def test_a_samples_session_opens_nothing_outside_the_sample(
    settings: LazySettings, client: Client
) -> None:
    settings.SAMPLE = True
    organisation = sample.found(now=NOON)
    path = sample.one_time_link(sample.colleagues(organisation.pk)[0], now=NOON)
    from django.utils import timezone

    from accounts import sign_in
    from accounts.middleware import cookie_name

    assert path
    user = sample.colleagues(organisation.pk)[0]
    secret = sign_in.with_link(user, browser=sign_in.Browser("", ""), now=timezone.now())
    client.cookies[cookie_name()] = str(secret)
    settings.SAMPLE = False
    assert client.get("/").status_code == 302
