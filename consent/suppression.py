"""Addresses that nobody may write to, kept as keyed hashes that outlive every contact (CS-02)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import actions, actor, trail
from consent import addresses, precedence
from consent.models import Entry, Suppression
from contacts.segments.live import attend, touches

TRAIL_ACTIONS = {
    Entry.Kind.SUPPRESSED: "suppression.added",
    Entry.Kind.RELEASED: "suppression.removed",
}
for _action in TRAIL_ACTIONS.values():
    actions.register(_action, ("channel", "reason", "source"))


@dataclass(frozen=True, slots=True)
class Scope:
    """How far a suppression reaches; by itself, everything of its channel from now on."""

    purpose: str = ""
    topic: str = ""
    effective_from: datetime | None = None
    effective_until: datetime | None = None


EVERYTHING = Scope()


def suppress(
    address: str,
    *,
    channel: str = addresses.EMAIL,
    reason: str,
    received_by: str,
    now: datetime,
    contact_id: int | None = None,
    scope: Scope = EVERYTHING,
) -> UUID:
    """Put an address on the list; an address that is on it stays as it is."""
    found = addresses.hash_of(address, channel=channel)
    row = _row(reason, scope, channel, found, None, received_by=received_by, now=now)
    return _suppress(row, received_by=received_by, now=now, about=contact_id)


def suppress_contact(
    contact_id: int,
    *,
    channel: str = addresses.EMAIL,
    reason: str,
    received_by: str,
    now: datetime,
) -> UUID | None:
    """Put a contact's present address on the list without reading it; None if there is none."""
    hashes = addresses.hashes_of_contact(contact_id, channel=channel)
    if not hashes:
        return None
    row = _row(reason, EVERYTHING, channel, hashes[0], None, received_by=received_by, now=now)
    return _suppress(row, received_by=received_by, now=now, about=contact_id)


@transaction.atomic
def suppress_person(
    contact_id: int,
    *,
    channel: str = "",
    reason: str,
    received_by: str,
    now: datetime,
    scope: Scope = EVERYTHING,
) -> list[UUID]:
    """Put a person on the list whatever the address, and each address of theirs.

    The person counts also after a merge; the addresses count when the person is deleted and comes
    back from another source.
    """
    given: dict[str, Any] = {"received_by": received_by, "now": now, "about": contact_id}
    rows = [_row(reason, scope, channel, None, contact_id, received_by=received_by, now=now)]
    for one in [channel] if channel else addresses.FIELD_OF_CHANNEL:
        for found in addresses.hashes_of_contact(contact_id, channel=one):
            rows.append(_row(reason, scope, one, found, None, received_by=received_by, now=now))
    return [_suppress(row, **given) for row in rows]


def release(suppression_id: UUID, *, received_by: str, now: datetime) -> bool:
    """Take an address off the list because its owner asked; say whether it was on it."""
    with transaction.atomic():
        row = Suppression.objects.select_for_update().filter(id=suppression_id, released_at=None)
        found = row.first()
        if found is None:
            return False
        row.update(released_at=now)
        _enter(found, Entry.Kind.RELEASED, received_by=received_by, now=now, about=found.contact_id)
    return True


def is_suppressed(address: str, *, channel: str = addresses.EMAIL) -> bool:
    found = addresses.hash_of(address, channel=channel)
    return Suppression.objects.filter(
        channel=channel, address_hash=found, purpose="", topic="", released_at=None
    ).exists()


def _row(
    reason: str,
    scope: Scope,
    channel: str,
    address_hash: bytes | None,
    contact_id: int | None,
    *,
    received_by: str,
    now: datetime,
) -> Suppression:
    return Suppression(
        channel=channel,
        address_hash=address_hash,
        contact_id=contact_id,
        purpose=scope.purpose,
        topic=scope.topic,
        reason=Suppression.Reason(reason),
        source=received_by,
        effective_from=scope.effective_from,
        effective_until=scope.effective_until,
        received_at=now,
    )


def _suppress(row: Suppression, *, received_by: str, now: datetime, about: int | None) -> UUID:
    """Keep the row, unless one of the same scope stands."""
    with transaction.atomic():
        precedence.hold_for_withdrawal()
        alike = Suppression.objects.filter(
            channel=row.channel,
            address_hash=row.address_hash,
            contact_id=row.contact_id,
            purpose=row.purpose,
            topic=row.topic,
            released_at=None,
        )
        own = Suppression.OF_THEIR_OWN
        one_of = {row.reason} if row.reason in own else set(Suppression.Reason) - own
        standing = alike.filter(reason__in=one_of).first()
        if standing is not None:
            return standing.id
        row.save(force_insert=True)
        _enter(row, Entry.Kind.SUPPRESSED, received_by=received_by, now=now, about=about)
    return row.id


def _enter(
    row: Suppression, kind: Entry.Kind, *, received_by: str, now: datetime, about: int | None
) -> None:
    who = actor.current()
    if about:
        touches.touch([about], "consent", now=now)
    else:
        attend.want_resting_on("consent", now=now)
    Entry.objects.create(
        kind=kind,
        concerns=row.id,
        contact_id=about,
        address_hash=row.address_hash,
        channel=row.channel,
        purpose=row.purpose,
        topic=row.topic,
        received_by=received_by,
        received_at=now,
        actor_kind=who.kind,
        actor_id=who.id,
    )
    trail.record(
        TRAIL_ACTIONS[kind],
        subject=f"contact:{about}" if about else f"consent:{row.id}",
        detail={"channel": row.channel or "every", "reason": row.reason, "source": received_by},
    )
