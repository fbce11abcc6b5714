"""Forget a person: the key is destroyed, so that no copy anywhere opens again.

What stays is a bare row (so that the ordinal is not given to somebody else), the events without
their properties' key, and the trail. Opt-outs and suppressions are hashes of addresses and belong
to `consent`; they outlive the person, or the next import would write to them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts import tenancy
from audit import trail
from contacts import persons, writing
from contacts.models import (
    BLOCK_SIZE,
    BeforeMerge,
    Contact,
    ContactPoint,
    Event,
    HouseholdMember,
    Identifier,
    ListMember,
    MergeProposal,
    Representation,
    SinceMerge,
    ValueChange,
    ordinal_of,
)
from contacts.segments import columns
from contacts.segments.live import follow
from crypto import data_keys

_forgetting: list[Callable[[Sequence[int]], None]] = []
"""What other floors drop of erased people; each is called in the erasing transaction."""


def also(forget: Callable[[Sequence[int]], None]) -> None:
    """Have this called with the ids of whoever is erased."""
    _forgetting.append(forget)


class AlreadyErased(LookupError):
    """There is no such contact, or it was erased before."""


def erase(contact_id: int, *, now: datetime) -> None:
    """Destroy the keys, sealed values, indexes, numbers and memberships of a person.

    Contacts that were merged into this one are the same person and go with it, each with its own
    entry in the trail, so that a restored backup from before the merge forgets them too.
    """
    with transaction.atomic():
        living = Contact.objects.select_for_update().filter(pk=contact_id, erased_at=None)
        if not living.exists():
            raise AlreadyErased(AlreadyErased.__doc__)
        everyone = persons.ids_of([contact_id])[contact_id]
        forget(everyone, now=now)
        trail.record_many(
            trail.Entry("contact.erased", subject=f"contact:{one}") for one in everyone
        )


def forget(contact_ids: Sequence[int], *, now: datetime) -> None:
    """Forget many at once; the caller holds their locks and says in the trail what for."""
    organisation_id, ids = tenancy.current(), list(contact_ids)
    data_keys.shred(organisation_id, ids)
    Contact.objects.filter(pk__in=ids).update(
        **dict.fromkeys(writing.CLASSES),
        email_index=None,
        phone_index=None,
        merged_into=None,
        erased_at=now,
        updated_at=now,
    )
    _drop_rows(ids)
    Event.objects.filter(contact_id__in=ids, properties__isnull=False).update(properties=None)
    writing.mark_dirty(organisation_id, ids)
    for contact_id in {ordinal_of(id_) // BLOCK_SIZE: id_ for id_ in ids}.values():
        columns.forget(contact_id)
    follow.forget(ids, now=now)
    for one in _forgetting:
        one(ids)


def _drop_rows(ids: Sequence[int]) -> None:
    for model in (Identifier, ListMember, ContactPoint, BeforeMerge, ValueChange):
        model._default_manager.filter(contact_id__in=ids).delete()
    HouseholdMember.objects.filter(contact_id__in=ids).delete()
    Representation.objects.filter(Q(contact_id__in=ids) | Q(holder_id__in=ids)).delete()
    SinceMerge.objects.filter(owner_id__in=ids).delete()
    MergeProposal.objects.filter(Q(first_id__in=ids) | Q(second_id__in=ids)).delete()
