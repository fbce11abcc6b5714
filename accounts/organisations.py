"""Found an organisation."""

from __future__ import annotations

from datetime import datetime

from accounts import tenancy
from accounts.models import Organisation
from audit import trail
from crypto import keyring


def found(name: str, *, slug: str, timezone: str, now: datetime, **more: str) -> Organisation:
    """Make an organisation and its keys; `more` holds further columns, such as postal_address."""
    with tenancy.door():
        organisation = Organisation.objects.create(
            name=name, slug=slug, timezone=timezone, created_at=now, **more
        )
    with tenancy.acting_for(organisation.pk):
        keyring.create_for(organisation.pk, now=now)
        trail.record(
            "organisation.created", subject=f"organisation:{organisation.pk}", detail={"slug": slug}
        )
    return organisation


def named(slug: str) -> Organisation:
    """Return the organisation of this slug, for commands; raises Organisation.DoesNotExist."""
    with tenancy.door():
        return Organisation.objects.get(slug=slug)
