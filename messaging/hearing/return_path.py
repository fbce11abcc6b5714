"""A return path for each message, so that a bounce which names nothing else is still ours to know.

`care@harbor.example` becomes `care+b` and 40 hexadecimal digits: the message's public id, which is
random, and a keyed check, so that nobody can make up a path that we should believe. Only digits
and small letters: mail servers may fold case.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from uuid import UUID

from django.conf import settings

from accounts import tenancy
from crypto import keyring

_CHECK = 8
_PATH = re.compile(r"b([0-9a-f]{32})([0-9a-f]{8})$")
_LONGEST = 64
"""Characters before the @ that a mail server must take (RFC 5321 4.5.3.1.1)."""


def of(address: str, public_id: UUID) -> str:
    """Return the address that bounces of the message come to; the plain one where the mail server
    does not know sub-addresses, or the path would be too long."""
    local, _, domain = address.rpartition("@")
    tag = f"b{public_id.hex}{_check(public_id)}"
    path = f"{local}{settings.RETURN_PATH_SEPARATOR}{tag}"
    if not settings.RETURN_PATH_SEPARATOR or len(path) > _LONGEST:
        return address
    return f"{path}@{domain}"


def read(address: str) -> UUID | None:
    """Return which message's path this is; None for any other address, or a forged one."""
    found = _PATH.search(address.rpartition("@")[0].lower())
    if found is None:
        return None
    public_id = UUID(hex=found[1])
    return public_id if hmac.compare_digest(found[2], _check(public_id)) else None


def _check(public_id: UUID) -> str:
    key = keyring.for_organisation(tenancy.current()).derive("return path")
    return hashlib.blake2b(public_id.bytes, key=key, digest_size=_CHECK // 2).hexdigest()
