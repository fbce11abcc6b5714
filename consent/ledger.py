"""The only writer of what people agreed to and refused.

Each act is one transaction: the row that now stands, the ledger's entry, the trail's entry and the
contact's event. A withdrawal counts from the moment it commits, and nobody claims a message
meanwhile (consent.precedence).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db import transaction
from django.db.models import Q, QuerySet

from audit import actions, actor, trail
from consent import addresses, precedence
from consent.models import Authorization, Entry, FormVersion, OptOut
from consent.policy import Purpose
from contacts import events
from contacts.fields import DataClass, Sensitivity

BATCH = 5_000
LABELS = frozenset(one.name.lower() for one in Sensitivity if one.name)
TRAIL_ACTIONS = {
    Entry.Kind.AUTHORIZED: "consent.recorded",
    Entry.Kind.REVOKED: "consent.revoked",
    Entry.Kind.OPTED_OUT: "consent.opted_out",
    Entry.Kind.OPTED_IN: "consent.opted_in",
    Entry.Kind.RESTRICTED: "consent.restricted",
    Entry.Kind.UNRESTRICTED: "consent.restriction_ended",
    Entry.Kind.CONFIDENTIAL: "consent.confidential",
    Entry.Kind.NOT_CONFIDENTIAL: "consent.confidential_ended",
    Entry.Kind.PLAIN_AGREED: "consent.plain_agreed",
    Entry.Kind.PLAIN_ENDED: "consent.plain_ended",
    Entry.Kind.PART2_SIGNED: "consent.part2_signed",
    Entry.Kind.PART2_REVOKED: "consent.part2_revoked",
    Entry.Kind.CHOSE: "consent.chosen",
}
for _action in TRAIL_ACTIONS.values():
    actions.register(_action, ("concerns", "source", "channel", "purpose", "topic"))


class ConsentInvalid(ValueError):
    """What was handed in cannot be recorded; the message names the element and what to give."""


@dataclass(frozen=True, slots=True)
class Signing:
    """What one person signed: the elements of 164.508(c) that decide later."""

    contact_id: int
    purposes: frozenset[str]
    classes: frozenset[str]
    signed_at: datetime
    expires_on: date | None = None
    zone: str = "UTC"
    expires_event: str = ""
    form_version: UUID | None = None
    states_remuneration: bool = False
    channels: frozenset[str] = frozenset()


def record_authorization(signing: Signing, *, received_by: str, now: datetime) -> UUID:
    return record_authorizations([signing], received_by=received_by, now=now)[0]


def record_authorizations(
    signings: Sequence[Signing], *, received_by: str, now: datetime
) -> list[UUID]:
    """Record many signatures with a handful of statements; all of them or none."""
    for one in signings:
        _check(one, now=now)
    stated = _forms_that_state_remuneration({one.form_version for one in signings} - {None})
    rows = [_authorization(one, stated=stated, now=now) for one in signings]
    with transaction.atomic():
        Authorization.objects.bulk_create(rows, batch_size=BATCH)
        _enter(_about(rows, Entry.Kind.AUTHORIZED, received_by=received_by, now=now), now=now)
    return [row.id for row in rows]


def revoke(authorization_id: UUID, *, received_by: str, now: datetime) -> bool:
    """Withdraw one authorization; say whether it still stood."""
    one = Authorization.objects.filter(id=authorization_id)
    return _revoke(one, received_by=received_by, now=now) == 1


def revoke_all(contact_id: int, *, received_by: str, now: datetime) -> int:
    """Withdraw all that a person signed; return how many authorizations still stood."""
    signed = Authorization.objects.filter(contact_id=contact_id)
    return _revoke(signed, received_by=received_by, now=now)


def opt_out(
    contact_id: int | None = None,
    *,
    address: str = "",
    channel: str = "",
    purpose: str = "",
    topic: str = "",
    keyword: bool = False,
    until: datetime | None = None,
    received_by: str,
    now: datetime,
) -> list[UUID]:
    """Record a no by person or by address; what is left empty means all of its kind.

    With `until` it is a pause, which ends by itself.

    The no is kept for the person and for each of the person's addresses, so that it still counts
    when the contact is deleted and comes back from another source. Saying no twice adds nothing.
    """
    _check_purposes({purpose} - {""})
    with transaction.atomic():
        precedence.hold_for_withdrawal()
        hashes: list[bytes | None] = [*_hashes(contact_id, address=address, channel=channel)]
        if contact_id is None and not hashes:
            raise ConsentInvalid("name the contact or the address that the opt-out is for")
        standing = OptOut.objects.filter(
            contact_id=contact_id, channel=channel, purpose=purpose, topic=topic, lifted_at=None
        )
        if contact_id is None:
            standing = standing.filter(address_hash__in=hashes)
        known = {_bytes(row.address_hash): row for row in standing if _as_long(row, until)}
        fresh = [
            OptOut(
                contact_id=contact_id,
                address_hash=one,
                channel=channel,
                purpose=purpose,
                topic=topic,
                keyword=keyword,
                until=until,
                received_at=now,
            )
            for one in hashes or [None]
            if one not in known
        ]
        OptOut.objects.bulk_create(fresh)
        _enter(_about(fresh, Entry.Kind.OPTED_OUT, received_by=received_by, now=now), now=now)
    return [*(row.id for row in known.values()), *(row.id for row in fresh)]


def opt_in(
    contact_id: int,
    *,
    channel: str = "",
    purpose: str = "",
    topic: str = "",
    pauses_only: bool = False,
    received_by: str,
    now: datetime,
) -> int:
    """Lift the person's own no of exactly this scope; return how many rows it lifted.

    With `pauses_only` a no without an end stays.

    A no to everything is not lifted by a yes to one topic: that would need the person's word on
    everything else.
    """
    with transaction.atomic():
        standing = OptOut.objects.select_for_update().filter(
            contact_id=contact_id, channel=channel, purpose=purpose, topic=topic, lifted_at=None
        )
        rows = [row for row in standing if row.until is not None or not pauses_only]
        OptOut.objects.filter(id__in=[row.id for row in rows]).update(lifted_at=now)
        _enter(_about(rows, Entry.Kind.OPTED_IN, received_by=received_by, now=now), now=now)
    return len(rows)


def start_again(
    contact_id: int | None, *, address: str, channel: str, received_by: str, now: datetime
) -> int:
    """Take back what a keyword from this address stopped; return how many rows it lifted.

    A no that was given otherwise stays: START answers STOP and nothing else.
    """
    with transaction.atomic():
        found = addresses.hash_of(address, channel=channel)
        theirs = (
            Q(address_hash=found) | Q(contact_id=contact_id)
            if contact_id
            else Q(address_hash=found)
        )
        standing = OptOut.objects.select_for_update().filter(
            theirs, keyword=True, channel=channel, lifted_at=None
        )
        rows = list(standing)
        OptOut.objects.filter(id__in=[row.id for row in rows]).update(lifted_at=now)
        _enter(_about(rows, Entry.Kind.OPTED_IN, received_by=received_by, now=now), now=now)
    return len(rows)


def _as_long(row: OptOut, until: datetime | None) -> bool:
    """Say whether a standing no lasts at least until then."""
    return row.until is None or (until is not None and row.until >= until)


def keep(rows: Sequence[Any], kind: Entry.Kind, *, received_by: str, now: datetime) -> None:
    """Enter an act about rows that another room of this floor wrote, in their transaction."""
    _enter(_about(rows, kind, received_by=received_by, now=now), now=now)


def _revoke(signed: QuerySet[Authorization], *, received_by: str, now: datetime) -> int:
    with transaction.atomic():
        precedence.hold_for_withdrawal()
        rows = list(signed.select_for_update().filter(revoked_at=None))
        Authorization.objects.filter(id__in=[row.id for row in rows]).update(revoked_at=now)
        _enter(_about(rows, Entry.Kind.REVOKED, received_by=received_by, now=now), now=now)
    return len(rows)


def _check(signing: Signing, *, now: datetime) -> None:
    _check_purposes(signing.purposes)
    if not signing.purposes:
        raise ConsentInvalid("purposes: name at least one purpose that the person signed for")
    unknown = signing.classes - {one.value for one in DataClass} - LABELS
    if unknown or not signing.classes:
        raise ConsentInvalid("classes: name the data classes that the person agreed to")
    if signing.expires_on is None and not signing.expires_event:
        raise ConsentInvalid("expires: give a date or an event; only research may go without")
    if signing.zone not in available_timezones():
        raise ConsentInvalid("zone: give an IANA time zone such as America/New_York")
    if signing.signed_at > now:
        raise ConsentInvalid("signed_at: a signature cannot lie in the future")


def _check_purposes(purposes: Collection[str]) -> None:
    if set(purposes) - set(Purpose):
        raise ConsentInvalid(f"purpose: use one of {', '.join(Purpose)}")


def _forms_that_state_remuneration(ids: Collection[UUID | None]) -> set[UUID]:
    """Return which of the forms say that somebody pays; fail where a form is not known."""
    known = dict(FormVersion.objects.filter(id__in=ids).values_list("id", "states_remuneration"))
    if set(ids) - set(known):
        raise ConsentInvalid("form_version: there is no such form; add it before it is signed")
    return {one for one, states in known.items() if states}


def _authorization(signing: Signing, *, stated: Collection[UUID], now: datetime) -> Authorization:
    return Authorization(
        contact_id=signing.contact_id,
        purposes=sorted(signing.purposes),
        classes=sorted(signing.classes),
        form_version_id=signing.form_version,
        signed_at=signing.signed_at,
        expires_on=signing.expires_on,
        zone=signing.zone,
        expires_event=signing.expires_event,
        states_remuneration=signing.states_remuneration or signing.form_version in stated,
        channels=sorted(signing.channels),
        received_at=now,
    )


def _hashes(contact_id: int | None, *, address: str, channel: str) -> list[bytes]:
    if address:
        return [addresses.hash_of(address, channel=channel or addresses.EMAIL)]
    if contact_id is None:
        return []
    return addresses.hashes_of_contact(contact_id, channel=channel)


def _about(
    rows: Sequence[Any],
    kind: Entry.Kind,
    *,
    received_by: str,
    now: datetime,
) -> list[Entry]:
    who = actor.current()
    return [
        Entry(
            kind=kind,
            concerns=row.id,
            contact_id=row.contact_id,
            address_hash=getattr(row, "address_hash", None),
            channel=getattr(row, "channel", ""),
            purpose=getattr(row, "purpose", ""),
            topic=getattr(row, "topic", ""),
            received_by=received_by,
            received_at=now,
            actor_kind=who.kind,
            actor_id=who.id,
        )
        for row in rows
    ]


def _enter(entries: Sequence[Entry], *, now: datetime) -> None:
    """Write the ledger, the trail and, where a contact is known, the contact's events."""
    Entry.objects.bulk_create(entries, batch_size=BATCH)
    trail.record_many(_told(entry) for entry in entries)
    events.write_own(
        [
            events.NewEvent(
                contact_id=entry.contact_id,
                kind=f"consent.{entry.kind}",
                occurred_at=now,
                source="consent",
            )
            for entry in entries
            if entry.contact_id
        ],
        now=now,
    )


def _told(entry: Entry) -> trail.Entry:
    scope = {"channel": entry.channel, "purpose": entry.purpose, "topic": entry.topic}
    return trail.Entry(
        TRAIL_ACTIONS[Entry.Kind(entry.kind)],
        subject=f"contact:{entry.contact_id}" if entry.contact_id else f"consent:{entry.concerns}",
        detail={
            "concerns": str(entry.concerns),
            "source": entry.received_by,
            **{name: value for name, value in scope.items() if value},
        },
    )


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
