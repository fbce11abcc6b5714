"""Where a person's values come from, and what they were: for those whose role opens them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgpack

from accounts import tenancy
from audit import trail
from contacts import persons, writing
from contacts.fields import DataClass
from contacts.history import addresses, keeping
from contacts.history.models import Origin, ValueChange
from contacts.models import Contact
from contacts.reveal import readable, reveal
from crypto import data_keys
from crypto.seal import unseal

MOST = 200


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value comes from: who said it, when it was known there, when it came here."""

    source: str
    known_at: datetime
    came_at: datetime | None
    actor: str
    run: UUID | None = None
    message: str = ""
    mapping: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of one class; `fields` are shown only where they were revealed."""

    row: ValueChange
    origin: Origin
    message: str = ""
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict, repr=False)


def changes_of(contact_id: int) -> list[Changed]:
    """Return the newest changes of a person without their values."""
    ids = persons.ids_of([contact_id])[contact_id]
    rows = list(ValueChange.objects.filter(contact_id__in=ids).order_by("-id")[:MOST])
    origins = Origin.objects.in_bulk({row.origin_id for row in rows})
    return [Changed(row, origins[row.origin_id]) for row in rows]


def revealed(contact_id: int, classes: Collection[DataClass], *, purpose: str) -> list[Changed]:
    """Return the changes with what stood before and after, of these classes only.

    Raises RevealRefused beyond the role; the reading is in the trail.
    """
    reveal([contact_id], classes, purpose=purpose)
    wanted = {kind.value for kind in classes}
    found = [one for one in changes_of(contact_id) if one.row.data_class in wanted]
    trail.record(
        "contact.history_viewed",
        subject=f"contact:{contact_id}",
        detail={"count": len(found), "classes": sorted(wanted)},
    )
    return _without_hidden(_opened(found), classes)


def _without_hidden(changes: list[Changed], classes: Collection[DataClass]) -> list[Changed]:
    """Leave out values of deleted fields, and of those that the reader is not shown."""
    shown = readable(classes).keys() | {addresses.FIELD}
    return [
        replace(one, fields={key: both for key, both in one.fields.items() if key in shown})
        for one in changes
    ]


def origins(
    contact: Contact, classes: Collection[DataClass], *, purpose: str
) -> dict[DataClass, dict[str, Provenance]]:
    """Return where the values of these classes come from, by field.

    Raises RevealRefused beyond the role; the reading is in the trail.
    """
    if not classes:
        return {}
    reveal([contact.pk], classes, purpose=purpose)
    shown = readable(classes)
    return {
        kind: {key: one for key, one in provenance(contact, kind).items() if key in shown}
        for kind in classes
    }


def provenance(contact: Contact, kind: DataClass) -> dict[str, Provenance]:
    """Return the provenance of each field of one class; the caller has revealed the class."""
    record = writing.lock_and_open(tenancy.current(), [contact.pk], lock=False)[contact.pk].get(
        kind
    )
    if record is None:
        return {}
    changes = [one for one in changes_of(contact.pk) if one.row.data_class == kind.value]
    latest: dict[str, Changed] = {}
    for one in _opened(changes):
        for name in one.fields:
            latest.setdefault(name, one)
    first = Origin.objects.filter(pk=contact.origin_id).first() if contact.origin_id else None
    found = {}
    for name, micros in record.as_of.items():
        known_at = datetime.fromtimestamp(micros / 1_000_000, UTC)
        if name in latest:
            found[name] = _from(latest[name].origin, known_at, latest[name].message)
        elif first is not None:
            found[name] = _from(first, known_at, "")
    return found


def _from(origin: Origin, known_at: datetime, message: str) -> Provenance:
    return Provenance(
        source=origin.source,
        known_at=known_at,
        came_at=origin.at,
        actor=f"{origin.actor_kind}:{origin.actor_id}",
        run=origin.run,
        message=message,
        mapping=origin.mapping,
    )


def _opened(changes: list[Changed]) -> list[Changed]:
    keys = (
        data_keys.load(tenancy.current(), {one.row.contact_id for one in changes})
        if changes
        else {}
    )
    told = []
    for one in changes:
        if one.row.contact_id not in keys:
            continue
        packed = unseal(
            keys[one.row.contact_id],
            bytes(one.row.payload),
            context=keeping.context(one.row.contact_id, one.row.data_class),
        )
        message, fields = msgpack.unpackb(packed)
        told.append(Changed(one.row, one.origin, message, {k: tuple(v) for k, v in fields.items()}))
    return told
