"""What people wrote back to a message: kept with the event, sealed with their own key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from accounts import tenancy
from audit import trail
from contacts import events, persons
from contacts.models import Event
from crypto import data_keys
from messaging.models import Message

KIND: Final = "message.replied"
MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """`said` is empty where the words are gone, with the person's key or before they were kept."""

    at: datetime
    said: str = field(repr=False)


def count(message: Message) -> int:
    return Event.objects.filter(message_id=message.pk, kind=KIND, **_of(message)).count()


def read(message: Message) -> list[Answer]:
    """Return the answers, the oldest first; whoever reads them stands in the trail."""
    rows = Event.objects.filter(message_id=message.pk, kind=KIND, **_of(message))
    found = list(rows.order_by("occurred_at")[:MOST])
    keys = data_keys.load(tenancy.current(), {row.contact_id for row in found})
    trail.record(
        "message.viewed",
        subject=f"message:{message.pk}",
        detail={"purpose": "answers", "classes": ["clinical", "identity"]},
    )
    return [Answer(row.occurred_at, _said(row, keys.get(row.contact_id))) for row in found]


def _of(message: Message) -> dict[str, list[int]]:
    person = persons.standing_for([message.contact_id])[message.contact_id]
    return {"contact_id__in": [message.contact_id, person]}


def _said(row: Event, key: bytes | None) -> str:
    if key is None or row.properties is None:
        return ""
    held = events.open_properties(row.contact_id, bytes(row.properties), key=key)
    return str(held.get("said", ""))
