"""Add, show, replace and remove people's keys; find those that a mail can be encrypted to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgpack
from django.db import transaction

from accounts import tenancy
from audit import trail
from consent.addresses import EMAIL, hash_of, hashes_of_contact
from contacts import persons
from contacts.models import ContactPoint
from crypto import data_keys
from crypto.ids import uuid7
from crypto.seal import Context, seal, unseal
from messaging import sender
from messaging.protection.keys import signing
from messaging.protection.keys.reading import KeyRefused, Usable, read
from messaging.protection.models import RecipientKey

TABLE = "messaging_recipientkey"


@dataclass(frozen=True, slots=True)
class Shown:
    """A key with what it is, opened for somebody who may see it."""

    id: UUID
    kind: str
    source: str
    address: str
    fingerprint: str
    about: str
    added_at: datetime
    expires_at: datetime | None
    material: bytes = field(repr=False)

    def expired(self, *, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


@transaction.atomic
def add(contact_id: int, raw: bytes, *, source: str, now: datetime) -> RecipientKey:
    """Keep a key for one of the contact's own addresses; it replaces the one before of its kind.

    Raises KeyRefused: it must name an address that the contact has, be for encrypting, and live.
    What the person gave stands until it is removed or ends; what was found on mail replaces only
    what was found on mail.
    """
    usable = read(raw, now=now)
    _hold(contact_id)
    own = _own(contact_id)
    address = next((one for one in usable.addresses if hash_of(one, channel=EMAIL) in own), None)
    if address is None:
        raise KeyRefused("It is made out to another address than this person's.", "address")
    digest = hash_of(address, channel=EMAIL)
    standing = RecipientKey.objects.filter(
        address_hash=digest, kind=usable.kind, removed_at=None
    ).select_for_update()
    for row in standing:
        _check_rank(row, source, now=now)
        _end(row, reason="replaced", now=now)
    made = _made(contact_id, usable, address, digest, source=source, now=now)
    made.save(force_insert=True)
    who = sender.current()  # what signs mails to it exists before the first of them is made
    signing.current(usable.kind, name=who.name, address=who.address, now=now)
    trail.record(
        "recipient_key.added",
        subject=f"contact:{contact_id}",
        detail={"kind": usable.kind, "source": source, "key": str(made.id)},
    )
    return made


_YIELDS = {
    RecipientKey.Source.PORTAL.value: {RecipientKey.Source.PORTAL.value},
    RecipientKey.Source.STAFF.value: {"staff", "api", "portal"},
    RecipientKey.Source.API.value: {"staff", "api", "portal"},
}
"""Which sources may replace a key of this one while it lives; one found on mail yields to all."""


def _check_rank(standing: RecipientKey, source: str, *, now: datetime) -> None:
    """Refuse to push a better known key aside; raises KeyRefused."""
    lives = standing.expires_at is None or now < standing.expires_at
    if lives and source not in _YIELDS.get(standing.source, {source}):
        raise KeyRefused(
            "A key that is known better stands for this address: what the person gave, or what "
            "staff or a machine of yours added. Remove it first.",
            "stands",
        )


def _own(contact_id: int) -> set[bytes]:
    """Return the hashes of every mail address of the person, further ones included."""
    everyone = _everyone(contact_id)
    own = {found for one in everyone for found in hashes_of_contact(one, channel=EMAIL)}
    points = ContactPoint.objects.filter(contact_id__in=everyone, kind=ContactPoint.Kind.EMAIL)
    return own | {bytes(one) for one in points.values_list("value_index", flat=True) if one}


def _hold(contact_id: int) -> None:
    try:
        persons.hold([contact_id])
    except persons.Gone:
        raise KeyRefused("The person was erased: nothing can be kept for them.") from None


def _made(
    contact_id: int, usable: Usable, address: str, digest: bytes, *, source: str, now: datetime
) -> RecipientKey:
    organisation_id, number = tenancy.current(), uuid7()
    key = data_keys.load(organisation_id, [contact_id]).get(contact_id)
    if key is None:
        raise KeyRefused("The person was erased: nothing can be kept for them.")
    packed: bytes = msgpack.packb([address, usable.fingerprint, usable.about, usable.material])
    return RecipientKey(
        id=number,
        contact_id=contact_id,
        address_hash=digest,
        kind=usable.kind,
        source=source,
        material=seal(key, packed, context=_context(organisation_id, number)),
        expires_at=usable.expires_at,
        added_at=now,
    )


def _context(organisation_id: int, number: UUID) -> Context:
    return Context(organisation_id, TABLE, str(number), "material")


@transaction.atomic
def remove(contact_id: int, key_id: UUID, *, now: datetime) -> bool:
    """Stop using a key; False where there is none such."""
    rows = RecipientKey.objects.filter(
        pk=key_id, contact_id__in=_everyone(contact_id), removed_at=None
    )
    row = rows.select_for_update().first()
    if row is None:
        return False
    _end(row, reason="removed", now=now)
    return True


def _end(row: RecipientKey, *, reason: str, now: datetime) -> None:
    RecipientKey.objects.filter(pk=row.pk).update(removed_at=now)
    trail.record(
        "recipient_key.removed",
        subject=f"contact:{row.contact_id}",
        detail={"kind": row.kind, "reason": reason, "key": str(row.pk)},
    )


def of_contact(contact_id: int) -> list[Shown]:
    """Return the person's keys, those of merged contacts included; the caller records who looks."""
    rows = RecipientKey.objects.filter(contact_id__in=_everyone(contact_id), removed_at=None)
    return _opened(list(rows.order_by("added_at")))


def _everyone(contact_id: int) -> Sequence[int]:
    return persons.ids_of([contact_id])[contact_id]


def stands(contact_id: int, raw: bytes, *, now: datetime) -> bool:
    """Say whether exactly this key is kept for the contact already; raises KeyRefused."""
    fingerprint = read(raw, now=now).fingerprint
    return any(one.fingerprint == fingerprint for one in of_contact(contact_id))


def for_addresses(
    addresses: Collection[str], *, now: datetime
) -> Mapping[str, Mapping[str, Shown]]:
    """Return by address, then by kind, the keys that have not expired: two statements in all."""
    hashes = {hash_of(one, channel=EMAIL): one for one in addresses}
    rows = list(RecipientKey.objects.filter(address_hash__in=list(hashes), removed_at=None))
    found: dict[str, dict[str, Shown]] = {}
    whose = {row.pk: hashes[bytes(row.address_hash)] for row in rows}
    for one in _opened(rows):
        if not one.expired(now=now):
            found.setdefault(whose[one.id], {})[one.kind] = one
    return found


def _opened(rows: list[RecipientKey]) -> list[Shown]:
    if not rows:
        return []
    organisation_id = tenancy.current()
    keys = data_keys.load(organisation_id, {row.contact_id for row in rows})
    shown = []
    for row in rows:
        key = keys.get(row.contact_id)
        if key is None:
            continue
        packed = unseal(key, bytes(row.material), context=_context(organisation_id, row.pk))
        address, fingerprint, about, material = msgpack.unpackb(packed)
        shown.append(
            Shown(
                row.pk,
                row.kind,
                row.get_source_display(),
                address,
                fingerprint,
                about,
                row.added_at,
                row.expires_at,
                material,
            )
        )
    return shown
