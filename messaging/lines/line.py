"""What secured a connection, as it is kept of every mail that went over it."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Line:
    """A verified connection to a server: TLS version and cipher by OpenSSL's names.

    `certificate` is the SHA-256 of the server's certificate in hexadecimal digits.
    """

    host: str
    tls: str
    cipher: str
    certificate: str
    issuer: str
    expires_at: datetime


def of(host: str, safe: ssl.SSLSocket) -> Line | None:
    """Describe the connection; None where the server showed no certificate."""
    shown = safe.getpeercert(binary_form=True)
    if shown is None:
        return None
    leaf, used = x509.load_der_x509_certificate(shown), safe.cipher()
    return Line(
        host,
        safe.version() or "",
        used[0] if used else "",
        hashlib.sha256(shown).hexdigest(),
        _issuer(leaf),
        leaf.not_valid_after_utc.astimezone(UTC),
    )


def _issuer(leaf: x509.Certificate) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if named := leaf.issuer.get_attributes_for_oid(kind):
            return str(named[0].value)[:120]
    return ""
