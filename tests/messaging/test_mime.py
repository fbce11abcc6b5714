from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import mime

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def mail(**changed: Any) -> mime.Mail:
    plain: dict[str, Any] = {
        "sender_name": "Harbor Clinic",
        "sender": "care@harbor.example",
        "recipient": "Jo.Smith@example.org",
        "subject": "News",
        "html": "<p>Hello</p>",
        "text": "Hello",
        "message_id": "<1@harbor.example>",
        "at": AT,
        "boundary": "edge",
        "extra": {},
    }
    return mime.Mail(**plain | changed)


def raw(**changed: Any) -> bytes:
    made = mail(**changed)
    return mime.whole(mime.headers(made), mime.body(made))


def parsed(**changed: Any) -> EmailMessage:
    message = email.message_from_bytes(raw(**changed), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_both_parts_read_back() -> None:
    message = parsed(html="<p>ö</p>" * 999, text="ö\nb")
    plain, html = message.iter_parts()
    assert message.get_content_type() == "multipart/alternative"
    assert plain.get_content() == "ö\r\nb\r\n"
    assert html.get_content() == "<p>ö</p>" * 999
    assert not message.defects


def test_the_headers_that_rfc_5322_demands_are_there_once() -> None:
    """EM-19"""
    message = parsed()
    for name in ("Date", "From", "Message-ID", "To", "Subject", "MIME-Version"):
        assert len(message.get_all(name, [])) == 1, name


@pytest.mark.parametrize("field", ["sender_name", "sender", "recipient", "subject", "message_id"])
@pytest.mark.parametrize("ending", ["\r\nBcc: a@b.example", "\nX: y", "\x00", "\r"])
def test_a_header_cannot_be_injected(field: str, ending: str) -> None:
    """EM-19"""
    with pytest.raises(mime.HeaderRefused):
        raw(**{field: getattr(mail(), field) + ending})


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(mime.HeaderRefused) as caught:
        raw(recipient="secret@x.example\r\n")
    assert "secret" not in str(caught.value)


def test_a_long_thai_subject_decodes_and_no_word_is_longer_than_75() -> None:
    """EM-20"""
    subject = "สวัสดีค่ะคุณ" * 20
    lines = raw(subject=subject).split(b"\r\n")
    words = [word for line in lines for word in line.split() if word.startswith(b"=?")]
    assert max(map(len, words)) <= 75
    assert parsed(subject=subject)["Subject"] == subject


@pytest.mark.parametrize(
    "name", ['Harbor, "Clinic" & Sons', "Dr. No", "Clínica Ñ", "plain", "=?x?="]
)
def test_a_display_name_comes_back_as_it_was(name: str) -> None:
    """EM-20"""
    address = parsed(sender_name=name)["From"].addresses[0]
    assert isinstance(address, Address)
    assert (address.display_name, address.addr_spec) == (name, "care@harbor.example")


def test_the_local_part_keeps_its_case() -> None:
    """EM-22"""
    assert b"To: Jo.Smith@example.org\r\n" in raw()


def test_no_line_is_longer_than_998_bytes() -> None:
    """EM-19"""
    message = raw(html="x" * 5000, text="y" * 5000, subject="word " * 100)
    assert max(map(len, message.split(b"\r\n"))) <= 998


def test_a_header_without_a_blank_to_fold_at_is_refused() -> None:
    with pytest.raises(mime.HeaderRefused):
        raw(extra={"List-Unsubscribe": "<https://h.example/" + "a" * 1200 + ">"})


@given(st.binary(max_size=500))
def test_base64_lines_decode_and_are_76_long(content: bytes) -> None:
    encoded = mime.base64_lines(content)
    lines = encoded.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert __import__("base64").b64decode(encoded) == content


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_body_is_its_own_relaxed_form(html: str, text: str) -> None:
    """What DKIM's relaxed canonicalisation would change is not there to be changed."""
    try:
        content = mime.body(mail(html=html, text=text))
    except UnicodeEncodeError:  # a lone surrogate is no text
        return
    assert b"  " not in content
    assert b" \r\n" not in content
    assert not content.endswith(b"\r\n\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")
