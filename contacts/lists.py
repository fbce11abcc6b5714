"""Lists of contacts made by hand, by a workflow or by another system."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from contacts import events
from contacts.events import NewEvent
from contacts.models import ContactList


def create(name: str, *, now: datetime) -> ContactList:
    """Make an empty list."""
    with transaction.atomic():
        made = ContactList.objects.create(name=name.strip(), created_at=now)
        trail.record("list.changed", subject=f"list:{made.id}", detail={"added": 0})
    return made


def add(list_id: UUID, contact_ids: Sequence[int], *, now: datetime) -> int:
    """Put contacts on the list; return how many were not on it. Each is told by an event."""
    return _change(
        list_id,
        "INSERT INTO contacts_listmember (organisation_id, list_id, contact_id, added_at)"
        " SELECT %(organisation)s, %(list)s, contact_id, %(now)s"
        " FROM unnest(%(contacts)s::int8[]) AS given (contact_id)"
        " ON CONFLICT DO NOTHING RETURNING contact_id",
        contact_ids,
        kind="list.joined",
        now=now,
    )


def remove(list_id: UUID, contact_ids: Sequence[int], *, now: datetime) -> int:
    """Take contacts off the list; return how many were on it."""
    return _change(
        list_id,
        "DELETE FROM contacts_listmember WHERE organisation_id = %(organisation)s"
        " AND list_id = %(list)s AND contact_id = ANY(%(contacts)s::int8[])"
        " RETURNING contact_id",
        contact_ids,
        kind="list.left",
        now=now,
    )


def _change(
    list_id: UUID, statement: str, contact_ids: Sequence[int], *, kind: str, now: datetime
) -> int:
    if not contact_ids:
        return 0
    given: dict[str, Any] = {
        "organisation": tenancy.current(),
        "list": list_id,
        "contacts": list(contact_ids),
        "now": now,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement, given)
            changed = [row[0] for row in cursor.fetchall()]
        events.append(
            [
                NewEvent(contact_id=one, kind=kind, occurred_at=now, campaign=list_id)
                for one in changed
            ],
            now=now,
        )
        fact = "added" if kind == "list.joined" else "removed"
        trail.record("list.changed", subject=f"list:{list_id}", detail={fact: len(changed)})
    return len(changed)
