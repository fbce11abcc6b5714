"""Sign a mail and encrypt it to the person's own key: S/MIME (RFC 8551), PGP/MIME (RFC 3156).

What the mail really says, its subject included, stands inside (RFC 9788); outside stands a subject
that says nothing. S/MIME is signed, then encrypted with AES-256 to an RSA key; what a mail program
of today opens without a question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pysequoia
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from messaging import mime
from messaging.mime import Headers, Mail

SUBJECT: Mapping[str, str] = {
    "en": "An encrypted message for you",
    "es": "Un mensaje cifrado para usted",
}


class NotEncrypted(Exception):
    """The key cannot be encrypted to any more: another way has to be found."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """To whom a mail is encrypted and who signs it."""

    kind: str
    recipient: bytes = field(repr=False)
    """The certificate (DER) or the OpenPGP certificate."""
    public: str = field(repr=False)
    private: str = field(repr=False)
    subject: str = SUBJECT["en"]

    def wrap(self, mail: Mail) -> tuple[Headers, bytes]:
        """Return the headers and the body for the wire; raises `NotEncrypted`."""
        entity = inside(mail, self.subject)
        outer = mime.headers(replace(mail, subject=self.subject))
        if self.kind == "smime":
            kind, content = _smime(entity, self)
            extra = [("Content-Transfer-Encoding", b"base64")]
        else:
            kind, content = _pgp(entity, self, boundary=f"{mail.boundary}-pgp")
            extra = []
        kept = [(name, value) for name, value in outer if name != "Content-Type"]
        return [*kept, ("Content-Type", kind), *extra], content


def inside(mail: Mail, subject: str) -> bytes:
    """Return the mail itself as a part, with the headers that are protected (RFC 9788)."""
    protected = {"From", "To", "Subject", "Date", "Message-ID"}
    head: Headers = [one for one in mime.headers(mail) if one[0] in protected]
    shown: Headers = [
        ("HP-Outer", name.encode("ascii") + b": " + value)
        for name, value in mime.headers(replace(mail, subject=subject))
        if name in protected
    ]
    kind = f'{mime.content_type(mail)}; hp="cipher"'.encode("ascii")
    return mime.whole([*head, *shown, ("Content-Type", kind)], mime.body(mail))


def _smime(entity: bytes, by: Wrapper) -> tuple[bytes, bytes]:
    chain = x509.load_pem_x509_certificates(by.public.encode())
    key = load_pem_private_key(by.private.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signing = pkcs7.PKCS7SignatureBuilder().set_data(entity)
    signing = signing.add_signer(chain[0], key, SHA256())
    for above in chain[1:]:
        signing = signing.add_certificate(above)
    signed = signing.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    part = (
        b'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + mime.base64_lines(signed)
    )
    try:
        recipient = x509.load_der_x509_certificate(by.recipient)
        sealed = (
            pkcs7.PKCS7EnvelopeBuilder()
            .set_data(part)
            .set_content_encryption_algorithm(AES256)
            .add_recipient(recipient)
            .encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
        )
    except (ValueError, TypeError):
        raise NotEncrypted from None
    kind = b'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'
    return kind, mime.base64_lines(sealed)


def _pgp(entity: bytes, by: Wrapper, *, boundary: str) -> tuple[bytes, bytes]:
    try:
        recipient = pysequoia.Cert.from_bytes(by.recipient)
        signer = pysequoia.Tsk.from_bytes(by.private.encode()).signer()
        armoured = bytes(pysequoia.encrypt(entity, recipients=[recipient], signer=signer))
    except Exception:  # an expired subkey, say: the library raises what it likes
        raise NotEncrypted from None
    edge = f"--{boundary}".encode("ascii")
    lines = b"\r\n".join(armoured.splitlines())
    content = b"".join(
        [
            edge,
            b"\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n",
            edge,
            b'\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n\r\n',
            lines,
            b"\r\n",
            edge,
            b"--\r\n",
        ]
    )
    said = f'multipart/encrypted; protocol="application/pgp-encrypted"; boundary="{boundary}"'
    return said.encode("ascii"), content
