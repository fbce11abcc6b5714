"""The local mailbox: a mail server that a sender cannot tell from a careful one of the world."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from deploy.mailbox import Mailbox

ADA = "ada@example.org"


def letter(*, to: str = ADA) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "clinic@example.org", to
    message["Subject"] = "Your appointment"
    message.set_content("See you on Monday.")
    return message


def deliver(mailbox: Mailbox, *, to: str = ADA, ca: Path | None = None) -> None:
    context = ssl.create_default_context(cafile=str(ca or mailbox.ca_file))
    with smtplib.SMTP("localhost", mailbox.port, timeout=5) as client:
        client.starttls(context=context)
        client.send_message(letter(to=to))


def test_a_mail_over_tls_is_kept_and_can_be_read(mailbox: Mailbox) -> None:
    deliver(mailbox)
    (kept,) = mailbox.letters()
    assert (kept.recipient, kept.subject) == (ADA, "Your appointment")
    assert "See you on Monday." in kept.body("plain")
    assert "ESMTPS" in kept.message["Received"]


def test_a_mail_in_clear_is_refused(mailbox: Mailbox) -> None:
    with (
        smtplib.SMTP("localhost", mailbox.port, timeout=5) as client,
        pytest.raises(smtplib.SMTPSenderRefused, match="530"),
    ):
        client.send_message(letter())
    assert mailbox.letters() == []


def test_a_client_that_does_not_know_the_authority_refuses_it(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    stranger = Mailbox(tmp_path / "stranger").ca_file
    with pytest.raises(ssl.SSLCertVerificationError):
        deliver(mailbox, ca=stranger)


def test_a_recipient_can_be_refused_for_good(mailbox: Mailbox) -> None:
    mailbox.behaviour.refuse_recipient[ADA] = "550 5.1.1 no such user"
    with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.1\.1"):
        deliver(mailbox)


def test_content_can_be_deferred(mailbox: Mailbox) -> None:
    mailbox.behaviour.refuse_content[ADA] = "451 4.3.0 come back later"
    with pytest.raises(smtplib.SMTPDataError, match=r"4\.3\.0"):
        deliver(mailbox)
    assert mailbox.letters() == []


def test_a_mail_can_be_kept_without_its_sender_hearing_so(mailbox: Mailbox) -> None:
    mailbox.behaviour.hang_up_after_keeping.add(ADA)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        deliver(mailbox)
    assert len(mailbox.letters()) == 1


def test_a_server_without_starttls_does_not_offer_it(mailbox: Mailbox) -> None:
    mailbox.behaviour.starttls = False
    with pytest.raises(smtplib.SMTPNotSupportedError):
        deliver(mailbox)


def test_pages_go_backwards_from_the_newest(mailbox: Mailbox) -> None:
    for name in ("first", "second", "third"):
        deliver(mailbox, to=f"{name}@example.org")
    newest = mailbox.store.newest(limit=2)
    assert [kept.recipient for kept in newest] == ["third@example.org", "second@example.org"]
    (oldest,) = mailbox.store.newest(limit=2, before=newest[-1].key)
    assert oldest.recipient == "first@example.org"


@pytest.mark.parametrize("key", ["../identity/server.key", "nothing", "0.0_0.attune"])
def test_a_key_that_was_never_given_out_opens_nothing(mailbox: Mailbox, key: str) -> None:
    with pytest.raises(KeyError):
        mailbox.store.read(key)
