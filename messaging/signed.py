"""Signatures of what goes to and comes from other systems: Standard Webhooks 1.0, symmetric keys.
Pure.

`webhook-signature: v1,<base64 of HMAC-SHA-256 over "<id>.<timestamp>.<body>">`. The id is the
message's own and the same with every try, so a gateway that keeps ids never sends one twice.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

ID, AT, BY = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX: Final = "whsec_"
TOLERANCE: Final = timedelta(minutes=5)
SHORTEST: Final = 24
"""Bytes of a secret."""


class NotSigned(Exception):
    """It does not carry a good signature of now."""


def written(secret: bytes) -> str:
    """Return a secret as other systems are given it."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(
    body: bytes, *, number: str, secret: str, now: datetime, also: Sequence[str] = ()
) -> dict[str, str]:
    """Return the three headers for a body; raises ValueError for a secret that is none.

    `also` are further secrets that sign, so that one can be changed without a gap.
    """
    at = str(int(now.timestamp()))
    signatures = (_signature(body, number=number, at=at, secret=one) for one in (secret, *also))
    return {ID: number, AT: at, BY: " ".join(f"v1,{one}" for one in signatures)}


def check(body: bytes, given: Mapping[str, str], *, secret: str, now: datetime) -> str:
    """Return the id of what came in; raises NotSigned. `given` has lower-case names.

    Of several signatures one good one is enough: a secret is changed without a gap that way.
    """
    number, at, by = (given.get(one, "") for one in (ID, AT, BY))
    if not (number and at.isascii() and at.isdigit() and len(at) < 12):
        raise NotSigned
    if abs(now.timestamp() - int(at)) > TOLERANCE.total_seconds():
        raise NotSigned
    expected = _signature(body, number=number, at=at, secret=secret).encode()
    signatures = [one.partition(",")[2] for one in by.split(" ")[:8] if one.startswith("v1,")]
    good = [hmac.compare_digest(expected, one.encode()) for one in signatures]
    if not any(good):
        raise NotSigned
    return number


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for; raises ValueError where it is none, or too short."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not whsec_ and base64") from None
    if len(key) < SHORTEST:
        raise ValueError(f"it has fewer than {SHORTEST} bytes")
    return key


def _signature(body: bytes, *, number: str, at: str, secret: str) -> str:
    signed = f"{number}.{at}.".encode() + body
    return base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
