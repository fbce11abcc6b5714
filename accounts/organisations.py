"""Found an organisation, and change what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

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


def change(organisation: Organisation, given: Mapping[str, str]) -> list[str]:
    """Write what is said of the organisation now; return the names of what is another value.

    Counts for what is made from then on: a message that was handed over says what it said.
    """
    changed = sorted(name for name, value in given.items() if getattr(organisation, name) != value)
    if not changed:
        return []
    for name in changed:
        setattr(organisation, name, given[name])
    with transaction.atomic():
        organisation.save(update_fields=changed)
        trail.record(
            "organisation.changed",
            subject=f"organisation:{organisation.pk}",
            detail={"fields": changed},
        )
    return changed


def named(slug: str) -> Organisation:
    """Return the organisation of this slug, for commands; raises Organisation.DoesNotExist."""
    with tenancy.door():
        return Organisation.objects.get(slug=slug)
