"""A reply that came after its session had ended, held until the person shows again who they are.

It is sealed with the person's key, and bound to the message and to a secret that the browser alone
holds: nobody else who comes in by the same link finds it. Files are not held.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

from accounts import tenancy
from crypto import data_keys
from crypto.seal import Context, seal, unseal
from messaging.answers import taking
from messaging.models import Pickup

LASTS: Final = timedelta(hours=1)


def hold(pickup: Pickup, words: str, *, secret: str, now: datetime) -> bool:
    """Hold the words for the browser with the secret; False where there is nothing to hold.

    One reply a message: a later one stands in its place.
    """
    words = words.replace("\0", "").strip()[: taking.LONGEST]
    key = _key(pickup)
    if not words or key is None or pickup.recalled_at is not None:
        return False
    Pickup.objects.filter(id=pickup.id).update(
        held=seal(key, words.encode(), context=_context(pickup)),
        held_for=_mark(secret),
        held_until=now + LASTS,
    )
    return True


def held(pickup: Pickup, secret: str, *, now: datetime) -> str:
    """Return what is held for this browser; empty where nothing is, or not for it."""
    if not pickup.held or pickup.held_until is None or now >= pickup.held_until:
        return ""
    key = _key(pickup)
    if key is None or not hmac.compare_digest(pickup.held_for, _mark(secret)):
        return ""
    return unseal(key, bytes(pickup.held), context=_context(pickup)).decode()


def drop(pickup: Pickup) -> None:
    """Forget it: it was sent, or its time is over."""
    Pickup.objects.filter(id=pickup.id).update(held=b"", held_for="", held_until=None)


def _key(pickup: Pickup) -> bytes | None:
    number = pickup.message.contact_id
    return data_keys.load(tenancy.current(), [number]).get(number)


def _context(pickup: Pickup) -> Context:
    return Context(tenancy.current(), "messaging_pickup", str(pickup.id), "held")


def _mark(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
