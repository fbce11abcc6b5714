"""Signatures by the Standard Webhooks specification (standardwebhooks.com). Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

PREFIX = "whsec_"


def written(secret: bytes) -> str:
    """Return the secret as receivers are given it."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(key: UUID, body: bytes, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """Return what proves to the receiver whose call this is, and when it was made.

    Each secret signs `id.timestamp.body`; a receiver takes any signature that it can verify, and
    refuses a timestamp minutes away from its own clock, so that nobody can replay the call.
    """
    named, at = f"msg_{key.hex}", str(int(now.timestamp()))
    signed = f"{named}.{at}.".encode() + body
    return {
        "webhook-id": named,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(f"v1,{_signature(one, signed)}" for one in secrets),
        "idempotency-key": named,
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
