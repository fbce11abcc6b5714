"""A certificate authority of this machine's own, for the local mailbox."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=3650)


@dataclass(frozen=True)
class Identity:
    """Who a server says it is: the files that a TLS context loads."""

    ca: Path
    certificate: Path
    key: Path


def identity(
    folder: Path, *, now: datetime, names: tuple[str, ...] = ("localhost", "127.0.0.1")
) -> Identity:
    """Return the folder's identity, made at the first call."""
    found = Identity(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    if not found.certificate.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(found, now=now, names=names)
    return found


def _make(target: Identity, *, now: datetime, names: tuple[str, ...]) -> None:
    ca_key, key = _key(), _key()
    ca_name, name = _name("Attune local authority"), _name(names[0])
    ca = _builder(ca_name, ca_name, ca_key.public_key(), now=now, authority=True)
    ca = ca.add_extension(_usage(signs=True), critical=True)
    certificate = _builder(name, ca_name, key.public_key(), now=now, authority=False)
    certificate = certificate.add_extension(
        x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=False
    ).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
    )
    _write_private(target.key, key)
    _write(target.ca, ca.sign(ca_key, hashes.SHA256()))
    _write(target.certificate, certificate.sign(ca_key, hashes.SHA256()))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    authority: bool,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_private(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
