from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import sessions, throttle
from accounts.models import Organisation, Session, Throttle, User
from marketing import loops
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def begin(mara: User) -> Session:
    secret = sessions.begin(mara, method=Session.Method.TOTP, now=NOON)
    found = sessions.find(secret, now=NOON)
    assert found is not None
    return found


def test_only_the_hash_of_the_cookie_is_kept(at_harbor: Organisation, mara: User) -> None:
    secret = sessions.begin(mara, method=Session.Method.TOTP, now=NOON)
    assert secret.random not in repr(Session.objects.values().get())


def test_half_a_session_waits_ten_minutes(at_harbor: Organisation, mara: User) -> None:
    secret = sessions.begin(mara, method=Session.Method.PASSWORD, now=NOON)
    assert sessions.find(secret, now=NOON + timedelta(minutes=9)) is not None
    assert sessions.find(secret, now=NOON + timedelta(minutes=10)) is None


def test_a_click_begins_the_idle_time_again(at_harbor: Organisation, mara: User) -> None:
    session = begin(mara)
    sessions.note(session, now=NOON + timedelta(minutes=10))
    session.refresh_from_db()
    assert session.ends_at() == NOON + timedelta(minutes=25)


def test_the_sweep_drops_what_nobody_came_back_to(at_harbor: Organisation, mara: User) -> None:
    begin(mara)
    throttle.failed({throttle.ACCOUNT: "x"}, now=NOON)
    loops.run_for(at_harbor.pk, "sweep", now=NOON + timedelta(minutes=14))
    assert Session.objects.count() == Throttle.objects.count() == 1
    loops.run_for(at_harbor.pk, "sweep", now=NOON + timedelta(hours=2))
    assert Session.objects.count() == Throttle.objects.count() == 0
