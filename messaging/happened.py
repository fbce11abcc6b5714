"""What happened to a message, as an event of the person whom it is for now."""

from __future__ import annotations

from datetime import datetime

from contacts import events, persons
from contacts.models import Contact
from messaging.models import Message
from messaging.pools import lanes


def event_of(message: Message, kind: str, *, now: datetime) -> events.NewEvent | None:
    """Return the event of the message's person, keyed to happen once; None for who was erased."""
    person = persons.standing_for([message.contact_id])[message.contact_id]
    if not Contact.objects.filter(id=person, erased_at=None).exists():
        return None
    return events.NewEvent(
        contact_id=person,
        through=message.contact_id if message.contact_id != person else None,
        kind=kind,
        occurred_at=now,
        source="text" if message.channel == lanes.SMS else "mail",
        campaign=message.version.template_id,
        message_id=message.pk,
        key=f"{kind} {message.public_id}",
    )
