"""One-time codes for the portal: asked for with a button, sent by a carrier, good once and briefly.

The date of birth is what a person knows; the code shows that they hold, now, the mailbox or the
telephone that is theirs. So a link that was forwarded, or lies in the history of a shared computer,
opens nothing. No code is stored: it is derived from the pickup and its number under a key of the
organisation, and a copy of the database holds nothing that could be guessed against.

    codes.ask(pickup, carriers, network=..., now=now)    writes the due row
    codes.send_due(carriers, now=now)                    the loop hands it over
    codes.fits(pickup, given, now=now)                   says whether it is the one that stands
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db.models import F, QuerySet

from accounts import tenancy, throttle
from audit import trail
from crypto import keyring
from messaging.models import Pickup
from messaging.portal.carriers import Carrier

LASTS: Final = timedelta(minutes=15)
"""From the hand-over."""
APART: Final = timedelta(minutes=1)
MOST: Final = 5
"""For one link. A new link begins anew, and goes to the mailbox alone."""
DIGITS: Final = 6
BATCH: Final = 50
NETWORK: Final = throttle.Rate("portal.codes.network", burst=20, every=timedelta(minutes=3))
ADDRESS: Final = throttle.Rate("portal.codes.address", burst=10, every=timedelta(minutes=30))

Asked = Literal["coming", "wait", "many", "none"]


def ask(pickup: Pickup, carriers: Sequence[Carrier], *, network: str, now: datetime) -> Asked:
    """Have a code sent by the first carrier that reaches the person; say what comes of it.

    `wait`: one was asked for less than a minute ago. `many`: no more for this link, this address or
    this network. `none`: no carrier reaches the person, or the gate refuses them all.
    """
    if pickup.code_asked_at is not None and now - pickup.code_asked_at < APART:
        return "wait"
    if pickup.code_number >= MOST * (pickup.renewed + 1):
        return "many"
    carrier = next((one for one in carriers if one.reaches(pickup, now=now)), None)
    if carrier is None:
        return "none"
    person = f"{tenancy.current()}:{pickup.message.contact_id}"
    if not (throttle.spend(NETWORK, network, now=now) and throttle.spend(ADDRESS, person, now=now)):
        return "many"
    asked = Pickup.objects.filter(id=pickup.id, code_number=pickup.code_number).update(
        code_number=F("code_number") + 1,
        code_by=carrier.name,
        code_asked_at=now,
        code_sent_at=None,
    )
    pickup.refresh_from_db()
    return "coming" if asked else "wait"


def due(*, now: datetime) -> bool:
    """Say whether a code waits for its carrier; one that was asked for too long ago does not."""
    return _due(now).exists()


def _due(now: datetime) -> QuerySet[Pickup]:
    rows = Pickup.objects.filter(code_sent_at=None, code_asked_at__gt=now - LASTS)
    return rows.select_related("message__version").order_by("code_asked_at")


def send_due(carriers: Sequence[Carrier], *, now: datetime) -> int:
    """Hand over the codes that wait; return how many went. Each is claimed before it goes."""
    by_name = {one.name: one for one in carriers}
    sent = 0
    for pickup in _due(now)[:BATCH]:
        carrier = by_name.get(pickup.code_by)
        if carrier is not None and _claimed(pickup, now=now):
            sent += _handed_over(pickup, carrier, now=now)
    return sent


def _claimed(pickup: Pickup, *, now: datetime) -> bool:
    mine = Pickup.objects.filter(
        id=pickup.id, code_number=pickup.code_number, code_sent_at=None, recalled_at=None
    )
    return mine.update(code_sent_at=now) == 1


def _handed_over(pickup: Pickup, carrier: Carrier, *, now: datetime) -> int:
    went = carrier.send(pickup, derived(pickup), now=now)
    if went == "again":  # the next look does, until the code would be of no use any more
        mine = Pickup.objects.filter(id=pickup.id, code_number=pickup.code_number)
        mine.update(code_sent_at=None)
        return 0
    trail.record(
        "message.code_sent",
        subject=f"message:{pickup.message_id}",
        detail={"count": pickup.code_number, "channel": carrier.name},
        outcome="done" if went == "left" else "failed",
    )
    return 1


def spent(pickup: Pickup) -> bool:
    """Use the code up; False where it was used meanwhile."""
    mine = Pickup.objects.filter(id=pickup.id, code_number=pickup.code_number)
    return mine.exclude(code_sent_at=None).update(code_sent_at=None, code_asked_at=None) == 1


def derived(pickup: Pickup) -> str:
    """Return the code of the number that stands, six digits."""
    key = keyring.for_organisation(tenancy.current()).derive("portal code")
    asked = f"{pickup.id} {pickup.renewed} {pickup.code_number}".encode()
    mark = hashlib.blake2b(asked, key=key, digest_size=16).digest()
    return f"{int.from_bytes(mark) % 10**DIGITS:0{DIGITS}}"


def fits(pickup: Pickup, given: str, *, now: datetime) -> bool:
    """Say whether this is the code that was sent last, and still stands; in constant time."""
    stands = pickup.code_sent_at is not None and now < pickup.code_sent_at + LASTS
    return hmac.compare_digest(derived(pickup).encode(), given.encode()) and stands
