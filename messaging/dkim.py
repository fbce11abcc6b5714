"""Sign mail with DKIM (RFC 6376): rsa-sha256, relaxed/relaxed, From signed twice.

The body comes from `messaging.mime`, whose bytes are their own relaxed form; `sign` refuses a body
that does not look so rather than sign what a verifier would see differently.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from messaging.mime import Headers

# Signed one more time than they occur, so that nobody can add a second one (EM-16).
OVERSIGNED = ("From", "To", "Subject", "Date", "Message-ID")
_BLANKS = re.compile(rb"[ \t]+")
_RELAXABLE = (b"  ", b"\t", b": ", b" \r\n")
"""Where relaxing may change something in lines whose names end with a bare colon."""
_PADDING, _HASH = padding.PKCS1v15(), hashes.SHA256()


class KeyUnusable(Exception):
    """The DKIM key cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Signer:
    """One domain's key under one selector. Two signers may live side by side while keys rotate."""

    domain: str
    selector: str
    key: RSAPrivateKey

    def signature(self, headers: Headers, body: bytes, *, now: datetime) -> tuple[str, bytes]:
        """Return the DKIM-Signature header that goes before `headers`."""
        names = tuple([name for name, _ in headers])
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")
        value = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n"
            f" t={int(now.timestamp())}; h={_listed(names)};\r\n bh={digest};\r\n b="
        ).encode("ascii")
        signed = _all_relaxed(headers) + _relaxed("DKIM-Signature", value)
        raw = self.key.sign(signed, _PADDING, _HASH)
        return "DKIM-Signature", value + _wrapped(base64.b64encode(raw))

    def sign(self, headers: Headers, body: bytes, *, now: datetime) -> Headers:
        """Return the headers with the signature first."""
        if not canonical(body):
            raise ValueError("this body is not in its relaxed form")
        return [self.signature(headers, body, now=now), *headers]


def canonical(body: bytes) -> bool:
    """Say whether relaxing would change nothing; looks at the few blanks, not at every byte."""
    at = body.find(b" ")
    while at >= 0:
        if body[at + 1 : at + 2] in (b" ", b"\r"):
            return False
        at = body.find(b" ", at + 1)
    return b"\t" not in body and not body.endswith(b"\r\n\r\n")


def signer(domain: str, *, selector: str, pem: bytes) -> Signer:
    """Return a signer; raises `KeyUnusable` for anything but RSA of 2048 bits or more."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, ValueError):
        raise KeyUnusable("The DKIM key is not an unencrypted PEM private key.") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise KeyUnusable("The DKIM key must be RSA with 2048 bits or more.")
    return Signer(domain, selector, key)


def from_file(domain: str, *, selector: str, path: Path) -> Signer:
    try:
        return signer(domain, selector=selector, pem=path.read_bytes())
    except OSError:
        raise KeyUnusable("DKIM_KEY_FILE cannot be read; check its name and rights.") from None


def _all_relaxed(headers: Headers) -> bytes:
    """Return the signed headers, a line each; no name occurs twice, so a name that is signed once
    more stands for nothing. Looking at all of them at once is cheaper still."""
    whole = b"".join([_prefix(name) + value + b"\r\n" for name, value in headers])
    whole = whole.replace(b"\r\n ", b" ")
    if whole.count(b"\r\n") == len(headers) and not any(one in whole for one in _RELAXABLE):
        return whole
    return b"".join([_relaxed(name, value) + b"\r\n" for name, value in headers])


def _relaxed(name: str, value: bytes) -> bytes:
    """Most values are their own relaxed form but for their ends; looking first is cheaper."""
    if b"\r\n" in value:
        value = value.replace(b"\r\n", b"")
    if b"  " in value or b"\t" in value:
        value = _BLANKS.sub(b" ", value)
    return _prefix(name) + value.strip()


@lru_cache(maxsize=64)
def _prefix(name: str) -> bytes:
    return name.lower().encode("ascii") + b":"


@lru_cache(maxsize=64)
def _listed(names: tuple[str, ...]) -> str:
    """Return the h= list with its further names, folded so that no line grows long."""
    names += tuple(name for name in OVERSIGNED if name in names)
    lines = [":".join(names[start : start + 5]) for start in range(0, len(names), 5)]
    return ":\r\n ".join(lines)


def _wrapped(raw: bytes) -> bytes:
    return b"\r\n ".join(raw[start : start + 72] for start in range(0, len(raw), 72))
