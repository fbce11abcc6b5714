"""The person's own certificate or OpenPGP key, given on the portal after the identity step."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from accounts import tenancy, throttle
from audit import trail
from contacts import persons
from messaging.models import Message
from messaging.protection.keys import keeping
from messaging.protection.keys.keeping import Shown
from messaging.protection.keys.reading import KeyRefused

EACH: Final = throttle.Rate("portal.keys", burst=10, every=timedelta(hours=3))


def _person(message: Message) -> int:
    return persons.standing_for([message.contact_id])[message.contact_id]


def shown(message: Message) -> list[Shown]:
    """Return what mail to this person is encrypted to, into the trail."""
    person = _person(message)
    found = keeping.of_contact(person)
    trail.record("recipient_key.viewed", subject=f"contact:{person}", detail={"count": len(found)})
    return found


def add(message: Message, raw: bytes, *, now: datetime) -> None:
    """Keep the key; raises KeyRefused, with the code `many` for the eleventh of a day."""
    person = _person(message)
    if not throttle.spend(EACH, f"{tenancy.current()}:{person}", now=now):
        raise KeyRefused("Too many keys were given today.", "many")
    keeping.add(person, raw, source="portal", now=now)


def remove(message: Message, key: str, *, now: datetime) -> bool:
    try:
        number = UUID(key)
    except ValueError:
        return False
    return keeping.remove(_person(message), number, now=now)
