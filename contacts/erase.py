"""Forget a person: the key is destroyed, so that no copy anywhere opens again.

What stays is a bare row (so that the ordinal is not given to somebody else), the events without
their properties' key, and the trail. Opt-outs and suppressions are hashes of addresses and belong
to `consent`; they outlive the person, or the next import would write to them again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from accounts import tenancy
from audit import trail
from contacts import persons, writing
from contacts.households import living
from contacts.merge import carried
from contacts.models import (
    BLOCK_SIZE,
    BeforeMerge,
    Contact,
    ContactPoint,
    Event,
    Household,
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
from contacts.segments.live import follow, touches
from crypto import data_keys

Forget = Callable[[Sequence[int], datetime], None]
Counts = Callable[[Sequence[int]], Mapping[str, int]]

_before: list[Forget] = []
_forgetting: list[Forget] = []
_counting: list[Counts] = []
_keeping: list[Counts] = []

REASONS: Mapping[str, str] = {
    "request": "The person asked for it",
    "retention": "Kept for long enough",
    "mistake": "It should never have been kept",
}
"""Why somebody is erased, as the trail has it."""


def also(
    forget: Forget | None = None,
    *,
    before: Forget | None = None,
    gone: Counts | None = None,
    kept: Counts | None = None,
) -> None:
    """Register what another floor does when people are erased, with their ids and the moment.

    `forget` drops what it has of them, `before` runs while their addresses are still known; both in
    the erasing transaction. `gone` and `kept` count, by name, what erasing takes and what it
    leaves.
    """
    for place, one in ((_before, before), (_forgetting, forget)):
        if one is not None:
            place.append(one)
    for counts, way in ((_counting, gone), (_keeping, kept)):
        if way is not None:
            counts.append(way)


class AlreadyErased(LookupError):
    """There is no such contact, or it was erased before."""


class CountChanged(ValueError):
    """What erasing would take is not what was shown any more."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What erasing a person takes, and what it leaves, by name; names with nothing are left out."""

    gone: Mapping[str, int]
    kept: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.gone.values())


def foresee(contact_id: int) -> Foreseen:
    """Count what erasing the person would take and leave now."""
    everyone = persons.ids_of([contact_id])[contact_id]
    gone = _own_counts(everyone)
    return Foreseen(_told([gone, *(one(everyone) for one in _counting)]),
                    _told([one(everyone) for one in _keeping]))  # fmt: skip


def _told(counted: Collection[Mapping[str, int]]) -> dict[str, int]:
    return {name: count for one in counted for name, count in one.items() if count}


def _own_counts(ids: Sequence[int]) -> dict[str, int]:
    mine = {"contact_id__in": ids}
    acting = Q(contact_id__in=ids) | Q(holder_id__in=ids)
    return {
        "records": len(ids),
        "record_numbers": Identifier.objects.filter(**mine).count(),
        "addresses": ContactPoint.objects.filter(**mine).count(),
        "changes": ValueChange.objects.filter(**mine).count(),
        "details_of_events": Event.objects.filter(**mine, properties__isnull=False).count(),
        "list_places": ListMember.objects.filter(**mine).count(),
        "households": HouseholdMember.objects.filter(**mine).count(),
        "representatives": Representation.objects.filter(acting).count(),
    }


def erase(
    contact_id: int, *, now: datetime, reason: str = "request", expected: int | None = None
) -> Foreseen:
    """Destroy the keys, sealed values, indexes, numbers and memberships of a person.

    Contacts that were merged into this one are the same person and go with it, each with its own
    entry in the trail, so that a restored backup from before the merge forgets them too. With
    `expected`, a total that was shown, it raises CountChanged where that is not the total any more.
    Returns what it took.
    """
    if reason not in REASONS:
        raise ValueError(f"reason: use {', '.join(REASONS)}")
    with transaction.atomic():
        carried.begin()
        there = Contact.objects.select_for_update().filter(pk=contact_id, erased_at=None)
        if not there.exists():
            raise AlreadyErased(AlreadyErased.__doc__)
        everyone = persons.ids_of([contact_id])[contact_id]
        list(Contact.objects.select_for_update().filter(pk__in=everyone).order_by("pk").only("pk"))
        foreseen = foresee(contact_id)
        if expected is not None and expected != foreseen.total:
            raise CountChanged(CountChanged.__doc__)
        forget(everyone, now=now)
        note(everyone, reason=reason)
    return foreseen


def note(contact_ids: Sequence[int], *, reason: str) -> None:
    """Say in the trail who was erased: a restored backup is made to forget them by it again."""
    trail.record_many(
        trail.Entry("contact.erased", subject=f"contact:{one}", detail={"reason": reason})
        for one in contact_ids
    )


def forget(contact_ids: Sequence[int], *, now: datetime) -> None:
    """Forget many at once; the caller holds their locks, and notes who they were."""
    organisation_id, ids = tenancy.current(), list(contact_ids)
    for one in _before:
        one(ids, now)
    data_keys.shred(organisation_id, ids)
    Contact.objects.filter(pk__in=ids).update(
        **dict.fromkeys(writing.CLASSES),
        email_index=None,
        phone_index=None,
        merged_into=None,
        erased_at=now,
        updated_at=now,
    )
    touches.touch(living.mates_of(ids) - set(ids), "household", now=now)
    _drop_rows(ids)
    Event.objects.filter(contact_id__in=ids, properties__isnull=False).update(properties=None)
    writing.mark_dirty(organisation_id, ids)
    for contact_id in {ordinal_of(id_) // BLOCK_SIZE: id_ for id_ in ids}.values():
        columns.forget(contact_id)
    follow.forget(ids, now=now)
    for one in _forgetting:
        one(ids, now)


def _drop_rows(ids: Sequence[int]) -> None:
    for model in (Identifier, ListMember, ContactPoint, BeforeMerge, ValueChange):
        model._default_manager.filter(contact_id__in=ids).delete()
    _leave_homes(ids)
    Representation.objects.filter(Q(contact_id__in=ids) | Q(holder_id__in=ids)).delete()
    SinceMerge.objects.filter(owner_id__in=ids).delete()
    MergeProposal.objects.filter(Q(first_id__in=ids) | Q(second_id__in=ids)).delete()


def _leave_homes(ids: Sequence[int]) -> None:
    """Take people out of their households; a household of one is none."""
    homes = set(
        HouseholdMember.objects.filter(contact_id__in=ids).values_list("household_id", flat=True)
    )
    HouseholdMember.objects.filter(contact_id__in=ids).delete()
    left = Household.objects.filter(pk__in=homes).annotate(people=Count("members"))
    Household.objects.filter(pk__in=left.filter(people__lt=2).values("pk")).delete()
