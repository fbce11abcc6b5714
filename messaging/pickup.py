"""Reading a message on the portal: a short-lived link, then the date of birth, then the message.

The link alone shows nothing of the message (EM-26). Attempts are counted before they are judged,
and five wrong ones close it. For a message that was not read in time, the person can ask for a new
mail with a new link; it goes through the outbox, so the gate is asked again.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from audit.actor import Actor, acting_as
from contacts import reveal
from contacts.fields import DataClass
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging import attachments, evidence, links
from messaging.attachments import Opened
from messaging.models import Attachment, Message, Pickup
from messaging.render import Rendered

PORTAL = Actor("system", "portal")
PASS = "message.pass"  # noqa: S105  the purpose of a token, not a secret
PASS_LASTS = timedelta(minutes=15)
MOST_RENEWALS = 5


@dataclass(frozen=True, slots=True)
class Shut:
    """The message cannot be read with this: `expired`, `locked` or `recalled`."""

    why: str


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


def shut(pickup: Pickup, *, now: datetime) -> Shut | None:
    if pickup.recalled_at is not None:
        return Shut("recalled")
    if pickup.expired(now=now):
        return Shut("expired")
    if pickup.locked():
        return Shut("locked")
    return None


def identify(pickup: Pickup, born: date | None, *, now: datetime) -> str | None:
    """Return a pass to read the message if this is the person's date of birth, else None."""
    if shut(pickup, now=now) or not pickup.count_attempt():
        return None
    contact_id = pickup.message.contact_id
    record = reveal.reveal([contact_id], [DataClass.IDENTITY], purpose="portal-identity")
    known = str(record.get(contact_id, {}).get("birth_date", ""))
    given = born.isoformat() if born else ""
    right = bool(known) and hmac.compare_digest(known, given)
    trail.record(
        "message.picked_up",
        subject=f"message:{pickup.message_id}",
        outcome="done" if right else "refused",
        detail={"route": "portal"},
        actor=Actor("patient", str(contact_id)),
    )
    if not right:
        return None
    Pickup.objects.filter(id=pickup.id).update(opened_at=now, attempts=0)
    return tokens.issue(
        {"m": pickup.message_id},
        purpose=PASS,
        now=now,
        lifetime=PASS_LASTS,
        organisation_id=tenancy.current(),
    )


def read(pickup: Pickup, permit: str, *, now: datetime) -> Rendered:
    """Render the message for who holds a pass; raises `TokenRefused` or `evidence.Gone`."""
    admit(pickup, permit, now=now)
    return evidence.said(pickup.message)


def admit(pickup: Pickup, permit: str, *, now: datetime) -> None:
    """Let in who holds a pass to this message; raises `TokenRefused`. A recall ends every pass."""
    holder = tokens.read(permit, purpose=PASS, now=now)
    if holder.payload["m"] != pickup.message_id or holder.organisation_id != tenancy.current():
        raise TokenRefused
    if pickup.recalled_at is not None:
        raise TokenRefused


def files(pickup: Pickup, permit: str, *, now: datetime) -> list[tuple[Attachment, str]]:
    """Return the message's files with their names; raises `TokenRefused`."""
    admit(pickup, permit, now=now)
    rows = attachments.of_message(pickup.message_id)
    names = {one.place: one.name for one in attachments.opened(rows, contents=False)}
    return [(row, names[row.place]) for row in rows if row.place in names]


def file(pickup: Pickup, permit: str, number: UUID, *, now: datetime) -> Opened | None:
    """Open one file for who holds a pass, into the trail; raises `TokenRefused`."""
    admit(pickup, permit, now=now)
    row = attachments.one(pickup.message_id, number)
    found = attachments.opened([row]) if row is not None and row.answer_id is None else []
    if not found:
        return None
    trail.record(
        "message.file_opened",
        subject=f"message:{pickup.message_id}",
        detail={"file": str(number)},
        actor=Actor("patient", str(pickup.message.contact_id)),
    )
    return found[0]


def recall(message: Message, *, now: datetime) -> bool:
    """Take a message back from the portal, at once and for good; False where none waits there."""
    with transaction.atomic():
        waiting = Pickup.objects.filter(message_id=message.pk, recalled_at=None)
        if not waiting.update(recalled_at=now):
            return False
        trail.record("message.recalled", subject=f"message:{message.pk}")
    return True


def renew(pickup: Pickup, *, now: datetime) -> bool:
    """Put the message in the outbox again, for a mail with a new link to the same person.

    The old link dies with it. False when there is nothing to renew or it was done too often.
    """
    now_shut = shut(pickup, now=now)
    if now_shut is None or now_shut.why == "recalled":
        return False
    with transaction.atomic():
        won = Pickup.objects.filter(
            id=pickup.id, renewed=pickup.renewed, renewed__lt=MOST_RENEWALS
        ).update(renewed=pickup.renewed + 1, attempts=0, expires_at=now + links.PICKUP_LASTS)
        requeued = Message.objects.filter(id=pickup.message_id, state="sent").update(
            state="queued", due_at=now, not_after=now + links.PICKUP_LASTS
        )
        if not (won and requeued):
            transaction.set_rollback(True)
            return False
        trail.record("message.queued", subject=f"message:{pickup.message_id}", outcome="renewed")
    return True
