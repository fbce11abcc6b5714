"""Forget a person: the key is destroyed, so that no copy anywhere opens again.

What stays is a bare row (so that the ordinal is not given to somebody else), the events without
their properties' key, and the trail. Opt-outs and suppressions are hashes of addresses and belong
to `consent`; they outlive the person, or the next import would write to them again.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts import tenancy
from audit import trail
from contacts import writing
from contacts.models import Contact, Event, Identifier, ListMember
from contacts.points import keeping
from contacts.segments import columns
from crypto import data_keys


class AlreadyErased(LookupError):
    """There is no such contact, or it was erased before."""


def erase(contact_id: int, *, now: datetime) -> None:
    """Destroy the contact's key, sealed values, indexes, numbers and memberships."""
    organisation_id = tenancy.current()
    with transaction.atomic():
        living = Contact.objects.select_for_update().filter(pk=contact_id, erased_at=None)
        if not living.exists():
            raise AlreadyErased(AlreadyErased.__doc__)
        data_keys.shred(organisation_id, [contact_id])
        Contact.objects.filter(pk=contact_id).update(
            **dict.fromkeys(writing.CLASSES),
            email_index=None,
            phone_index=None,
            erased_at=now,
            updated_at=now,
        )
        Identifier.objects.filter(contact_id=contact_id).delete()
        ListMember.objects.filter(contact_id=contact_id).delete()
        keeping.forget([contact_id])
        Event.objects.filter(contact_id=contact_id).update(properties=None)
        writing.mark_dirty(organisation_id, [contact_id])
        columns.forget(contact_id)
        trail.record("contact.erased", subject=f"contact:{contact_id}")
