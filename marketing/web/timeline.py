"""What happened to a person, as far as the reader's role goes.

An event's kind can itself be a clinical fact (a missed appointment, a visit), and so can the name
of a segment or of a message; what lies beyond the role is counted and not named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from contacts import persons
from contacts.models import Event
from contacts.segments.references import CLINICAL_KINDS
from marketing.web.addresses import address
from messaging.models import Message

MOST = 50
EVENTS: Mapping[str, str] = {
    "contact.created": "First known",
    "contact.updated": "Record updated",
    "contact.deceased": "Recorded as deceased",
    "contact.alive": "Recorded as living",
    "contact.merged": "Merged with another record",
    "contact.unmerged": "Merge taken back",
    "message.sent": "Message sent",
    "message.delivered": "Message delivered",
    "message.opened": "Message opened",
    "message.clicked": "Link clicked",
    "message.bounced": "Message bounced",
    "message.complained": "Complaint received",
    "message.replied": "Answered",
    "message.unsubscribed": "Unsubscribed",
    "appointment.booked": "Appointment booked",
    "appointment.moved": "Appointment moved",
    "appointment.cancelled": "Appointment cancelled",
    "appointment.attended": "Appointment attended",
    "appointment.missed": "Appointment missed",
    "encounter.started": "Visit began",
    "form.completed": "Form completed",
    "consent.authorized": "Authorization signed",
    "consent.revoked": "Authorization revoked",
    "consent.opted_out": "Opted out",
    "consent.opted_in": "Opted in",
    "list.joined": "Added to a list",
    "list.left": "Removed from a list",
    "segment.entered": "Entered a segment",
    "segment.left": "Left a segment",
}

_OF_IDENTITY = frozenset({"contact.deceased", "contact.alive"})
_BADGES: Mapping[str, str] = {
    "message.clicked": "ok",
    "message.opened": "info",
    "message.sent": "info",
    "message.bounced": "bad",
    "message.complained": "bad",
    "message.unsubscribed": "warn",
    "appointment.missed": "warn",
    "appointment.attended": "ok",
}
_STATE_BADGES: Mapping[str, str] = {
    "sent": "ok",
    "refused": "warn",
    "failed": "bad",
    "unknown": "bad",
    "deferred": "info",
    "paused": "warn",
}


@dataclass(frozen=True)
class Happened:
    """One line of the timeline."""

    words: str
    occurred_at: datetime
    text: str
    badge: str
    address: str = ""
    """The page of the message that it is about, where the role may see that."""


@dataclass(frozen=True)
class Timeline:
    """The newest events, and how many of those the role does not show."""

    events: Sequence[Happened]
    withheld: int


def words(kind: str) -> str:
    """Return an event's kind as a person says it."""
    return EVENTS.get(kind) or kind.replace(".", " ").replace("_", " ").capitalize()


def events_of(contact_id: int, *, classes: Collection[str]) -> Timeline:
    """Return the newest events of one person."""
    rows = Event.objects.filter(contact_id=contact_id).order_by("-occurred_at", "-id")[:MOST]
    seen = [row for row in rows if _within(row.kind, classes)]
    pages = _pages({row.message_id for row in seen if row.message_id}, classes)
    events = [
        Happened(
            words(row.kind),
            row.occurred_at,
            _aside(row),
            _BADGES.get(row.kind, "plain"),
            pages.get(row.message_id or 0, ""),
        )
        for row in seen
    ]
    return Timeline(events, len(rows) - len(seen))


def _pages(message_ids: Collection[int], classes: Collection[str]) -> dict[int, str]:
    rows = Message.objects.filter(pk__in=message_ids).only("pk", "public_id", "classes")
    known = frozenset(classes)
    return {row.pk: address("message", row.public_id) for row in rows if set(row.classes) <= known}


def _aside(row: Event) -> str:
    parts = [f"from {row.source}" if row.source else "", row.link and f"link: {row.link}"]
    return " · ".join([part for part in parts if part] + ["by a program"] * row.machine)


def _within(kind: str, classes: Collection[str]) -> bool:
    if kind in _OF_IDENTITY:
        return "identity" in classes
    return "clinical" in classes or not kind.startswith(CLINICAL_KINDS)


def messages_of(contact_id: int, *, classes: Collection[str]) -> list[dict[str, Any]]:
    """Return the newest messages; one that says more than the role may know is neither named nor
    linked, for its own page names it."""
    rows = (
        Message.objects.filter(contact_id__in=persons.ids_of([contact_id])[contact_id])
        .select_related("version__template")
        .order_by("-id")[:MOST]
    )
    known = frozenset(classes)
    return [
        {
            "message": row,
            "name": row.version.template.name if set(row.classes) <= known else "",
            "address": address("message", row.public_id) if set(row.classes) <= known else "",
            "badge": _STATE_BADGES.get(row.state, "plain"),
        }
        for row in rows
    ]


def latest_of(contact_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when something last happened to each, by one look into the index for each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT given.id, latest.occurred_at FROM unnest(%s::int8[]) AS given (id)"
            " CROSS JOIN LATERAL (SELECT occurred_at FROM contacts_event"
            " WHERE contact_id = given.id ORDER BY occurred_at DESC LIMIT 1) AS latest",
            [list(contact_ids)],
        )
        return dict(cursor.fetchall())
