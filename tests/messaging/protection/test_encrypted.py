"""Mail encrypted to a person's own key: opened by OpenSSL and GnuPG, and by nobody else."""

from __future__ import annotations

import email
import email.policy
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pysequoia
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import tenancy
from accounts.models import Organisation, User
from audit.actor import Actor, acting_as
from audit.models import Entry
from contacts.models import Contact
from messaging import attachments, dispatch
from messaging.attachments import Given
from messaging.models import Message, RecipientKey, SigningKey
from messaging.protect import Onward
from messaging.protection.keys import keeping, reading, signing
from messaging.protection.keys.reading import KeyRefused
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.ground.server import OwnDatabase
from tests.messaging.conftest import Enqueue

ADA = "Ada@Example.org"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="no gpg here")


def certificate(
    *,
    address: str = ADA,
    ends: datetime = NOON + timedelta(days=300),
    curve: bool = False,
    server: bool = False,
    issuer: str = "Ada",
) -> tuple[bytes, bytes]:
    key = (
        ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ada")])
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.EMAIL_PROTECTION
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOON - timedelta(days=900))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), private


def sent(enqueue: Enqueue, contact_id: int, *, file: bytes = b"") -> bytes:
    message_id = enqueue([contact_id], path_classes=frozenset({"clinical"}))[0].message_id
    if file:
        attachments.attach(message_id, [Given("a.txt", file)], now=NOON)
    memory = Memory()
    dispatch.run_once(transport=memory, now=NOON, onward=Onward.OPPORTUNISTIC)
    return memory.sent[0].data


@needs_openssl
def test_openssl_opens_our_smime_and_verifies_who_signed(
    enqueue: Enqueue, ada: int, tmp_path: Path
) -> None:
    """EM-24"""
    public, private = certificate()
    keeping.add(ada, public, source="staff", now=NOON)
    raw = sent(enqueue, ada, file=b"the letter of page 4711")
    assert Message.objects.get().route == "smime"
    for secret in (b"Ada,", b"News from", b"page 4711", b"to eat"):
        assert secret not in raw
    assert b"Subject: An encrypted message for you" in raw
    (tmp_path / "mail").write_bytes(raw)
    (tmp_path / "key").write_bytes(private)
    (tmp_path / "ours").write_text(SigningKey.objects.get().public)
    opened = run("openssl", "cms", "-decrypt", "-in", "mail", "-inkey", "key", at=tmp_path)
    (tmp_path / "signed").write_bytes(opened)
    said = run(
        *("openssl", "cms", "-verify", "-in", "signed", "-CAfile", "ours", "-purpose", "any"),
        "-no_check_time",
        at=tmp_path,
    )
    inside = email.message_from_bytes(said, policy=email.policy.default)
    assert inside["Subject"] == "News from Harbor Clinic"
    assert "Dear Ada," in said_in(inside)
    files = [part for part in inside.walk() if part.get_content_disposition() == "attachment"]
    assert [part.get_filename() for part in files] == ["document-1.txt"]


