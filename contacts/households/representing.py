"""Who may act for a person, worked out for a given moment.

Nothing switches a proxy off: the birthday is looked at whenever somebody asks (ST-03). Authority
over a minor needs a known date of birth, never covers the services that a minor may consent to
alone, and ends when the minor dies, as every other but an executor's does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgpack
from django.db import transaction

from accounts import tenancy
from audit import trail
from contacts import packing, persons, writing
from contacts.canonical import ValueRefused
from contacts.fields import DataClass
from contacts.households.models import Representation
from contacts.majority import comes_of_age
from contacts.models import Contact
from contacts.points.choosing import today
from crypto import data_keys
from crypto.seal import Context, seal, unseal

TABLE = "contacts_representation"
OVER_MINORS = frozenset({Representation.Kind.PARENT, Representation.Kind.GUARDIAN})
MINORS_OWN = frozenset({"minor", "reproductive", "mental_health", "substance_use", "hiv"})
"""What a proxy over a minor never covers, whatever a state grants the minor: the careful side."""
LONGEST = 500


class NoSuchRepresentation(LookupError):
    """This person has no such representative."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """One who may act for a person now, or why not: `ended` is `ended`, `of_age`, `not_begun`,
    `birth_date_unknown`, `deceased` or empty.
    """

    row: Representation
    ended: str
    until: date | None
    """The first day on which it holds no more, where there is one."""

    @property
    def holds(self) -> bool:
        return not self.ended

    def covers(self, category: str) -> bool:
        """Whether messages of this category may go to the proxy."""
        own = self.row.kind in OVER_MINORS and category in MINORS_OWN
        return self.holds and not own


@dataclass(frozen=True, slots=True)
class Named:
    """What a representation says; shows nothing of itself."""

    name: str = field(repr=False)
    authority: str = field(repr=False)


def appoint(
    contact_id: int,
    *,
    kind: str,
    name: str,
    authority: str,
    source: str,
    now: datetime,
    holder_id: int | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Representation:
    """Record who may act for a person, with the description of the authority (PR-14).

    Raises ValueRefused, or persons.Gone where one of them was erased.
    """
    name, authority = name.strip(), authority.strip()
    if not authority:
        raise ValueRefused("authority", "is needed: say on what the right to act rests")
    if not name and holder_id is None:
        raise ValueRefused("name", "is needed, or the contact who acts")
    if max(len(name), len(authority)) > LONGEST:
        raise ValueRefused("authority", f"and name take at most {LONGEST} characters")
    if holder_id == contact_id:
        raise ValueRefused("holder", "must be somebody else")
    if starts_on and ends_on and ends_on < starts_on:
        raise ValueRefused("ends_on", "lies before the first day")
    with transaction.atomic():
        persons.hold([contact_id, *([holder_id] if holder_id else [])])
        keys = data_keys.load(tenancy.current(), [contact_id])
        row = Representation(
            contact_id=contact_id, holder_id=holder_id, kind=Representation.Kind(kind),
            starts_on=starts_on, ends_on=ends_on, source=source, made_at=now,
        )  # fmt: skip
        packed: bytes = msgpack.packb([name, authority])
        row.payload = seal(keys[contact_id], packed, context=_context(row))
        row.save()
        _note(row, "appointed")
    return row


def end(representation_id: UUID, contact_id: int, *, now: datetime) -> None:
    """End an authority from this moment; the row stays as evidence of what it covered."""
    with transaction.atomic():
        ids = persons.ids_of([contact_id])[contact_id]
        rows = Representation.objects.select_for_update()
        row = rows.filter(pk=representation_id, contact_id__in=ids, ended_at=None).first()
        if row is None:
            raise NoSuchRepresentation(NoSuchRepresentation.__doc__)
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        _note(row, "ended")


def proxies_of(contact_ids: Collection[int], *, now: datetime) -> dict[int, list[Proxy]]:
    """Return everyone who ever acted for each, with whether it holds at `now`."""
    people = persons.ids_of(contact_ids)
    everyone = {one for ids in people.values() for one in ids}
    rows = list(Representation.objects.filter(contact_id__in=everyone).order_by("pk"))
    if not rows:
        return {}
    on, lives = today(now), _lives({row.contact_id for row in rows})
    judged: dict[int, list[Proxy]] = {}
    for row in rows:
        judged.setdefault(row.contact_id, []).append(_judged(row, lives[row.contact_id], on, now))
    together = {
        one: [each for i in ids for each in judged.get(i, ())] for one, ids in people.items()
    }
    return {one: found for one, found in together.items() if found}


def named(rows: Collection[Representation]) -> dict[UUID, Named]:
    """Open names and authorities; whoever shows them has revealed the person's identity."""
    keys = data_keys.load(tenancy.current(), {row.contact_id for row in rows}) if rows else {}
    return {
        row.pk: Named(
            *msgpack.unpackb(
                unseal(keys[row.contact_id], bytes(row.payload), context=_context(row))
            )
        )
        for row in rows
        if row.contact_id in keys
    }


def _judged(row: Representation, life: Mapping[str, Any], on: date, now: datetime) -> Proxy:
    until = row.ends_on and date.fromordinal(row.ends_on.toordinal() + 1)
    if row.kind in OVER_MINORS:
        if "birth_date" not in life:
            return Proxy(row, "birth_date_unknown", until)
        born = date.fromisoformat(life["birth_date"])
        of_age = comes_of_age(born, state=str(life.get("state", "")))
        if on >= of_age:
            return Proxy(row, "of_age", of_age)
        until = min(until, of_age) if until else of_age
    if row.ended_at is not None and row.ended_at <= now:
        return Proxy(row, "ended", row.ended_at.date())
    if until is not None and on >= until:
        return Proxy(row, "ended", until)
    if row.starts_on is not None and on < row.starts_on:
        return Proxy(row, "not_begun", until)
    if life.get("deceased") and row.kind != Representation.Kind.EXECUTOR:
        return Proxy(row, "deceased", until)
    return Proxy(row, "", until)


def _lives(contact_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Open only what decides: date of birth, state, death."""
    organisation_id = tenancy.current()
    keys = data_keys.load(organisation_id, contact_ids)
    lives: dict[int, dict[str, Any]] = {one: {} for one in contact_ids}
    for contact in Contact.objects.filter(pk__in=list(keys)):
        sealed = contact.sealed()
        for kind, wanted in (
            (DataClass.IDENTITY, {"birth_date"}),
            (DataClass.CONTACT_POINT, {"state"}),
        ):
            if kind in sealed:
                packed = writing.open_record(
                    organisation_id, contact.pk, kind.value, keys[contact.pk], sealed[kind]
                )
                lives[contact.pk] |= packing.read(packed, wanted)
        lives[contact.pk]["deceased"] = contact.deceased
    return lives


def _context(row: Representation) -> Context:
    return Context(tenancy.current(), TABLE, f"{row.contact_id}/{row.pk}", "payload")


def _note(row: Representation, what: str) -> None:
    trail.record(
        f"representative.{what}",
        subject=f"contact:{row.contact_id}",
        detail={"kind": row.kind, "representation": str(row.pk)},
    )
