"""Reading mail that came back: one kind a test, and the corpora where they are there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from messaging.bounces import Class, Kind, read
from tests.intake.builders import DATA

CORPUS = DATA / "bounces"

REPORT = """From: MAILER-DAEMON@mx.example
To: bounces@harbor.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

This is the mail system at host mx.example.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Original-Envelope-Id: 0123456789abcdef0123456789abcdef

Final-Recipient: rfc822; ada@example.org
Original-Recipient: rfc822;ada@example.org
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; {said}

--B
Content-Type: text/rfc822-headers

From: care@harbor.example
Message-ID: <sent@harbor.example>

--B--
"""
COMPLAINT = """From: feedback@provider.example
To: abuse@harbor.example
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an email abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1

--B
Content-Type: message/rfc822

From: care@harbor.example
To: [redacted]
Message-ID: <sent@harbor.example>

--B--
"""


def report(status: str, said: str, *, action: str = "failed") -> bytes:
    return REPORT.format(status=status, said=said, action=action).encode()


def plain(text: str, **headers: str) -> bytes:
    given = {"From": "someone@example.org", "Subject": "Hello"} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in given.items())
    return f"{head}\n{text}\n".encode()


@pytest.mark.parametrize(
    ("status", "said", "kind", "dead"),
    [
        ("5.1.1", "550 5.1.1 <ada@example.org>: User unknown", Class.USER_UNKNOWN, True),
        ("5.2.2", "552 5.2.2 Mailbox full", Class.MAILBOX_FULL, False),
        ("4.4.1", "connection timed out", Class.EXPIRED, False),
        ("5.7.1", "554 5.7.1 Client host blocked using zen.spamhaus.org", Class.BLOCKED, False),
        ("5.4.4", "550 5.4.4 Host not found", Class.HOST_UNKNOWN, True),
        ("5.7.26", "550 5.7.26 Multiple authentication checks failed", Class.AUTH_FAILURE, False),
    ],
)
def test_a_report_says_why_and_whether_anybody_is_there(
    status: str, said: str, kind: Class, dead: bool
) -> None:
    """EM-11"""
    verdict = read(report(status, said)).verdicts[0]
    assert (verdict.kind, verdict.dead) == (kind, dead)


def test_a_report_names_the_recipient_and_what_was_sent() -> None:
    heard = read(report("5.1.1", "550 5.1.1 User unknown"))
    assert heard.verdicts[0].recipient == "ada@example.org"
    assert heard.envelope_id == "0123456789abcdef0123456789abcdef"
    assert heard.message_ids[0] == "<sent@harbor.example>"


def test_a_delayed_mail_is_no_dead_address() -> None:
    verdict = read(report("4.0.0", "", action="delayed")).verdicts[0]
    assert (verdict.kind, verdict.dead) == (Class.EXPIRED, False)


def test_no_such_user_after_the_content_is_a_filters_word() -> None:
    said = "550 User unknown (in reply to end of DATA command)"
    assert read(report("5.0.0", said)).verdicts[0].kind is Class.FILTERED


def test_a_complaint_without_an_address_still_names_the_message() -> None:
    """EM-12"""
    heard = read(COMPLAINT.encode())
    assert (heard.kind, heard.message_ids) == (Kind.COMPLAINT, ("<sent@harbor.example>",))


@pytest.mark.parametrize(
    "raw",
    [
        plain("I am away.", Auto_Submitted="auto-replied (vacation)"),
        plain("Back on Monday.", Subject="Automatic reply: Class"),
        plain("Back on Monday.", X_Autoreply="yes"),
    ],
)
def test_an_automatic_answer_is_known(raw: bytes) -> None:
    assert read(raw).kind is Kind.AUTO_REPLY


def test_a_persons_answer_is_neither_bounce_nor_automatic() -> None:
    raw = plain("I cannot come on Monday.", In_Reply_To="<sent@harbor.example>")
    heard = read(raw)
    assert (heard.kind, heard.verdicts, heard.message_ids) == (
        Kind.OTHER,
        (),
        ("<sent@harbor.example>",),
    )


def test_evidence_holds_no_word_of_the_servers() -> None:
    verdict = read(report("5.1.1", "550 5.1.1 <ada@example.org> unknown")).verdicts[0]
    assert "ada" not in repr(verdict) + "".join(verdict.evidence)


@pytest.mark.parametrize("raw", [b"", b"\x00\xff" * 50, b"Content-Type: multipart/mixed\n\n--"])
def test_rubbish_has_an_answer(raw: bytes) -> None:
    assert read(raw).kind is Kind.OTHER


def _expected() -> list[dict[str, Any]]:
    if not CORPUS.exists():
        pytest.skip("the corpora of bounces are not on this machine")
    return [json.loads(line) for line in (CORPUS / "expected.jsonl").read_text().splitlines()]


def test_the_corpus_is_classified_and_live_addresses_live(
    record_property: Callable[[str, object], None],
) -> None:
    """EM-11: at least 85 % by class, at most 2 % of live addresses judged dead."""
    right: Counter[bool] = Counter()
    live: Counter[bool] = Counter()
    for row in _expected():
        verdicts = read((CORPUS / row["file"]).read_bytes()).verdicts
        for place, one in enumerate(row.get("expected", ())):
            got = verdicts[place] if place < len(verdicts) else None
            right[got is not None and got.kind == one["reason"]] += 1
            if not one["hard_bounce"]:
                live[got is not None and got.dead] += 1
    record_property("by class", f"{right[True]} of {right.total()}")
    record_property("live judged dead", f"{live[True]} of {live.total()}")
    assert right[True] / right.total() >= 0.85
    assert live[True] / live.total() <= 0.02


def test_older_bounces_name_whose_mail_failed(
    record_property: Callable[[str, object], None],
) -> None:
    rows = [row for row in _expected() if "expected_addresses" in row]
    found = 0
    for row in rows:
        verdicts = read((CORPUS / row["file"]).read_bytes()).verdicts
        wanted = {one.lower() for one in row["expected_addresses"]["addresses"]}
        found += {one.recipient.lower() for one in verdicts} == wanted
    record_property("addresses", f"{found} of {len(rows)}")
    assert found / len(rows) >= 0.75
