"""Which address a message to a person goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from accounts import tenancy
from accounts.models import Organisation
from contacts import persons
from contacts.fields import DataClass
from contacts.points import rules, sealing
from contacts.points.models import ContactPoint
from contacts.points.rules import Point
from contacts.reveal import reveal

KIND_OF: Mapping[str, str] = {"email": "email", "sms": "phone", "phone": "phone"}
"""The kind of address, and the field of the record, that a channel writes to."""


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
    """Return the address of each contact for a message of this category; who has none is missing.

    Without rows of addresses it is the record's own. A category that the person wants somewhere
    else goes there alone (PR-22). `known` are revealed contact-point values, where the caller has
    them already; an address from a row belongs to the same class and needs no second reveal.
    """
    if known is None:
        known = reveal(list(contact_ids), [DataClass.CONTACT_POINT], purpose="address")
    kind = KIND_OF[channel]
    own = {one: value for one in contact_ids if (value := known.get(one, {}).get(kind))}
    rows = _rows(contact_ids)
    found = {one: Address(value) for one, value in own.items() if one not in rows}
    if rows:
        indexes = {one: sealing.index_of(kind, own[one]) for one in rows if one in own}
        chosen = _chosen(rows, indexes, kind=kind, category=category, now=now)
        found |= _addresses(rows, chosen, own)
    return found


def indexes_for(
    own: Mapping[int, bytes | None], *, channel: str, now: datetime, category: str = ""
) -> dict[int, bytes]:
    """Return the blind index of the address that `address_for` would choose for each contact.

    `own` has the index of the record's own address. For consent, which knows addresses by their
    hashes alone: what stands against the address chosen counts, not what stands against another.
    """
    rows = _rows(own)
    found = {one: index for one, index in own.items() if one not in rows and index is not None}
    if rows:
        indexes = {one: own[one] for one in rows}
        kind = KIND_OF[channel]
        chosen = _chosen(rows, indexes, kind=kind, category=category, now=now)
        found |= {one: point.index for one, point in chosen.items() if point.index is not None}
    return found


def _rows(contact_ids: Collection[int]) -> dict[int, list[ContactPoint]]:
    """Return the rows of each contact that has any, those of contacts merged into it included."""
    people = persons.ids_of(contact_ids)
    everyone = {one for ids in people.values() for one in ids}
    held: dict[int, list[ContactPoint]] = defaultdict(list)
    for row in ContactPoint.objects.filter(contact_id__in=everyone):
        held[row.contact_id].append(row)
    if not held:
        return {}
    together = {
        one: [row for id_ in ids for row in held.get(id_, ())] for one, ids in people.items()
    }
    return {one: rows for one, rows in together.items() if rows}


def _chosen(
    rows: Mapping[int, list[ContactPoint]],
    own: Mapping[int, bytes | None],
    *,
    kind: str,
    category: str,
    now: datetime,
) -> dict[int, Point]:
    reserved = [row for group in rows.values() for row in group if row.confidential]
    opened = sealing.open_many(reserved)
    on = today(now)
    found = {}
    for contact_id, group in rows.items():
        index = own.get(contact_id)
        points = [_point(row, opened, own=index) for row in group]
        if index is not None and not any(one.own for one in points):
            points.append(Point(id=None, kind=kind, index=index, own=True))
        if (best := rules.choose(points, kind=kind, category=category, on=on)) is not None:
            found[contact_id] = best
    return found


def _point(row: ContactPoint, opened: Mapping[UUID, sealing.Opened], *, own: bytes | None) -> Point:
    index = None if row.value_index is None else bytes(row.value_index)
    return Point(
        id=row.pk,
        kind=row.kind,
        index=index,
        own=own is not None and index == own,
        use=row.use,
        rank=row.rank,
        preferred=row.preferred,
        bounced=row.state == ContactPoint.State.BOUNCED,
        verified=row.state == ContactPoint.State.VERIFIED,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        categories=opened[row.pk].categories if row.pk in opened else frozenset(),
    )


def _addresses(
    rows: Mapping[int, list[ContactPoint]], chosen: Mapping[int, Point], own: Mapping[int, str]
) -> dict[int, Address]:
    by_id = {row.pk: row for group in rows.values() for row in group}
    wanted = [by_id[point.id] for point in chosen.values() if point.id is not None]
    opened = sealing.open_many(wanted)
    found = {}
    for contact_id, point in chosen.items():
        value = opened[point.id].value if point.id in opened else own.get(contact_id)
        if isinstance(value, str):
            found[contact_id] = Address(value, point.id, bool(point.categories))
    return found


def today(now: datetime) -> date:
    """Return the organisation's calendar day."""
    return now.astimezone(Organisation.objects.get(pk=tenancy.current()).zone).date()
