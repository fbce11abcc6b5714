"""Which address a message to a person goes to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from contacts.fields import DataClass
from contacts.reveal import reveal

FIELD_OF: Mapping[str, str] = {"email": "email", "sms": "phone", "phone": "phone"}
"""The field of the record that a channel writes to where nothing else was said."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes. `point_id` is None for the record's own; shows nothing of itself."""

    value: str = field(repr=False)
    point_id: UUID | None = None
    confidential: bool = False


def address_for(
    contact_ids: Collection[int],
    *,
    channel: str,
    now: datetime,
    category: str = "",
    known: Mapping[int, Mapping[str, Any]] | None = None,
) -> dict[int, Address]:
    """Return the address of each contact for this channel; who has none is missing.

    `known` are revealed contact-point values, where the caller has them already.
    """
    if known is None:
        known = reveal(list(contact_ids), [DataClass.CONTACT_POINT], purpose="address")
    key = FIELD_OF[channel]
    return {one: Address(value) for one in contact_ids if (value := known.get(one, {}).get(key))}
