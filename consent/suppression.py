"""Addresses that nobody may write to, kept as keyed hashes that outlive every contact (CS-02)."""

from __future__ import annotations

from datetime import datetime
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


def suppress(
    address: str,
    *,
    channel: str = addresses.EMAIL,
    reason: str,
    received_by: str,
    now: datetime,
    contact_id: int | None = None,
) -> UUID:
    """Put an address on the list; an address that is on it stays as it is."""
    found = addresses.hash_of(address, channel=channel)
    return _suppress(found, channel, reason, received_by=received_by, now=now, about=contact_id)


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
    return _suppress(hashes[0], channel, reason, received_by=received_by, now=now, about=contact_id)


def release(suppression_id: UUID, *, received_by: str, now: datetime) -> bool:
    """Take an address off the list because its owner asked; say whether it was on it."""
    with transaction.atomic():
        row = Suppression.objects.select_for_update().filter(id=suppression_id, released_at=None)
        found = row.first()
        if found is None:
            return False
        row.update(released_at=now)
        _enter(found, Entry.Kind.RELEASED, received_by=received_by, now=now, about=None)
    return True


def is_suppressed(address: str, *, channel: str = addresses.EMAIL) -> bool:
    found = addresses.hash_of(address, channel=channel)
    return Suppression.objects.filter(
        channel=channel, address_hash=found, purpose="", topic="", released_at=None
    ).exists()


def _suppress(
    address_hash: bytes,
    channel: str,
    reason: str,
    *,
    received_by: str,
    now: datetime,
    about: int | None,
) -> UUID:
    with transaction.atomic():
        precedence.hold_for_withdrawal()
        row, created = Suppression.objects.get_or_create(
            channel=channel,
            address_hash=address_hash,
            purpose="",
            topic="",
            released_at=None,
            defaults={
                "reason": Suppression.Reason(reason),
                "source": received_by,
                "received_at": now,
            },
        )
        if created:
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
        received_by=received_by,
        received_at=now,
        actor_kind=who.kind,
        actor_id=who.id,
    )
    trail.record(
        TRAIL_ACTIONS[kind],
        subject=f"contact:{about}" if about else f"consent:{row.id}",
        detail={"channel": row.channel, "reason": row.reason, "source": received_by},
    )
