"""Staff come, change and go; every step is in the trail and bites at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts import links, sessions, tenancy
from accounts.models import OneTimeLink, User
from accounts.roles import Role
from audit import trail
from audit.actor import Actor

INVITATION_LASTS = timedelta(days=3)


class LastAdministrator(Exception):
    """The organisation would be left without an administrator: make another one first."""


def invite(email: str, *, name: str, role: Role, now: datetime) -> tuple[User, str]:
    """Add someone without a password; return the one-time link that lets them choose one."""
    with transaction.atomic():
        user = add(email, name=name, role=role, now=now)
        token = links.make(
            user, purpose=OneTimeLink.Purpose.INVITATION, lasts=INVITATION_LASTS, now=now
        )
    return user, token


def add(email: str, *, name: str, role: Role, now: datetime) -> User:
    """Add someone who cannot sign in yet."""
    user = User(email=email, name=name, role=role.value, created_at=now)
    user.set_unusable_password()
    with transaction.atomic():
        user.save()
        trail.record("staff.created", subject=f"staff:{user.pk}", detail={"role": role.value})
    return user


def invite_again(user: User, *, now: datetime) -> str:
    """Return a fresh link; an older one opens nothing any more."""
    with transaction.atomic():
        OneTimeLink.objects.filter(user=user, used_at__isnull=True).update(used_at=now)
        trail.record("staff.changed", subject=f"staff:{user.pk}", detail={"fields": ["invitation"]})
        return links.make(
            user, purpose=OneTimeLink.Purpose.INVITATION, lasts=INVITATION_LASTS, now=now
        )


def change_role(user: User, role: Role, *, now: datetime) -> None:
    """Give another role, and end the sessions that began under the old one."""
    with transaction.atomic():
        _keep_an_administrator(user, becomes=role)
        User.objects.filter(pk=user.pk).update(role=role.value)
        sessions.end_all(user)
        trail.record(
            "staff.changed",
            subject=f"staff:{user.pk}",
            detail={"fields": ["role"], "role": role.value},
        )


def disable(user: User, *, now: datetime, reason: str = "left") -> None:
    """End someone's access everywhere, for good: who comes back is invited as somebody new."""
    with transaction.atomic():
        _keep_an_administrator(user, becomes=None)
        User.objects.filter(pk=user.pk).update(is_active=False)
        ended = sessions.end_all(user)
        OneTimeLink.objects.filter(user=user, used_at__isnull=True).update(used_at=now)
        trail.record(
            "staff.disabled",
            subject=f"staff:{user.pk}",
            detail={"reason": reason, "sessions": ended},
        )


def role_of(actor: Actor) -> Role | None:
    """Return the role that this member of staff has now, or None where there is no access."""
    if actor.kind != "staff":
        return None
    role = User.objects.filter(pk=actor.id, is_active=True).values_list("role", flat=True).first()
    return None if role is None else Role(role)


def by_email(email: str) -> User | None:
    """Return the active member of staff of any organisation; for sign-in alone."""
    with tenancy.door():
        return User.objects.filter(email__iexact=email.strip(), is_active=True).first()


def _keep_an_administrator(user: User, *, becomes: Role | None) -> None:
    """Lock the administrators first, so that two who remove each other do not both succeed."""
    administrators = set(
        User.objects.select_for_update()
        .filter(role=Role.ADMINISTRATOR.value, is_active=True)
        .values_list("pk", flat=True)
    )
    if administrators == {user.pk} and becomes is not Role.ADMINISTRATOR:
        raise LastAdministrator(LastAdministrator.__doc__)
