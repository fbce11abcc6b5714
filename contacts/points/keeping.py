"""Add, change and drop addresses; take over what a source says of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from contacts import persons
from contacts.canonical import ValueRefused
from contacts.facts import PointFact
from contacts.history import addresses
from contacts.history.addresses import AddressChange
from contacts.models import Contact
from contacts.points import sealing
from contacts.points.models import ContactPoint
from contacts.points.sealing import Opened, Value
from crypto.ids import uuid7

_FROM_SOURCES = ("use", "rank", "starts_on", "ends_on")
_PLAIN = ("use", "rank", "preferred", "starts_on", "ends_on")


class NoSuchPoint(LookupError):
    """This person has no such address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPoint:
    """An address as staff or another system gives it."""

    kind: str
    value: object = field(repr=False)
    use: str = "home"
    rank: int = 1
    preferred: bool = False
    starts_on: date | None = None
    ends_on: date | None = None
    categories: frozenset[str] = frozenset()
    verified_by: str = ""


def add(contact_id: int, given: NewPoint, *, source: str, now: datetime) -> ContactPoint:
    """Keep an address of a contact; one that is known already is changed instead.

    What it is reserved for stays where nothing is said of that: a system that repeats an address
    must not undo what the person asked for (45 CFR 164.522(b)). `change` takes it away.
    Raises ValueRefused, or persons.Gone for who was erased.
    """
    value = sealing.clean(given.kind, given.value)
    _check_period(given.starts_on, given.ends_on)
    with transaction.atomic():
        persons.hold([contact_id])
        known = _same(contact_id, given.kind, value)
        before = addresses.told(known, value) if known else None
        reserved = given.categories or _reserved(known)
        row = known or ContactPoint(contact_id=contact_id, kind=given.kind, created_at=now)
        for name in _PLAIN:
            setattr(row, name, getattr(given, name))
        row.source, row.known_at = source, now
        _verify(row, given.verified_by, now=now)
        _seal(row, Opened(value, reserved), now=now)
        row.save()
        _note(row, "changed" if known else "added")
        _remember(row, before, addresses.told(row, value), source=source, now=now)
    return row


def change(
    point_id: UUID, contact_id: int, *, now: datetime, source: str = "staff", **given: Any
) -> ContactPoint:
    """Change use, rank, preferred, starts_on, ends_on, categories or verified_by of an address.

    An empty `verified_by` takes a check back; a bounce stays until somebody checks the address.
    """
    with transaction.atomic():
        row = _locked(point_id, contact_id)
        stood = sealing.open_many([row])[row.pk]
        before = addresses.told(row, stood.value)
        for name in _PLAIN:
            if name in given:
                setattr(row, name, given[name])
        _check_period(row.starts_on, row.ends_on)
        if "verified_by" in given:
            _verify(row, given["verified_by"], now=now)
            if not given["verified_by"] and row.state == ContactPoint.State.VERIFIED:
                row.state, row.verified_by = ContactPoint.State.UNVERIFIED, ""
                row.verified_at = None
        if "categories" in given:
            _seal(row, Opened(stood.value, frozenset(given["categories"])), now=now)
        row.updated_at = now
        row.save()
        _note(row, "changed")
        _remember(row, before, addresses.told(row, stood.value), source=source, now=now)
    return row


def drop(point_id: UUID, contact_id: int, *, now: datetime, source: str = "staff") -> None:
    """Forget an address. Opt-outs and suppressions of it are kept by its hash."""
    with transaction.atomic():
        row = _locked(point_id, contact_id)
        _note(row, "removed")
        if (stood := sealing.open_many([row]).get(row.pk)) is not None:
            _remember(row, addresses.told(row, stood.value), None, source=source, now=now)
        row.delete()


def bounced(contact_id: int, kind: str, value: str, *, now: datetime) -> None:
    """Note that the address took no mail, whether it is the record's own or one of the rows."""
    with transaction.atomic():
        known: list[ContactPoint | None] = [*_alike(contact_id, kind, value)]
        for row in known or [None]:
            _bounce(row, contact_id, kind, value, now=now)


def _bounce(
    row: ContactPoint | None, contact_id: int, kind: str, value: str, *, now: datetime
) -> None:
    before = addresses.told(row, value) if row else None
    if row is None:
        row = ContactPoint(
            contact_id=contact_id, kind=kind, created_at=now, source="dispatch", known_at=now
        )
        _seal(row, Opened(value, frozenset()), now=now)
    row.state, row.updated_at = ContactPoint.State.BOUNCED, now
    row.save()
    _note(row, "changed")
    _remember(row, before, addresses.told(row, value), source="dispatch", now=now)


def of_contact(contact_id: int) -> list[ContactPoint]:
    """Return the addresses of a person, those of merged contacts included."""
    ids = persons.ids_of([contact_id])[contact_id]
    return list(ContactPoint.objects.filter(contact_id__in=ids).order_by("kind", "rank", "pk"))


@dataclass(frozen=True, slots=True)
class Said:
    """An address that a source gave for a contact, and when it knew it."""

    contact_id: int
    fact: PointFact
    source: str
    known_at: datetime


