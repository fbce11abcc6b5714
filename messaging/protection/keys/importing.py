"""Read an organisation's own signing certificate from a PKCS#12 file, checked before it is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from contacts.canonical import email_form
from messaging.protection.keys.reading import addresses_in

LARGEST: Final = 64 * 1024
MOST_ABOVE: Final = 5
"""Certificates of the chain that travel with each signed mail."""


class SignerRefused(ValueError):
    """A file cannot be signed with; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A signing certificate with its chain (PEM) and its private key (PEM)."""

    public: str
    private: str = field(repr=False)
    fingerprint: str
    expires_at: datetime


def read(raw: bytes, password: str, *, senders: Collection[str], now: datetime) -> Imported:
    """Return what the file holds, fit for signing as one of these senders.

    Raises SignerRefused: a key that fits its certificate, RSA of 2048 bits or more, valid now, made
    out for signing e-mail and for an address that mail goes out from.
    """
    if len(raw) > LARGEST:
        raise SignerRefused("This is larger than 64 KB. Give one PKCS#12 file (.p12, .pfx).")
    try:
        key, found, above = pkcs12.load_key_and_certificates(raw, password.encode() or None)
    except (ValueError, TypeError):
        raise SignerRefused(
            "The file cannot be opened: it is no PKCS#12 file, or the password is another one."
        ) from None
    if key is None or found is None:
        raise SignerRefused("The file must hold both the certificate and its private key.")
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
        raise SignerRefused("The key must be RSA with 2048 bits or more. Ask for another one.")
    if key.public_key() != found.public_key():
        raise SignerRefused("The private key does not belong to the certificate.")
    _check(found, senders, now=now)
    chain = [found, *above[:MOST_ABOVE]]
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Imported(
        "".join(one.public_bytes(Encoding.PEM).decode() for one in chain),
        secret.decode(),
        found.fingerprint(SHA256()).hex(),
        found.not_valid_after_utc,
    )


def _check(found: x509.Certificate, senders: Collection[str], *, now: datetime) -> None:
    if now < found.not_valid_before_utc:
        raise SignerRefused("The certificate is not valid yet.")
    if now >= found.not_valid_after_utc:
        raise SignerRefused("The certificate has expired. Give the new one.")
    if not _signs(found):
        raise SignerRefused("The certificate is not made out for signing.")
    if not _for_mail(found):
        raise SignerRefused("The certificate is not made out for e-mail.")
    if not set(addresses_in(found)) & {email_form(one) for one in senders}:
        raise SignerRefused(
            "The certificate names none of the addresses that mail goes out from: "
            f"{', '.join(sorted(senders))}."
        )


def _signs(found: x509.Certificate) -> bool:
    try:
        usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return bool(usage.digital_signature or usage.content_commitment)


def _for_mail(found: x509.Certificate) -> bool:
    try:
        means = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    known = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    return bool(known & set(means))
