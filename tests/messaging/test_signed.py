"""Keys found on signed mail: only with a good signature, of the very person, and never in vain."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pysequoia
import pytest

from messaging import dispatch
from messaging.hearing import intake, signed
from messaging.models import Answer, Message, RecipientKey
from messaging.protection.keys import keeping
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.protection.test_encrypted import ADA, certificate

LATER = NOON + timedelta(hours=1)
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


@pytest.fixture
def sent(ada: int, enqueue: Enqueue, memory: Memory) -> Message:
    enqueue([ada])
    dispatch.run_once(transport=memory, now=NOON)
    return Message.objects.get()


def head(message: Message, sender: str = ADA) -> bytes:
    return (
        f"From: Ada <{sender}>\r\nTo: care@harbor.example\r\nSubject: Re: News\r\n"
        f"In-Reply-To: {message.message_id_header}\r\nMIME-Version: 1.0\r\n"
    ).encode()


def smime(message: Message, at: Path, *, sender: str = ADA, made: tuple[bytes, bytes]) -> bytes:
    """Return a reply that OpenSSL signed."""
    public, private = made
    (at / "cert").write_bytes(public)
    (at / "key").write_bytes(private)
    asked = ["openssl", "cms", "-sign", "-signer", "cert", "-inkey", "key", "-text"]
    done = subprocess.run(
        asked, input=b"Thank you\r\n", cwd=at, capture_output=True, check=True, timeout=20
    )
    return head(message, sender) + done.stdout.replace(b"MIME-Version: 1.0\n", b"")


def pgp(message: Message, *, ends: datetime | None = None, address: str = ADA) -> bytes:
    """Return a reply that Sequoia signed, with the key attached."""
    made = pysequoia.Tsk.generate(user_id=f"Ada <{address}>")
    key = str(made.extract_certificate()).strip().replace("\r\n", "\n").replace("\n", "\r\n")
    part = (
        'Content-Type: multipart/mixed; boundary="in"\r\n\r\n--in\r\n'
        "Content-Type: text/plain\r\n\r\nThank you\r\n--in\r\n"
        f"Content-Type: application/pgp-keys\r\n\r\n{key}\r\n--in--\r\n"
    ).encode()
    mark = pysequoia.sign(made.signer(), part, mode=pysequoia.SignatureMode.DETACHED)
    return (
        head(message)
        + b'Content-Type: multipart/signed; protocol="application/pgp-signature"; '
        + b'micalg=pgp-sha512; boundary="out"\r\n\r\n--out\r\n'
        + part
        + b"\r\n--out\r\nContent-Type: application/pgp-signature\r\n\r\n"
        + bytes(mark)
        + b"\r\n--out--\r\n"
    )


@needs_openssl
def test_a_certificate_is_found_on_a_signed_reply(sent: Message, tmp_path: Path) -> None:
    """EM-24"""
    intake.take(smime(sent, tmp_path, made=certificate()), source="pipe", now=LATER)
    row = RecipientKey.objects.get()
    assert (row.kind, row.source, row.contact_id) == ("smime", "mail", sent.contact_id)
    assert Answer.objects.count() == 1, "the reply itself is taken in as any other"


def test_an_openpgp_key_is_found_on_a_signed_reply(sent: Message) -> None:
    """EM-25"""
    intake.take(pgp(sent), source="pipe", now=LATER)
    row = RecipientKey.objects.get()
    assert (row.kind, row.source) == ("pgp", "mail")


@needs_openssl
def test_the_same_certificate_again_changes_nothing(sent: Message, tmp_path: Path) -> None:
    made = certificate()
    first = smime(sent, tmp_path, made=made)
    intake.take(first, source="pipe", now=LATER)
    second = first.replace(b"Subject: Re: News", b"Subject: Again")
    intake.take(second, source="pipe", now=LATER)
    assert RecipientKey.objects.count() == 1


@needs_openssl
def test_a_key_that_staff_gave_stands(sent: Message, tmp_path: Path) -> None:
    keeping.add(sent.contact_id, certificate()[0], source="staff", now=NOON)
    intake.take(smime(sent, tmp_path, made=certificate()), source="pipe", now=LATER)
    assert RecipientKey.objects.get(removed_at=None).source == "staff"


@needs_openssl
@pytest.mark.parametrize("made", [{"address": "eve@example.org"}, {"ends": NOON}, {"curve": True}])
def test_a_certificate_that_cannot_be_used_is_left_alone(
    sent: Message, tmp_path: Path, made: dict[str, object]
) -> None:
    raw = smime(sent, tmp_path, made=certificate(**made))  # type: ignore[arg-type]
    intake.take(raw, source="pipe", now=LATER)
    assert not RecipientKey.objects.exists()
    assert Answer.objects.count() == 1


@needs_openssl
def test_words_that_were_changed_bring_no_key(sent: Message, tmp_path: Path) -> None:
    raw = smime(sent, tmp_path, made=certificate()).replace(b"Thank you", b"Thank god")
    assert signed.key_of(raw, sender=ADA) is None


def test_an_openpgp_signature_over_other_words_brings_no_key(sent: Message) -> None:
    assert signed.key_of(pgp(sent).replace(b"Thank you", b"Thank god"), sender=ADA) is None


@needs_openssl
def test_somebody_elses_mail_brings_no_key(sent: Message, tmp_path: Path) -> None:
    raw = smime(sent, tmp_path, sender="eve@example.org", made=certificate())
    assert signed.key_of(raw, sender=ADA) is None
    twice = b"From: Eve <eve@example.org>\r\n" + smime(sent, tmp_path, made=certificate())
    assert signed.key_of(twice, sender=ADA) is None


@needs_openssl
def test_a_signed_mail_that_answers_nothing_of_ours_brings_no_key(
    sent: Message, tmp_path: Path
) -> None:
    raw = smime(sent, tmp_path, made=certificate())
    raw = raw.replace(sent.message_id_header.encode(), b"<" + b"0" * 32 + b"@harbor.example>")
    intake.take(raw, source="pipe", now=LATER)
    assert not RecipientKey.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"From: a@b\r\nContent-Type: multipart/signed; protocol=application/pgp-signature\r\n\r\n",
        b"From: %b\r\nContent-Type: application/pkcs7-mime\r\n\r\nAAAA" % ADA.encode(),
        b'From: %b\r\nContent-Type: multipart/signed; boundary="("; '
        b"protocol=application/pgp-signature\r\n\r\n--(\r\n--(--" % ADA.encode(),
        b"\xff" * 4096,
    ],
)
def test_whatever_comes_there_is_an_answer(raw: bytes) -> None:
    assert signed.key_of(raw, sender=ADA) is None
