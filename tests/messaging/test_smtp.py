"""The SMTP client against a real server, and against a scripted one that breaks when told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from deploy.mailbox import Mailbox
from messaging.protect import Hop
from messaging.transports.base import Fate, Outcome, Outgoing
from messaging.transports.smtp import Relay, Smtp, dotted


def mails(*recipients: str) -> list[Outgoing]:
    return [
        Outgoing(number, "care@h.example", to, b"Subject: a\r\n\r\nbody\r\n", f"e{number}")
        for number, to in enumerate(recipients)
    ]


Connect = Callable[..., Smtp]


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[Connect]:
    """Make transports to the mailbox; each is closed in the end."""
    made: list[Smtp] = []

    def connect(**changed: Any) -> Smtp:
        facts: dict[str, Any] = {
            "host": "localhost",
            "port": mailbox.port,
            "ca_file": str(mailbox.ca_file),
            "patience": 5.0,
        }
        made.append(Smtp(Relay(**facts | changed)))
        return made[-1]

    yield connect
    for transport in made:
        transport.close()


def said(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [(one.fate.value, one.reply or one.code) for one in outcomes]


def test_mails_arrive_over_verified_tls_on_one_connection(mailbox: Mailbox, smtp: Connect) -> None:
    """EM-01"""
    transport = smtp()
    first = transport.send(mails("a@x.example", "b@x.example"))
    second = transport.send(mails("c@x.example"))
    transport.close()
    assert {one.fate for one in first + second} == {Fate.ACCEPTED}
    assert transport.hop is Hop.VERIFIED
    letters = mailbox.letters()
    assert [letter.recipient for letter in letters] == ["a@x.example", "b@x.example", "c@x.example"]
    assert all(b"with ESMTPS" in letter.raw for letter in letters)


def test_an_unknown_authority_gets_nothing(mailbox: Mailbox, smtp: Connect, tmp_path: Path) -> None:
    """EM-01"""
    other = Mailbox(tmp_path / "other")
    outcomes = smtp(ca_file=str(other.ca_file)).send(mails("a@x.example"))
    assert said(outcomes) == [("not_tried", "tls_unverified")]
    assert not mailbox.letters()


def test_a_wrong_name_gets_nothing(mailbox: Mailbox, smtp: Connect) -> None:
    """EM-01"""
    outcomes = smtp(server_name="mx.elsewhere.example").send(mails("a@x.example"))
    assert said(outcomes) == [("not_tried", "tls_unverified")]
    assert not mailbox.letters()


def test_a_server_without_starttls_gets_nothing(mailbox: Mailbox, smtp: Connect) -> None:
    """EM-01: stripped on the way, or never there; nothing goes in the clear."""
    mailbox.behaviour.starttls = False
    assert said(smtp().send(mails("a@x.example"))) == [("not_tried", "tls_unverified")]
    assert not mailbox.letters()


def test_same_host_is_for_this_host_only() -> None:
    with pytest.raises(ValueError, match="this machine"):
        Relay(host="mx.example", port=25, security="same_host")


def test_a_server_that_is_down_is_not_tried() -> None:
    outcomes = Smtp(Relay(host="127.0.0.1", port=1)).send(mails("a@x.example", "b@x.example"))
    assert said(outcomes) == [("not_tried", "connect_failed")] * 2


def test_each_recipient_has_an_answer_of_its_own(mailbox: Mailbox, smtp: Connect) -> None:
    """EM-09"""
    mailbox.behaviour.refuse_recipient = {
        "gone@x.example": "550 5.1.1 no such user",
        "busy@x.example": "451 4.3.0 later",
    }
    mailbox.behaviour.refuse_content = {"full@x.example": "552 5.2.2 full"}
    to = ("gone@x.example", "a@x.example", "busy@x.example", "full@x.example", "b@x.example")
    outcomes = sorted(smtp().send(mails(*to)), key=lambda one: one.number)
    assert said(outcomes)[:4:2] == [("rejected", "550 5.1.1"), ("deferred", "451 4.3.0")]
    assert said(outcomes)[3] == ("rejected", "552 5.2.2")
    assert [letter.recipient for letter in mailbox.letters()] == ["a@x.example", "b@x.example"]


def test_a_line_cut_after_the_dot_is_unclear_and_the_rest_is_not_tried(
    mailbox: Mailbox, smtp: Connect
) -> None:
    """EM-09"""
    mailbox.behaviour.hang_up_after_keeping = {"b@x.example"}
    outcomes = smtp().send(mails("a@x.example", "b@x.example", "c@x.example"))
    fates = {one.number: one.fate for one in outcomes}
    assert fates == {0: Fate.ACCEPTED, 1: Fate.UNCLEAR, 2: Fate.NOT_TRIED}
    assert len(mailbox.letters()) == 2


def test_a_broken_connection_is_opened_anew(mailbox: Mailbox, smtp: Connect) -> None:
    transport = smtp()
    mailbox.behaviour.hang_up_after_keeping = {"a@x.example"}
    transport.send(mails("a@x.example"))
    assert said(transport.send(mails("b@x.example")))[0][0] == "accepted"


@pytest.mark.parametrize("bad", ["a@x.example\r\nRCPT TO:<b@x.example>", "a b@x.example", "<a@b>"])
def test_an_address_cannot_carry_a_command(mailbox: Mailbox, smtp: Connect, bad: str) -> None:
    """EM-19"""
    assert said(smtp().send(mails(bad))) == [("rejected", "address_unusable")]
    assert not mailbox.letters()


def test_an_international_domain_goes_as_a_labels_and_the_local_part_as_it_is(
    mailbox: Mailbox,
    smtp: Connect,
) -> None:
    """EM-21, EM-22"""
    smtp().send(mails("Jo.Smith@müller.example"))
    assert mailbox.letters()[0].recipient == "Jo.Smith@xn--mller-kva.example"


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".a\r\n.\r\nb\r\n", b"..a\r\n..\r\nb\r\n.\r\n"),
    ],
)
def test_dots_are_doubled_and_the_last_one_stands_alone(data: bytes, wire: bytes) -> None:
    assert dotted(data) == wire


# A server that says exactly what the test wants


class Script:
    """Answers the lines of one connection, with PIPELINING and DSN, until told to hang up."""

    def __init__(self, *, extensions: str = "PIPELINING DSN SIZE", hang_up_after: str = "") -> None:
        self.extensions = extensions.split()
        self.hang_up_after = hang_up_after
        self.lines: list[str] = []

    def serve(self, connection: socket.socket) -> None:
        file = connection.makefile("rwb")
        file.write(b"220 ready\r\n")
        file.flush()
        in_data = False
        for raw in file:
            line = raw.decode().rstrip("\r\n")
            if not in_data or line == ".":
                self.lines.append(line)
            answer = self._answer(line, in_data=in_data)
            in_data = line == "DATA" or (in_data and line != ".")
            if self.hang_up_after and line.startswith(self.hang_up_after):
                return
            if answer:
                file.write(answer)
                file.flush()

    def _answer(self, line: str, *, in_data: bool) -> bytes:
        if in_data:
            return b"250 2.0.0 kept\r\n" if line == "." else b""
        if line.startswith("EHLO"):
            words = ["250-scripted", *(f"250-{word}" for word in self.extensions), "250 HELP"]
            return "\r\n".join(words).encode() + b"\r\n"
        if line == "DATA":
            return b"354 go on\r\n"
        if line.startswith("RCPT TO:<gone"):
            return b"550 5.1.1 gone\r\n"
        return b"250 2.1.0 fine\r\n"


@contextmanager
def scripted(script: Script) -> Iterator[Smtp]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                script.serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        transport = Smtp(
            Relay("127.0.0.1", server.getsockname()[1], security="same_host", patience=5)
        )
        yield transport
        transport.close()
        thread.join(5)


def test_a_bounce_is_asked_to_bring_headers_only() -> None:
    """EM-08"""
    script = Script()
    with scripted(script) as transport:
        transport.send(mails("a+b@x.example"))
    assert script.lines[1] == "MAIL FROM:<care@h.example> SIZE=20 RET=HDRS ENVID=e0"
    assert script.lines[2] == (
        "RCPT TO:<a+b@x.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb@x.example"
    )


def test_what_the_server_does_not_offer_is_not_asked() -> None:
    """EM-08"""
    script = Script(extensions="")
    with scripted(script) as transport:
        assert said(transport.send(mails("a@x.example", "b@x.example")))[1][0] == "accepted"
    assert script.lines[1] == "MAIL FROM:<care@h.example>"


def test_a_non_ascii_address_needs_smtputf8() -> None:
    """EM-21"""
    with scripted(Script()) as transport:
        assert said(transport.send(mails("jö@x.example"))) == [("rejected", "smtputf8_required")]


def test_a_refused_recipient_between_pipelined_mails_leaves_the_others_whole() -> None:
    script = Script()
    with scripted(script) as transport:
        outcomes = transport.send(mails("a@x.example", "gone@x.example", "b@x.example"))
    fates = {one.number: one.fate for one in outcomes}
    assert fates == {0: Fate.ACCEPTED, 1: Fate.REJECTED, 2: Fate.ACCEPTED}


@pytest.mark.parametrize(
    ("where", "fate"),
    [("MAIL", Fate.NOT_TRIED), ("DATA", Fate.NOT_TRIED), (".", Fate.UNCLEAR)],
)
def test_a_cut_before_the_dot_is_not_tried_and_after_it_unclear(where: str, fate: Fate) -> None:
    """EM-09: the one thing that may never be wrong."""
    with scripted(Script(hang_up_after=where)) as transport:
        assert [one.fate for one in transport.send(mails("a@x.example"))] == [fate]
