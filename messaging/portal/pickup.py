"""A message that waits on the portal: its short-lived link, its reading, its files, its recall.

The link alone shows nothing of the message (EM-26); `messaging.portal.identity` says who may read.
For a message that was not read in time, the person can ask for a new mail with a new link; it goes
through the outbox, so the gate is asked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from msgspec.structs import replace

from accounts import tenancy
from audit import trail
from audit.actor import Actor, acting_as
from contacts import events
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging import attachments, evidence, happened, links, tracking
from messaging.attachments import Opened
from messaging.models import Attachment, Message, Pickup
from messaging.render import Rendered

PORTAL: Final = Actor("system", "portal")
MOST_RENEWALS: Final = 5
Shut = Literal["recalled", "expired", "locked"]


@contextmanager
def at(token: str, *, now: datetime) -> Iterator[Pickup]:
    """Act for the token's organisation with its pickup; raises `TokenRefused`.

    An expired link still names its message, so that a new one can be asked for: the token is read
    as of the moment it was issued, and `Pickup.expires_at` says whether it still opens.
    """
    read = tokens.read(token, purpose=links.PICKUP, now=now - links.PICKUP_LASTS * 100)
    with tenancy.acting_for(read.organisation_id), acting_as(PORTAL):
        pickup = (
            Pickup.objects.filter(message_id=read.payload["m"])
            .select_related("message__version")
            .first()
        )
        if pickup is None or pickup.renewed != read.payload["n"]:
            raise TokenRefused
        yield pickup


def patient(pickup: Pickup) -> Actor:
    return Actor("patient", str(pickup.message.contact_id))


def shut(pickup: Pickup, *, now: datetime) -> Shut | None:
    """Say why the link does not open any more, if so."""
    if pickup.recalled_at is not None:
        return "recalled"
    if pickup.expired(now=now):
        return "expired"
    return "locked" if pickup.locked() else None


def read(pickup: Pickup, *, now: datetime) -> Rendered:
    """Render the message for who was admitted, and note the first time; raises `evidence.Gone`."""
    said = evidence.read(pickup.message)
    with transaction.atomic():
        fresh = Pickup.objects.filter(id=pickup.id, opened_at=None).update(opened_at=now)
        trail.record(
            "message.viewed",
            subject=f"message:{pickup.message_id}",
            detail={"purpose": "portal", "classes": list(pickup.message.classes)},
            actor=patient(pickup),
        )
        if fresh:
            _opened(pickup.message, now=now)
    return said


def _opened(message: Message, *, now: datetime) -> None:
    """Tell workflows that the person opened it; not of somebody who does not want that (TR-04)."""
    event = happened.event_of(message, "message.opened", now=now)
    if event is not None and message.contact_id not in tracking.declined([message.contact_id]):
        events.append([replace(event, key=None, source="portal")], now=now)


def files(pickup: Pickup) -> list[tuple[Attachment, str]]:
    """Return the message's files with their names."""
    return attachments.named(attachments.of_message(pickup.message_id))


def file(pickup: Pickup, number: UUID) -> Opened | None:
    """Open one file for who was admitted, into the trail."""
    row = attachments.one(pickup.message_id, number)
    found = attachments.opened([row]) if row is not None and row.answer_id is None else []
    if not found:
        return None
    trail.record(
        "message.file_opened",
        subject=f"message:{pickup.message_id}",
        detail={"file": str(number)},
        actor=patient(pickup),
    )
    return found[0]


def recall(message: Message, *, now: datetime) -> Pickup | None:
    """Take a message back from the portal, at once and for good; None where none waits there.

    What was read is read: `opened_at` of what comes back says so.
    """
    with transaction.atomic():
        waiting = Pickup.objects.filter(message_id=message.pk, recalled_at=None)
        if not waiting.update(recalled_at=now):
            return None
        found = Pickup.objects.get(message_id=message.pk)
        outcome = "done" if found.opened_at is None else "after_reading"
        trail.record("message.recalled", subject=f"message:{message.pk}", outcome=outcome)
    return found


def renew(pickup: Pickup, *, now: datetime) -> bool:
    """Put the message in the outbox again, for a mail with a new link to the same person.

    The old link dies with it. False when there is nothing to renew or it was done too often.
    """
    if shut(pickup, now=now) in (None, "recalled"):
        return False
    with transaction.atomic():
        won = Pickup.objects.filter(
            id=pickup.id, renewed=pickup.renewed, renewed__lt=MOST_RENEWALS
        ).update(
            renewed=pickup.renewed + 1,
            attempts=0,
            sessions=pickup.sessions + 1,
            code_asked_at=None,
            code_sent_at=None,
            expires_at=now + links.PICKUP_LASTS,
        )
        requeued = Message.objects.filter(id=pickup.message_id, state="sent").update(
            state="queued", due_at=now, not_after=now + links.PICKUP_LASTS
        )
        if not (won and requeued):
            transaction.set_rollback(True)
            return False
        trail.record("message.queued", subject=f"message:{pickup.message_id}", outcome="renewed")
    return True
