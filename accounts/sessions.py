"""Staff sessions, kept and ended on the server."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts import secrets, tenancy
from accounts.models import Session, User
from accounts.secrets import Secret

LABEL = "staff"
NOTED_EVERY = timedelta(seconds=30)
"""A request moves `seen_at` at most this often: idleness is measured in minutes."""


def begin(
    user: User, *, method: str, now: datetime, address: str | None = None, agent: str = ""
) -> Secret:
    """Open a session and return the secret for its cookie."""
    secret = secrets.new(LABEL, organisation_id=user.organisation_id)
    complete = method != Session.Method.PASSWORD
    with tenancy.acting_for(user.organisation_id):
        Session.objects.create(
            user=user,
            token_hash=secret.hash,
            method=method,
            created_at=now,
            seen_at=now,
            confirmed_at=now if complete else None,
            address=address,
            agent=agent[:80],
        )
    return secret


def find(secret: Secret, *, now: datetime) -> Session | None:
    """Return the live session with its user; end it where its time is over.

    Call inside acting_for(secret.organisation_id).
    """
    session = (
        Session.objects.select_related("user", "organisation")
        .filter(token_hash=secret.hash)
        .first()
    )
    if session is None:
        return None
    if not session.user.is_active or now >= session.ends_at():
        session.delete()
        return None
    return session


def note(session: Session, *, now: datetime) -> None:
    """The person did something: the idle time begins again."""
    if now - session.seen_at >= NOTED_EVERY:
        Session.objects.filter(pk=session.pk).update(seen_at=now)


def confirm(session: Session, *, now: datetime) -> None:
    Session.objects.filter(pk=session.pk).update(confirmed_at=now)


def end(session: Session) -> None:
    session.delete()


def end_all(user: User, *, but: Session | None = None) -> int:
    """End every session of the user, except the one in hand where one is named."""
    theirs = Session.objects.filter(user=user)
    if but is not None:
        theirs = theirs.exclude(pk=but.pk)
    return theirs.delete()[0]


def sweep(*, now: datetime) -> int:
    """Drop the rows of sessions that nobody came back to."""
    over = Session.objects.filter(seen_at__lt=now - Session.IDLE)
    return (over | Session.objects.filter(created_at__lt=now - Session.ABSOLUTE)).delete()[0]
