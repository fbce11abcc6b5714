"""Who may come in: first the password, then the second factor. Nothing tells who has an account."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import mfa, passwords, sessions, staff, tenancy, throttle
from accounts.models import Session, User
from accounts.secrets import Secret
from audit import trail
from audit.actor import Actor, acting_as


@dataclass(frozen=True)
class Browser:
    """Where a request comes from."""

    address: str
    agent: str


@dataclass(frozen=True)
class Refused:
    wait: timedelta = timedelta()
    """How long the next attempt must wait; zero where it need not."""

    @property
    def sentence(self) -> str:
        if not self.wait:
            return "That e-mail address and password do not belong together."
        minutes = math.ceil(self.wait / timedelta(minutes=1))
        plural = "minute" if minutes == 1 else "minutes"
        return f"Too many attempts. Wait {minutes} {plural}, then try again."


def by_password(email: str, password: str, *, browser: Browser, now: datetime) -> User | Refused:
    """Check the first factor. An unknown address costs the same time and is slowed the same."""
    limits = {
        throttle.ACCOUNT: email.strip().casefold(),
        throttle.ADDRESS: browser.address,
    }
    if wait := throttle.wait(limits, now=now):
        return Refused(wait)
    user = staff.by_email(email)
    if user is not None and _matches(user, password):
        throttle.succeeded({throttle.ACCOUNT: limits[throttle.ACCOUNT]})
        return user
    if user is None:
        passwords.pretend_to_match(password)
    else:
        _record(user, "staff.sign_in_refused", {"reason": "password"}, outcome="refused")
    throttle.failed(limits, now=now)
    return Refused(throttle.wait(limits, now=now))


def half_way(user: User, *, browser: Browser, now: datetime) -> Secret:
    """Open the session that may only show its second factor."""
    with tenancy.acting_for(user.organisation_id):
        if not mfa.enrolled(user):
            mfa.start(user, now=now)
    return _begin(user, Session.Method.PASSWORD, browser=browser, now=now)


def complete(
    session: Session, *, method: Session.Method, browser: Browser, now: datetime
) -> Secret:
    """Put a whole session, under a new secret, in the place of the half one."""
    sessions.end(session)
    secret = _begin(session.user, method, browser=browser, now=now)
    _record(session.user, "staff.signed_in", {"method": method.value})
    return secret


def by_code(session: Session, code: str, *, now: datetime) -> bool:
    """Check the second factor of a half-way session, or of a whole one that proves itself again."""
    return _second(session.user, "totp", taken=mfa.verify(session.user, code, now=now))


def by_recovery_code(session: Session, code: str, *, now: datetime) -> bool:
    if not _second(session.user, "recovery", taken=mfa.recover(session.user, code, now=now)):
        return False
    left = mfa.recovery_codes_left(session.user)
    _record(session.user, "staff.recovery_code_used", {"left": left})
    return True


def with_link(user: User, *, browser: Browser, now: datetime) -> Secret:
    """Sign a newcomer to the sample in without a second factor; the caller checks the mode."""
    secret = _begin(user, Session.Method.SAMPLE, browser=browser, now=now)
    _record(user, "staff.signed_in", {"method": Session.Method.SAMPLE.value})
    return secret


def _matches(user: User, password: str) -> bool:
    with tenancy.acting_for(user.organisation_id):
        return passwords.matches(user, password)


def _second(user: User, reason: str, *, taken: bool) -> bool:
    if not taken:
        _record(user, "staff.sign_in_refused", {"reason": reason}, outcome="refused")
    return taken


def _begin(user: User, method: Session.Method, *, browser: Browser, now: datetime) -> Secret:
    return sessions.begin(
        user, method=method, now=now, address=browser.address or None, agent=browser.agent
    )


def _record(user: User, action: str, detail: dict[str, str | int], outcome: str = "done") -> None:
    with tenancy.acting_for(user.organisation_id), acting_as(Actor("staff", str(user.pk))):
        trail.record(action, subject=f"staff:{user.pk}", detail=detail, outcome=outcome)
