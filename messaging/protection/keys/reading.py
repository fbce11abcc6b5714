"""Read a certificate or key that somebody gives us, and say why it cannot be used, if so."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pysequoia
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contacts.canonical import email_form

LARGEST = 64 * 1024
_PRIVATE = "This is a private key. Keep it to yourself and give us the public part."


class KeyRefused(ValueError):
    """It cannot be used; the sentence says why and what to do.

    `code` is one of `private`, `address`, `expired`, `stands`, `many`, `unusable`.
    """

    def __init__(self, sentence: str, code: str = "unusable") -> None:
        self.code = code
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Usable:
    """A certificate or key that mail can be encrypted to now."""

    kind: str
    material: bytes = field(repr=False)
    fingerprint: str
    addresses: tuple[str, ...] = field(repr=False)
    expires_at: datetime | None
    about: str
    """Its algorithm and issuer, for people to recognise it by."""


def read(raw: bytes, *, now: datetime) -> Usable:
    """Return what the bytes are, checked for usage and expiry; raises KeyRefused."""
    if len(raw) > LARGEST:
        raise KeyRefused("This is larger than 64 KB. Give one certificate or one public key.")
    if b"PRIVATE KEY" in raw:
        raise KeyRefused(_PRIVATE, "private")
    if b"BEGIN PGP" in raw:
        return read_pgp(raw, now=now)
    try:
        pem = b"BEGIN CERTIFICATE" in raw
        found = x509.load_pem_x509_certificate(raw) if pem else x509.load_der_x509_certificate(raw)
    except ValueError:
        if raw[:1] and raw[0] & 0x80:
            return read_pgp(raw, now=now)
        raise KeyRefused(
            "This is neither a certificate (PEM or DER) nor an OpenPGP public key."
        ) from None
    return _certificate(found, now=now)


def _certificate(found: x509.Certificate, *, now: datetime) -> Usable:
    public = found.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise KeyRefused(
            "This certificate has no RSA key (elliptic curves cannot be encrypted to yet). "
            "Ask for an RSA certificate, or use OpenPGP."
        )
    if public.key_size < 2048:
        raise KeyRefused("The certificate's RSA key is shorter than 2048 bits. Ask for a new one.")
    if now < found.not_valid_before_utc:
        raise KeyRefused("The certificate is not valid yet.")
    if now >= found.not_valid_after_utc:
        raise KeyRefused("The certificate has expired. Give the new one.", "expired")
    _check_usage(found)
    addresses = addresses_in(found)
    if not addresses:
        raise KeyRefused("The certificate names no e-mail address.")
    issuer = found.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    by = f", issued by {str(issuer[0].value)[:60]}" if issuer else ""
    return Usable(
        "smime",
        found.public_bytes(Encoding.DER),
        found.fingerprint(SHA256()).hex(),
        addresses,
        found.not_valid_after_utc,
        f"RSA {public.key_size}{by}",
    )


def _check_usage(found: x509.Certificate) -> None:
    try:
        usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.key_encipherment:
            raise KeyRefused("The certificate is for signing only, not for encrypting.")
    except x509.ExtensionNotFound:
        pass
    try:
        means = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    known = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if not known & set(means):
        raise KeyRefused("The certificate is not made out for e-mail.")


def addresses_in(found: x509.Certificate) -> tuple[str, ...]:
    named = [str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]
    try:
        held = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        named += held.get_values_for_type(x509.RFC822Name)
    except x509.ExtensionNotFound:
        pass
    return _forms(named)


def _forms(named: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({email_form(one) for one in named if "@" in one}))


def read_pgp(raw: bytes, *, now: datetime) -> Usable:
    """Read an OpenPGP certificate, of version 4 or 6 (RFC 4880, RFC 9580)."""
    try:
        found = pysequoia.Cert.from_bytes(raw)
    except Exception:  # the library raises what it likes, and its texts may hold a name
        raise KeyRefused("This OpenPGP key cannot be read. Export the public key again.") from None
    if _is_private(found):
        raise KeyRefused(_PRIVATE, "private")
    if found.is_revoked:
        raise KeyRefused("This OpenPGP key was revoked. Give the new one.", "expired")
    ends = found.expiration
    ends = ends.replace(tzinfo=UTC) if ends is not None and ends.tzinfo is None else ends
    if ends is not None and now >= ends:
        raise KeyRefused("This OpenPGP key has expired. Extend it, or give the new one.", "expired")
    addresses = _forms([_address_in(str(one)) for one in found.user_ids])
    if not addresses:
        raise KeyRefused("This OpenPGP key names no e-mail address.")
    if not encrypts(found):
        raise KeyRefused("This OpenPGP key has no part for encrypting that is valid now.")
    raw = bytes(found)
    return Usable("pgp", raw, str(found.fingerprint), addresses, ends, "OpenPGP")


def _is_private(found: pysequoia.Cert) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # nothing else can tell the two apart
        return bool(found.has_secret_keys)


def encrypts(found: pysequoia.Cert) -> bool:
    """Say whether something can be encrypted to it now: subkeys expire by themselves."""
    try:
        pysequoia.encrypt(b"-", recipients=[found])
    except Exception:  # no usable subkey: the library says so by raising
        return False
    return True


def _address_in(user_id: str) -> str:
    _, bracket, rest = user_id.partition("<")
    return rest.partition(">")[0] if bracket else user_id