@transaction.atomic
def take(said: Sequence[Said], *, now: datetime) -> int:
    """Keep what sources say of many contacts' addresses; return how many rows were written.

    An address is known by its value. What the source no longer mentions stays until it ends it: a
    feed that leaves one out is not a person who moved. Staff's reservations and checks stay.
    """
    people = {one.contact_id for one in said}
    rows, keys = _known(people), sealing.keys_of(people)
    fresh: dict[UUID, ContactPoint] = {}
    changed: dict[UUID, ContactPoint] = {}
    past: dict[UUID, tuple[addresses.Told | None, Said]] = {}
    for one in said:
        if one.contact_id not in keys:
            continue
        name = (one.contact_id, one.fact.kind, sealing.form_of(one.fact.kind, one.fact.value))
        row = rows.get(name)
        if row is None:
            row = rows[name] = _fresh(one, key=keys[one.contact_id], now=now)
            fresh[row.pk] = row
            past[row.pk] = (None, one)
        elif one.known_at < row.known_at or not _differs(row, one.fact):
            continue
        elif row.pk not in fresh:
            if row.pk not in changed:
                past[row.pk] = (addresses.told(row, one.fact.value), one)
            changed[row.pk] = row
        row.known_at, row.updated_at = one.known_at, now
        for part in _FROM_SOURCES:
            setattr(row, part, getattr(one.fact, part))
    _write(fresh, changed)
    _remember_many({**fresh, **changed}, past, now=now)
    return len(fresh) + len(changed)


def _write(fresh: Mapping[UUID, ContactPoint], changed: Mapping[UUID, ContactPoint]) -> None:
    ContactPoint.objects.bulk_create(fresh.values(), batch_size=1_000)
    written = [*_FROM_SOURCES, "known_at", "updated_at"]
    ContactPoint.objects.bulk_update(changed.values(), written, batch_size=500)


def _fresh(said: Said, *, key: bytes, now: datetime) -> ContactPoint:
    row = ContactPoint(
        id=uuid7(now=now),
        organisation_id=tenancy.current(),
        contact_id=said.contact_id,
        kind=said.fact.kind,
        created_at=now,
        updated_at=now,
        source=said.source,
        known_at=said.known_at,
        value_index=sealing.index_of(said.fact.kind, said.fact.value),
    )
    row.payload = sealing.sealed(row, Opened(said.fact.value, frozenset()), key=key)
    return row


def _differs(row: ContactPoint, fact: PointFact) -> bool:
    return any(getattr(row, name) != getattr(fact, name) for name in _FROM_SOURCES)


def _known(said: Collection[int]) -> dict[tuple[int, str, str], ContactPoint]:
    rows = list(ContactPoint.objects.select_for_update().filter(contact_id__in=said))
    opened = sealing.open_many(rows)
    return {
        (row.contact_id, row.kind, sealing.form_of(row.kind, opened[row.pk].value)): row
        for row in rows
        if row.pk in opened
    }


def _same(contact_id: int, kind: str, value: Value) -> ContactPoint | None:
    return next(iter(_alike(contact_id, kind, value)), None)


def _alike(contact_id: int, kind: str, value: Value) -> list[ContactPoint]:
    """Return the person's rows of this address: the contact's own, then those of merged ones."""
    ids = persons.ids_of([contact_id])[contact_id]
    found = _known(ids)
    form = sealing.form_of(kind, value)
    return [found[name] for one in ids if (name := (one, kind, form)) in found]


def _reserved(row: ContactPoint | None) -> frozenset[str]:
    return sealing.open_many([row])[row.pk].categories if row is not None else frozenset()


def _locked(point_id: UUID, contact_id: int) -> ContactPoint:
    ids = persons.ids_of([contact_id])[contact_id]
    row = ContactPoint.objects.select_for_update().filter(pk=point_id, contact_id__in=ids).first()
    if row is None:
        raise NoSuchPoint(NoSuchPoint.__doc__)
    return row


def _check_period(starts_on: date | None, ends_on: date | None) -> None:
    if starts_on and ends_on and ends_on < starts_on:
        raise ValueRefused("ends_on", "lies before the first day")


def _verify(row: ContactPoint, by: str, *, now: datetime) -> None:
    if by:
        row.state, row.verified_by, row.verified_at = ContactPoint.State.VERIFIED, by, now


def _seal(row: ContactPoint, opened: Opened, *, now: datetime) -> None:
    keys = sealing.keys_of([row.contact_id])
    if row.contact_id not in keys:
        raise NoSuchPoint(NoSuchPoint.__doc__)
    row.confidential = bool(opened.categories)
    row.value_index = sealing.index_of(row.kind, opened.value)
    row.payload = sealing.sealed(row, opened, key=keys[row.contact_id])
    row.updated_at = now


def _note(row: ContactPoint, what: str) -> None:
    """That an address is reserved stands in the trail; for which category would say too much."""
    trail.record(
        f"contact.point_{what}",
        subject=f"contact:{row.contact_id}",
        detail={
            "kind": row.kind,
            "use": row.use,
            "state": row.state,
            "reserved": row.confidential,
            "point": str(row.pk),
        },
    )


def _remember(
    row: ContactPoint,
    before: addresses.Told | None,
    after: addresses.Told | None,
    *,
    source: str,
    now: datetime,
) -> None:
    addresses.keep([AddressChange(row.contact_id, before, after, source)], now=now)


def _remember_many(
    rows: Mapping[UUID, ContactPoint],
    past: Mapping[UUID, tuple[addresses.Told | None, Said]],
    *,
    now: datetime,
) -> None:
    """Keep what a feed changed. With what a person first comes is no change, as of other values."""
    known = Contact.objects.filter(pk__in={row.contact_id for row in rows.values()})
    older = set(known.filter(created_at__lt=now).values_list("pk", flat=True))
    addresses.keep(
        (
            AddressChange(
                row.contact_id, past[pk][0], addresses.told(row, past[pk][1].fact.value),
                past[pk][1].source,
            )
            for pk, row in rows.items()
            if row.contact_id in older
        ),
        now=now,
    )  # fmt: skip
