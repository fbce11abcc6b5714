"""Opaque tokens for links: what they carry is encrypted, and bound to one purpose.

A token is base64url of `key hint (1 byte) · AES-256-SIV(msgpack [organisation, expiry, payload])`
with the purpose as associated data. SIV (RFC 5297) needs no nonce: that saves twelve bytes in every
link, and there is no count of nonces to exhaust, however many messages are sent. The same payload
gives the same token. Tokens issued before a rotation stay readable, because an unsubscribe link
must work for as long as the mail lies in somebody's inbox.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import msgpack
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from crypto import keyring
from crypto.seal import Key

_LONGEST = 2_000


class TokenRefused(Exception):
    """This link is not valid, or not valid any more."""

    def __init__(self) -> None:
        # One sentence for every cause: the answer to a forged token teaches nothing.
        super().__init__("This link is not valid, or not valid any more.")


class TokenPayload(NamedTuple):
    organisation_id: int
    payload: dict[str, Any]


def issue(
    payload: Mapping[str, Any],
    *,
    purpose: str,
    now: datetime,
    lifetime: timedelta | None,
    organisation_id: int,
) -> str:
    """Return a token that `read` accepts for the same purpose until its lifetime is over."""
    expiry = int((now + lifetime).timestamp()) if lifetime is not None else None
    plain = msgpack.packb([organisation_id, expiry, dict(payload)])
    key = keyring.installation().token_writing
    sealed = _cipher(key.material).encrypt(plain, [purpose.encode()])
    return base64.urlsafe_b64encode(_hint(key.version) + sealed).rstrip(b"=").decode()


def read(token: str, *, purpose: str, now: datetime) -> TokenPayload:
    """Return what the token carries, or raise TokenRefused."""
    raw = _decode(token)
    plain = _open(raw, purpose)
    organisation_id, expiry, payload = msgpack.unpackb(plain)
    if expiry is not None and now.timestamp() >= expiry:
        raise TokenRefused
    return TokenPayload(organisation_id, payload)


def _open(raw: bytes, purpose: str) -> bytes:
    for key in _candidates(raw[:1]):
        try:
            return _cipher(key.material).decrypt(raw[1:], [purpose.encode()])
        except (InvalidTag, ValueError):
            continue
    raise TokenRefused


def _candidates(hint: bytes) -> Iterator[Key]:
    """Yield the keys that the hint may mean; read the ring again for one made since."""
    known = [key for key in keyring.installation().tokens.values() if _hint(key.version) == hint]
    if not known and keyring.reread_installation():
        keys = keyring.installation().tokens.values()
        known = [key for key in keys if _hint(key.version) == hint]
    yield from known


def _decode(token: str) -> bytes:
    """Return the bytes. Base64 reads several spellings as the same bytes: only one is accepted."""
    try:
        if len(token) > _LONGEST:
            raise TokenRefused
        text = token.encode("ascii")
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise TokenRefused from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != text or len(raw) < 18:
        raise TokenRefused
    return raw


def _hint(version: int) -> bytes:
    return bytes([version % 256])


@lru_cache(maxsize=64)
def _cipher(material: bytes) -> AESSIV:
    """Return AES-256-SIV, whose two halves are sub-keys of the token key."""
    halves = (hmac.digest(material, label, hashlib.sha256) for label in (b"siv mac", b"siv ctr"))
    return AESSIV(b"".join(halves))
