"""Links that open once."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts import secrets, tenancy
from accounts.models import OneTimeLink, User

LABEL = "link"


def make(user: User, *, purpose: str, lasts: timedelta, now: datetime) -> str:
    """Return the token for the address; only its hash is kept."""
    secret = secrets.new(LABEL, organisation_id=user.organisation_id)
    OneTimeLink.objects.create(
        user=user,
        purpose=purpose,
        token_hash=secret.hash,
        created_at=now,
        expires_at=now + lasts,
    )
    return str(secret)


def look(token: str, *, purpose: str, now: datetime) -> OneTimeLink | None:
    """Return the link that this token opens, without using it up."""
    secret = secrets.parse(token, label=LABEL)
    if secret is None:
        return None
    with tenancy.acting_for(secret.organisation_id):
        return (
            OneTimeLink.objects.select_related("user__organisation", "organisation")
            .filter(
                token_hash=secret.hash,
                purpose=purpose,
                used_at__isnull=True,
                expires_at__gt=now,
                user__is_active=True,
            )
            .first()
        )


def use(link: OneTimeLink, *, now: datetime) -> bool:
    """Use the link up; of two who race, one wins."""
    with tenancy.acting_for(link.organisation_id):
        unused = OneTimeLink.objects.filter(pk=link.pk, used_at__isnull=True, expires_at__gt=now)
        return unused.update(used_at=now) == 1
