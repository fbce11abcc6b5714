"""By which connection a mail went: its TLS version and certificate, kept with the message."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client
from django.urls import reverse

from accounts.models import User
from deploy.mailbox import Mailbox
from messaging import dispatch
from messaging.lines.line import Line
from messaging.models import Line as Kept
from messaging.models import Message
from messaging.transports.base import Fate, Outcome
from messaging.transports.memory import Memory
from messaging.transports.session import Relay, Session
from tests.api.conftest import Machine
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, person, sign

SignedIn = Callable[[User], Client]
LINE = Line(
    host="mx.example.org",
    tls="TLSv1.3",
    cipher="TLS_AES_256_GCM_SHA384",
    certificate="ab" * 32,
    issuer="Example Authority",
    expires_at=datetime(2027, 1, 1, tzinfo=UTC),
)


def signed(number: str) -> int:
    contact_id = person(number, email=f"{number}@example.org")
    sign(contact_id)
    return contact_id


def send(fate: Fate = Fate.ACCEPTED, line: Line | None = LINE) -> None:
    memory = Memory(answer=lambda mail: Outcome(mail.number, fate, "250", line=line))
    dispatch.run_once(transport=memory, now=NOON)


def test_a_connection_says_its_version_and_certificate(mailbox: Mailbox) -> None:
    session = Session(Relay("localhost", mailbox.port, ca_file=str(mailbox.ca_file)))
    session.close()
    shown = x509.load_pem_x509_certificate(mailbox.identity.certificate.read_bytes())
    line = session.line
    assert line is not None
    assert (line.host, line.tls) == ("localhost", "TLSv1.3")
    assert line.certificate == hashlib.sha256(shown.public_bytes(Encoding.DER)).hexdigest()
    assert line.expires_at == shown.not_valid_after_utc


def test_mails_by_one_line_name_one_row(enqueue: Enqueue, ada: int) -> None:
    enqueue([ada, signed("bob")])
    send()
    (kept,) = Kept.objects.all()
    assert (kept.host, kept.tls, kept.first_used_at) == ("mx.example.org", "TLSv1.3", NOON)
    assert set(Message.objects.values_list("state", "line")) == {("sent", kept.pk)}


@pytest.mark.parametrize(("fate", "line"), [(Fate.REJECTED, None), (Fate.ACCEPTED, None)])
def test_without_a_secured_connection_there_is_no_line(
    enqueue: Enqueue, ada: int, fate: Fate, line: Line | None
) -> None:
    enqueue([ada])
    send(fate, line)
    assert Message.objects.get().line is None
    assert not Kept.objects.exists()


def test_the_messages_page_says_by_which_connection_it_went(
    enqueue: Enqueue, ada: int, omar: User, sign_in_as: SignedIn
) -> None:
    enqueue([ada])
    send()
    page = sign_in_as(omar).get(reverse("message", args=[Message.objects.get().public_id]))
    words = page.content.decode()
    assert "TLSv1.3 to mx.example.org" in words
    assert "by Example Authority" in words
    assert "ab" * 32 in words


def test_the_api_tells_it_too_and_not_to_others(
    enqueue: Enqueue, ada: int, machine: Machine, stranger: Machine
) -> None:
    """SE-01"""
    enqueue([ada])
    send()
    address = f"messages/{Message.objects.get().public_id}"
    told = machine.get(address).json()["line"]
    assert (told["tls"], told["certificate_sha256"]) == ("TLSv1.3", "ab" * 32)
    assert stranger.get(address).status_code == 404
