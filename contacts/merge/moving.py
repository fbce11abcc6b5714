"""Move what happened to a person, record numbers and places on lists; and move them back.

A row that was moved, or that came later through the contact that went, says so in its own column
(`through`, `origin`): moving back needs no other record, and nested merges unfold one by one.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

from accounts import tenancy
from contacts import events
from contacts.households.models import HouseholdMember
from contacts.models import ContactList, Identifier, ListMember
from crypto import data_keys
from crypto.rows import binary_cursor

_MOVE_EVENTS = """
UPDATE contacts_event SET contact_id = %(to)s, through = coalesce(through, %(from)s)
WHERE organisation_id = %(here)s AND contact_id = %(from)s
"""
_RETURN_EVENTS = """
UPDATE contacts_event SET contact_id = %(to)s, through = nullif(through, %(to)s)
WHERE organisation_id = %(here)s AND contact_id = %(from)s AND through = ANY(%(group)s)
"""
_SEALED = """
SELECT id, received_at, properties FROM contacts_event
WHERE organisation_id = %b AND contact_id = %b AND properties IS NOT NULL
"""
_RESEAL = """
UPDATE contacts_event e SET properties = u.properties
FROM unnest(%b::int8[], %b::timestamptz[], %b::bytea[]) AS u (id, received_at, properties)
WHERE e.organisation_id = %b AND e.id = u.id AND e.received_at = u.received_at
"""


def events_to(survivor: int, *, absorbed: int) -> None:
    """Give the survivor all that happened to the absorbed."""
    _reseal(absorbed, survivor, group=None)
    _run(_MOVE_EVENTS, survivor, absorbed)


def events_back(survivor: int, *, absorbed: int, group: Collection[int]) -> None:
    """Give back what was the absorbed's, and what came through it since."""
    _reseal(survivor, absorbed, group=group)
    _run(_RETURN_EVENTS, absorbed, survivor, group=list(group))


def numbers_to(survivor: int, *, absorbed: int) -> None:
    _numbers(
        "SET contact_id = %(to)s, origin = coalesce(origin, %(from)s) WHERE contact_id = %(from)s",
        survivor,
        absorbed,
    )


def numbers_back(survivor: int, *, absorbed: int, group: Collection[int]) -> None:
    _numbers(
        "SET contact_id = %(to)s, origin = nullif(origin, %(to)s)"
        " WHERE contact_id = %(from)s AND origin = ANY(%(group)s)",
        absorbed,
        survivor,
        group=list(group),
    )


def lists_to(survivor: int, *, absorbed: int) -> dict[str, Any]:
    """Put the survivor on the absorbed's lists; return what was changed."""
    theirs = {
        str(row.list_id): row.added_at.isoformat()
        for row in ListMember.objects.filter(contact_id=absorbed)
    }
    known = set(
        ListMember.objects.filter(contact_id=survivor, list_id__in=theirs).values_list(
            "list_id", flat=True
        )
    )
    gained = [one for one in theirs if one not in {str(each) for each in known}]
    _put_on(survivor, {one: theirs[one] for one in gained})
    ListMember.objects.filter(contact_id=absorbed).delete()
    return {"had": theirs, "gained": gained}


def lists_back(survivor: int, *, absorbed: int, changed: dict[str, Any]) -> None:
    """Undo it. Who was taken off a list since the merge stays off it, on both sides."""
    had: dict[str, str] = changed.get("had", {})
    still = ListMember.objects.filter(contact_id=survivor, list_id__in=had)
    kept = {str(one) for one in still.values_list("list_id", flat=True)}
    _put_on(absorbed, {one: since for one, since in had.items() if one in kept})
    gained = changed.get("gained", [])
    ListMember.objects.filter(contact_id=survivor, list_id__in=gained).delete()


def homes_to(survivor: int, *, absorbed: int) -> list[str]:
    """Let the survivor live where the absorbed lives; return the households that are new to it."""
    homes = HouseholdMember.objects.filter(contact_id=absorbed)
    known = HouseholdMember.objects.filter(contact_id=survivor).values_list("household_id")
    gained = list(homes.exclude(household_id__in=known).values_list("household_id", flat=True))
    homes.filter(household_id__in=gained).update(contact_id=survivor)
    return [str(one) for one in gained]


def homes_back(survivor: int, *, absorbed: int, gained: list[str]) -> None:
    """Where the person still lives, the absorbed does again."""
    homes = HouseholdMember.objects.filter(contact_id=survivor, household_id__in=gained)
    homes.update(contact_id=absorbed)


def _put_on(contact_id: int, lists: dict[str, str]) -> None:
    there = {
        str(one) for one in ContactList.objects.filter(pk__in=lists).values_list("pk", flat=True)
    }
    ListMember.objects.bulk_create(
        [
            ListMember(list_id=one, contact_id=contact_id, added_at=datetime.fromisoformat(since))
            for one, since in lists.items()
            if one in there
        ],
        ignore_conflicts=True,
    )


def _numbers(change: str, to: int, from_: int, **more: Any) -> None:
    _run(f"UPDATE {Identifier._meta.db_table} {change}", to, from_, **more)


def _run(statement: str, to: int, from_: int, **more: Any) -> None:
    given = {"to": to, "from": from_, "here": tenancy.current(), **more}
    with connection.cursor() as cursor:
        cursor.execute(statement, given)


def _reseal(before: int, after: int, *, group: Collection[int] | None) -> None:
    """Properties are sealed for whose event it is; seal them anew for whose it becomes."""
    here = tenancy.current()
    statement, given = _SEALED, list[Any]([here, before])
    if group is not None:
        statement, given = f"{_SEALED} AND through = ANY(%b::int8[])", [here, before, list(group)]
    keys = data_keys.load(here, [before, after])
    with binary_cursor() as cursor:
        cursor.execute(statement.encode(), given)
        rows = cursor.fetchall()
        if not rows:
            return
        sealed = [
            events.resealed(bytes(row[2]), before=before, after=after, keys=keys) for row in rows
        ]
        columns = [[row[0] for row in rows], [row[1] for row in rows], sealed]
        cursor.execute(_RESEAL.encode(), [*columns, here])
