"""What the organisation signs encrypted mail with: brought as a file, or made here with the first
key of a person.

The private part is sealed with the organisation's key (W3). A certificate made here is signed by
nobody: it tells mails of one organisation apart from forged ones after the first. One that an
authority issued (`importing`) is trusted by mail programs from the first mail on; when it ends,
one made here takes its place, so that mail goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pysequoia
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from crypto.ids import uuid7
from messaging.protection.keys.reading import addresses_in
from messaging.protection.models import SigningKey

LASTS = timedelta(days=730)
_ONCE = "SELECT pg_advisory_xact_lock(hashtext('messaging_signing_key'), %s)"


@dataclass(frozen=True, slots=True)
class Signer:
    """A signing key, opened."""

    kind: str
    public: str
    private: str = field(repr=False)


def current(kind: str, *, name: str, address: str, now: datetime) -> Signer:
    """Return what signs now; made here where there is none, or none any more."""
    row = _standing(kind, now=now) or _made_once(kind, name=name, address=address, now=now)
    return Signer(kind, row.public, row.private)


@transaction.atomic
def _made_once(kind: str, *, name: str, address: str, now: datetime) -> SigningKey:
    """Make it, one worker at a time: who waited here finds the other's."""
    with connection.cursor() as cursor:
        cursor.execute(_ONCE, [tenancy.current()])
    if row := _standing(kind, now=now):
        return row
    made = _certificate(name, address, now=now) if kind == "smime" else _pgp(name, address)
    return keep(kind, *made, now=now)


def _standing(kind: str, *, now: datetime) -> SigningKey | None:
    row = SigningKey.objects.filter(kind=kind, retired_at=None).first()
    return None if row is None or (row.expires_at and row.expires_at <= now) else row


@transaction.atomic
def keep(
    kind: str,
    public: str,
    private: str,
    fingerprint: str,
    expires_at: datetime | None,
    *,
    now: datetime,
) -> SigningKey:
    """Sign with this from now on."""
    for old in SigningKey.objects.filter(kind=kind, retired_at=None).select_for_update():
        SigningKey.objects.filter(pk=old.pk).update(retired_at=now)
        trail.record("signing_key.retired", detail={"kind": kind, "fingerprint": old.fingerprint})
    row = SigningKey.objects.create(
        id=uuid7(),
        kind=kind,
        public=public,
        private=private,
        fingerprint=fingerprint,
        added_at=now,
        expires_at=expires_at,
    )
    trail.record("signing_key.added", detail={"kind": kind, "fingerprint": fingerprint})
    return row


@transaction.atomic
def retire(kind: str, *, now: datetime) -> bool:
    """Stop signing with what stands; the next mail makes a new one. False where none stands."""
    row = SigningKey.objects.filter(kind=kind, retired_at=None).select_for_update().first()
    if row is None:
        return False
    SigningKey.objects.filter(pk=row.pk).update(retired_at=now)
    trail.record("signing_key.retired", detail={"kind": kind, "fingerprint": row.fingerprint})
    return True


@dataclass(frozen=True, slots=True)
class About:
    """A signing key as staff see it; `made_here` of one that no authority issued."""

    row: SigningKey
    made_here: bool
    issuer: str
    addresses: tuple[str, ...]

    def days_left(self, *, now: datetime) -> int | None:
        """Return for how many whole days it is good, below nought once it ended; None: for ever."""
        return (self.row.expires_at - now).days if self.row.expires_at else None


def about(row: SigningKey) -> About:
    """Read what a key says of itself, without opening its private part."""
    if row.kind != "smime":
        return About(row, True, "", ())
    found = x509.load_pem_x509_certificates(row.public.encode())[0]
    named = found.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return About(
        row,
        found.issuer == found.subject,
        str(named[0].value) if named else "",
        addresses_in(found),
    )


def standing() -> list[About]:
    """Return what signs now, at most one of each kind."""
    rows = SigningKey.objects.filter(retired_at=None).defer("private").order_by("kind")
    return [about(row) for row in rows]


def _certificate(
    name: str, address: str, *, now: datetime
) -> tuple[str, str, str, datetime | None]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64] or address[:64])])
    ends = now + LASTS
    usage = x509.KeyUsage(True, True, True, False, False, False, False, False, False)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = made.public_bytes(Encoding.PEM).decode()
    return public, secret, made.fingerprint(SHA256()).hex(), ends


def _pgp(name: str, address: str) -> tuple[str, str, str, datetime | None]:
    made = pysequoia.Tsk.generate(user_id=f"{name} <{address}>")
    public = made.extract_certificate()
    return str(public), str(made), str(public.fingerprint), public.expiration
