"""The addresses of a person for somebody to read: through the door, and in the trail."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from contacts.fields import DataClass
from contacts.models import Contact
from contacts.points import keeping, sealing, sharing
from contacts.points.models import ContactPoint
from contacts.points.sealing import Opened
from contacts.reveal import reveal


@dataclass(frozen=True, slots=True)
class Shown:
    """One address as a page shows it: `row` is None for the record's own."""

    kind: str
    row: ContactPoint | None
    own: bool
    others: int
    opened: Opened | None = field(default=None, repr=False)


def masked(contact: Contact) -> list[Shown]:
    """Return a person's addresses without their values."""
    return _shown(contact, {}, {})


def opened(contact: Contact, *, purpose: str) -> list[Shown]:
    """Return a person's addresses with their values; raises RevealRefused beyond the role."""
    known = reveal([contact.id], [DataClass.CONTACT_POINT], purpose=purpose).get(contact.id, {})
    rows = sealing.open_many(keeping.of_contact(contact.id))
    own = {
        kind: Opened(str(known[kind]), frozenset()) for kind in ("email", "phone") if kind in known
    }
    return _shown(contact, rows, own)


def _shown(
    contact: Contact, opened: dict[UUID, Opened], own_values: dict[str, Opened]
) -> list[Shown]:
    rows = keeping.of_contact(contact.id)
    own = {
        kind: bytes(index)
        for kind, index in (("email", contact.email_index), ("phone", contact.phone_index))
        if index is not None
    }
    indexes = {index for row in rows if (index := _index(row))} | set(own.values())
    shared = sharing.others(contact.id, indexes)
    told = [
        Shown(
            row.kind,
            row,
            own=_index(row) is not None and _index(row) == own.get(row.kind),
            others=shared.get(_index(row) or b"", 0),
            opened=opened.get(row.pk),
        )
        for row in rows
    ]
    said = {one.kind for one in told if one.own}
    records = [
        Shown(kind, None, own=True, others=shared[index], opened=own_values.get(kind))
        for kind, index in own.items()
        if kind not in said
    ]
    return sorted([*records, *told], key=lambda one: (one.kind, not one.own))


def _index(row: ContactPoint) -> bytes | None:
    return None if row.value_index is None else bytes(row.value_index)
