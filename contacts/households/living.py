"""Who shares a household with whom, for one person or for many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from contacts import persons
from contacts.households.models import Household, HouseholdMember
from contacts.segments.live import touches
from crypto.rows import binary_cursor

_MATES = """
SELECT DISTINCT mine.contact_id, theirs.contact_id
FROM contacts_householdmember mine
JOIN contacts_householdmember theirs USING (household_id)
JOIN contacts_contact c ON c.id = theirs.contact_id AND c.erased_at IS NULL
WHERE mine.organisation_id = %b AND mine.contact_id = ANY(%b::int8[])
  AND theirs.contact_id <> mine.contact_id
"""


class NoSuchHousehold(LookupError):
    """There is no such household, or the contact is not in it."""


def members_of(contact_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Return the others in each contact's households; who lives with nobody is missing."""
    found: dict[int, set[int]] = defaultdict(set)
    with binary_cursor() as cursor:
        cursor.execute(_MATES, [tenancy.current(), list(contact_ids)])
        for one, other in cursor.fetchall():
            found[one].add(other)
    return {one: frozenset(others) for one, others in found.items()}


def mates_of(contact_ids: Collection[int]) -> set[int]:
    """Return everyone who lives with at least one of these: whose household includes one."""
    return {other for others in members_of(contact_ids).values() for other in others}


def households_of(contact_id: int) -> list[Household]:
    ids = persons.ids_of([contact_id])[contact_id]
    return list(Household.objects.filter(members__contact_id__in=ids).distinct().order_by("pk"))


def members(household: Household) -> list[int]:
    """Return who lives there, each person once: two contacts that were merged are one."""
    rows = HouseholdMember.objects.filter(household=household)
    ids = list(rows.values_list("contact_id", flat=True))
    return sorted(set(persons.standing_for(ids).values()))


def join(
    contact_ids: Collection[int], *, now: datetime, household: UUID | None = None
) -> Household:
    """Make a household of these people, or add them to one; persons.Gone where one was erased."""
    with transaction.atomic():
        persons.hold(contact_ids)
        if household is None:
            home = Household.objects.create(made_at=now)
        else:
            found = Household.objects.select_for_update().filter(pk=household).first()
            if found is None:
                raise NoSuchHousehold(NoSuchHousehold.__doc__)
            home = found
        HouseholdMember.objects.bulk_create(
            [
                HouseholdMember(household=home, contact_id=one, joined_at=now)
                for one in dict.fromkeys(contact_ids)
            ],
            ignore_conflicts=True,
        )
        _tell("joined", home, contact_ids, now=now)
    return home


def leave(contact_id: int, household: UUID, *, now: datetime) -> None:
    """Take a person out; a household of one is none."""
    with transaction.atomic():
        home = Household.objects.select_for_update().filter(pk=household).first()
        ids = persons.ids_of([contact_id])[contact_id]
        rows = HouseholdMember.objects.filter(household=household, contact_id__in=ids)
        if home is None or not rows.delete()[0]:
            raise NoSuchHousehold(NoSuchHousehold.__doc__)
        _tell("left", home, [contact_id], now=now)
        if len(members(home)) < 2:
            home.delete()


def _tell(what: str, home: Household, contact_ids: Collection[int], *, now: datetime) -> None:
    touches.touch({*contact_ids, *members(home)}, "household", now=now)
    trail.record_many(
        trail.Entry(
            f"household.{what}", subject=f"contact:{one}", detail={"household": str(home.pk)}
        )
        for one in contact_ids
    )