@needs_gpg
def test_gnupg_opens_our_pgp_mime_and_knows_who_signed(
    enqueue: Enqueue, ada: int, tmp_path: Path
) -> None:
    """EM-25"""
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", str(home), "--batch", "--yes", "--no-tty")
    quietly = ("--passphrase", "", "--pinentry-mode", "loopback")
    run(*gpg, *quietly, "--quick-generate-key", f"Ada <{ADA}>", "default", "default", at=home)
    public = run(*gpg, "--armor", "--export", at=home)
    keeping.add(ada, public, source="api", now=NOON)
    raw = sent(enqueue, ada)
    assert Message.objects.get().route == "pgp"
    assert b"News from" not in raw
    block = re.search(rb"-----BEGIN PGP MESSAGE-----.*?-----END PGP MESSAGE-----", raw, re.DOTALL)
    assert block
    (home / "ours").write_text(SigningKey.objects.get(kind="pgp").public)
    (home / "mail").write_bytes(block[0])
    try:
        run(*gpg, "--import", "ours", at=home)
        told = subprocess.run(
            [*gpg, "--status-fd", "2", "--decrypt", "mail"],
            cwd=home,
            capture_output=True,
            check=True,
        )
    finally:
        subprocess.run(
            ["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True
        )
    assert b"GOODSIG" in told.stderr
    inside = email.message_from_bytes(told.stdout, policy=email.policy.default)
    assert inside["Subject"] == "News from Harbor Clinic"
    assert "Dear Ada," in said_in(inside)


def run(*words: str, at: Path) -> bytes:
    done = subprocess.run(words, cwd=at, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-400:]
    return done.stdout


def said_in(mail: email.message.EmailMessage | email.message.Message) -> str:
    return "".join(
        part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for part in mail.walk()
        if part.get_content_type() == "text/plain"
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (lambda: certificate(ends=NOON - timedelta(days=1))[0], "has expired"),
        (lambda: certificate(curve=True)[0], "no RSA key"),
        (lambda: certificate(server=True)[0], "not made out for e-mail"),
        (lambda: certificate(address="eve@example.org")[0], "another address"),
        (lambda: certificate()[1], "private key"),
        (lambda: b"hello", "neither a certificate"),
        (lambda: str(pysequoia.Tsk.generate(user_id=ADA)).encode(), "private key"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(
    ada: int, given: Callable[[], bytes], says: str
) -> None:
    """EM-24, EM-25"""
    with pytest.raises(KeyRefused, match=says):
        keeping.add(ada, given(), source="staff", now=NOON)
    assert not RecipientKey.objects.exists()


def test_what_signs_is_there_before_the_first_mail_is_made(ada: int) -> None:
    """EM-24: making it takes a moment, which no hand-over should wait for."""
    keeping.add(ada, certificate()[0], source="staff", now=NOON)
    assert SigningKey.objects.get().kind == "smime"


def test_two_workers_make_one_signing_key(
    committed_db: OwnDatabase, at_harbor: Organisation
) -> None:
    """EM-24"""
    together = threading.Barrier(2)
    found: list[str] = []

    def make() -> None:
        with acting_as(Actor("system", "test")), tenancy.acting_for(at_harbor.pk):
            together.wait(20)
            found.append(signing.current("pgp", name="H", address="c@h.example", now=NOON).public)
        connection.close()

    workers = [threading.Thread(target=make) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert len(found) == 2 and len(set(found)) == 1
    assert SigningKey.objects.get().retired_at is None


def test_a_version_6_key_is_read() -> None:
    """EM-25"""
    made = pysequoia.Tsk.generate(
        user_id=f"Ada <{ADA}>", profile=pysequoia.Profile.RFC9580
    ).extract_certificate()
    assert reading.read(str(made).encode(), now=NOON).kind == "pgp"


def test_an_expired_certificate_falls_back_and_never_to_the_clear(
    enqueue: Enqueue, ada: int
) -> None:
    """EM-24"""
    public, _ = certificate(ends=NOON + timedelta(minutes=1))
    keeping.add(ada, public, source="staff", now=NOON)
    enqueue([ada], path_classes=frozenset({"clinical"}))
    memory = Memory()
    later = NOON + timedelta(hours=1)
    dispatch.run_once(transport=memory, now=later, onward=Onward.OPPORTUNISTIC)
    assert Message.objects.get().route == "portal"


def test_a_new_key_replaces_the_old_one_and_both_acts_are_in_the_trail(ada: int) -> None:
    for _ in range(2):
        keeping.add(ada, certificate()[0], source="staff", now=NOON)
    assert RecipientKey.objects.filter(removed_at=None).count() == 1
    assert Entry.objects.filter(action="recipient_key.added").count() == 2
    assert Entry.objects.filter(action="recipient_key.removed").count() == 1


def test_nothing_of_a_key_or_an_address_can_be_read_at_rest(ada: int) -> None:
    keeping.add(ada, certificate()[0], source="staff", now=NOON)
    assert b"xample" not in bytes(RecipientKey.objects.get().material)


def test_staff_add_and_remove_a_key_on_the_persons_page(
    ada: int, omar: User, sign_in_as: Callable[[User], Client]
) -> None:
    person = Contact.objects.get(pk=ada)
    page = reverse("contact-keys", args=[person.public_id])
    client = sign_in_as(omar)
    bad = client.post(page, {"text": certificate(curve=True)[0].decode()})
    assert bad.status_code == 422
    assert "no RSA key" in bad.content.decode()
    real = datetime.now(NOON.tzinfo)
    good = certificate(ends=real + timedelta(days=300))[0].decode()
    assert client.post(page, {"text": good}).status_code == 302
    assert "S/MIME" in client.get(page).content.decode()
    key_id = RecipientKey.objects.get().pk
    client.post(reverse("contact-key-remove", args=[person.public_id, key_id]))
    assert RecipientKey.objects.get().removed_at is not None


def test_who_may_not_change_people_adds_no_key(
    ada: int, mara: User, sign_in_as: Callable[[User], Client]
) -> None:
    page = reverse("contact-keys", args=[Contact.objects.get(pk=ada).public_id])
    client = sign_in_as(mara)
    assert client.post(page, {"text": certificate()[0].decode()}).status_code == 403
    assert not RecipientKey.objects.exists()
