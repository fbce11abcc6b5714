"""Who is there: a one-time code and the date of birth, then a session for this one message.

Every attempt is counted before it is judged: for the message (five, then a new link is needed), for
the person and for the network that it comes from (then a growing wait). Code and date are always
both compared, and the answer never says which of them was wrong.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F

from accounts import tenancy, throttle
from audit import trail
from audit.actor import Actor
from contacts import persons, reveal
from contacts.fields import DataClass
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging.models import Pickup
from messaging.portal import codes

PASS: Final = "message.pass"  # noqa: S105  the purpose of a token, not a secret
IDLE: Final = timedelta(minutes=20)
LONGEST: Final = timedelta(hours=2)
PERSON: Final = throttle.Limit("portal.person", free=10)
NETWORK: Final = throttle.Limit("portal.network", free=30)


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody at the door says. `network` is where they come from, roughly."""

    code: str
    born: date | None
    network: str


def slow(pickup: Pickup, network: str, *, now: datetime) -> bool:
    """Say whether the person or the network must wait before another attempt."""
    return throttle.wait(_limits(pickup, network), now=now) > timedelta()


def _limits(pickup: Pickup, network: str) -> dict[throttle.Limit, str]:
    return {PERSON: f"{tenancy.current()}:{pickup.message.contact_id}", NETWORK: network}


def enter(pickup: Pickup, claim: Claim, *, now: datetime) -> str | None:
    """Return a pass to the message where both are right, else None."""
    if not pickup.count_attempt():
        return None
    limits = _limits(pickup, claim.network)
    throttle.failed(limits, now=now)
    known = _is_born(pickup, claim.born)
    right = codes.fits(pickup, claim.code, now=now) and known
    with transaction.atomic():
        right = right and codes.spent(pickup)
        trail.record(
            "message.picked_up",
            subject=f"message:{pickup.message_id}",
            outcome="done" if right else "refused",
            detail={"route": "portal"},
            actor=Actor("patient", str(pickup.message.contact_id)),
        )
        if right:
            Pickup.objects.filter(id=pickup.id).update(attempts=0, sessions=F("sessions") + 1)
    if not right:
        return None
    throttle.succeeded({PERSON: limits[PERSON]})
    pickup.refresh_from_db(fields=["attempts", "sessions"])
    return _issued(pickup, began=now, now=now)


def _is_born(pickup: Pickup, born: date | None) -> bool:
    """Compare with the record; where no date is known, nobody can be told apart."""
    person = persons.standing_for([pickup.message.contact_id])[pickup.message.contact_id]
    record = reveal.reveal([person], [DataClass.IDENTITY], purpose="portal-identity")
    known = str(record.get(person, {}).get("birth_date") or "")
    same = hmac.compare_digest(known.encode(), (born.isoformat() if born else "").encode())
    return bool(known) and same


def _issued(pickup: Pickup, *, began: datetime, now: datetime) -> str:
    return tokens.issue(
        {"m": pickup.message_id, "s": pickup.sessions, "b": int(began.timestamp())},
        purpose=PASS,
        now=now,
        lifetime=min(IDLE, began + LONGEST - now),
        organisation_id=tenancy.current(),
    )


def admitted(pickup: Pickup, permit: str, *, now: datetime) -> str:
    """Let in who holds the latest pass to this message; return it with new time.

    Raises `TokenRefused`. A recall, a sign-out and a newer session end every pass before.
    """
    holder = tokens.read(permit, purpose=PASS, now=now)
    kept = holder.payload
    if holder.organisation_id != tenancy.current() or kept["m"] != pickup.message_id:
        raise TokenRefused
    if kept["s"] != pickup.sessions or pickup.recalled_at is not None:
        raise TokenRefused
    began = datetime.fromtimestamp(kept["b"], UTC)
    if now >= began + LONGEST:
        raise TokenRefused
    return _issued(pickup, began=began, now=now)


def leave(pickup: Pickup) -> None:
    """End the session: its pass opens nothing any more, wherever it is kept."""
    Pickup.objects.filter(id=pickup.id).update(sessions=F("sessions") + 1)
    trail.record(
        "message.portal_left",
        subject=f"message:{pickup.message_id}",
        actor=Actor("patient", str(pickup.message.contact_id)),
    )
