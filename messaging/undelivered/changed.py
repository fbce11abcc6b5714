"""Whom a message went to before: a second try never follows to another address by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from contacts.points import Address
from messaging import compose
from messaging.claims import Claimed
from messaging.models import Message
from messaging.undelivered import cases


def moved(
    part: Collection[Claimed],
    recipients: Mapping[int, Address],
    keys: Mapping[int, Any],
    *,
    organisation_id: int,
) -> set[int]:
    """Return the messages that were tried before and would go to another address now."""
    again = {one.id: one for one in part if one.attempts and cases.concerns(one.classes)}
    if not again:
        return set()
    rows = Message.objects.filter(pk__in=again, merge__isnull=False).values_list("pk", "merge")
    found = set()
    for number, merge in rows:
        key = keys.get(again[number].contact_id)
        if key is None or number not in recipients or merge is None:
            continue
        before = compose.opened(
            bytes(merge), key=key, organisation_id=organisation_id, number=number
        )
        if before.recipient != recipients[number].value:
            found.add(number)
    return found
