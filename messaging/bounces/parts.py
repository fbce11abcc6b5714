"""Take a mail apart: what was written to us, the report for machines, and what is given back.

Bounces are often broken mail: boundaries that do not match, parts of the wrong type, a returned
mail pasted into text. Nothing here fails on that; what cannot be read is left out.
"""

from __future__ import annotations

import binascii
import email
import quopri
import re
from dataclasses import dataclass, field
from email.header import decode_header
from email.message import Message

MOST = 5_000_000
"""Bytes that are looked at; a bounce says what it has to say at the beginning."""


@dataclass(slots=True)
class Parts:
    headers: Message = field(repr=False)
    text: str = field(default="", repr=False)
    """What a person would read, up to where the returned mail begins."""
    report: str = field(default="", repr=False)
    """message/delivery-status, as text."""
    feedback: str = field(default="", repr=False)
    """message/feedback-report, as text."""
    returned: str = field(default="", repr=False)
    """The returned mail or its headers."""

    def header(self, name: str) -> str:
        return decoded(str(self.headers.get(name, "")))


def take_apart(raw: bytes) -> Parts:
    message = email.message_from_bytes(raw[:MOST].replace(b"\x00", b""))
    parts = Parts(message)
    for part in _leaves(message):
        _sort(part, parts)
    _cut(parts)
    _rescue(parts, raw[:MOST])
    return parts


def _leaves(message: Message) -> list[Message]:
    """Return the parts, without going into what a report or a returned mail is made of."""
    kind = message.get_content_type()
    payload = message.get_payload()
    if kind.startswith("message/") or not isinstance(payload, list):
        return [message]
    return [leaf for part in payload if isinstance(part, Message) for leaf in _leaves(part)]


def _sort(part: Message, parts: Parts) -> None:
    kind, text = part.get_content_type(), content(part)
    if kind in ("message/delivery-status", "message/global-delivery-status"):
        parts.report += "\n\n" + text
    elif kind == "message/feedback-report":
        parts.feedback += text
    elif kind in ("message/rfc822", "text/rfc822-headers", "message/global", "message/partial"):
        parts.returned = parts.returned or text
    elif kind == "text/html":
        parts.text = parts.text or _stripped(text)
    elif kind.startswith("text/"):
        parts.text += text + "\n"


def content(part: Message) -> str:
    """Return a part as text, its transfer encoding undone even where the standard forbids one."""
    payload = part.get_payload()
    if isinstance(payload, list):
        text = "\n".join(str(one) for one in payload)
        return _undone(text, str(part.get("Content-Transfer-Encoding", "")))
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    return _as_text(raw, str(part.get_content_charset() or "utf-8"))


def _as_text(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset, "replace").replace("\r\n", "\n")
    except LookupError:
        return raw.decode("latin-1").replace("\r\n", "\n")


def _undone(text: str, encoding: str) -> str:
    encoding = encoding.strip().lower()
    if encoding == "quoted-printable":
        return quopri.decodestring(text.encode()).decode("utf-8", "replace")
    if encoding == "base64":
        try:
            return binascii.a2b_base64(text.encode()).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return text
    return text


def _stripped(html: str) -> str:
    text = re.sub(r"(?is)<(style|script|head)\b.*?</\1>", " ", html)
    return re.sub(r"<[^<>@]{1,2000}>", " ", text)


_BEGINS = re.compile(
    r"(?im)^[ \t>*-]*(?:"
    r"-{2,}\s*(?:below this line is (?:the (?:header|original)|a copy)|this is a copy of|"
    r"(?:the )?(?:header of |text of )?(?:the )?(?:original|undelivered|unsent|returned) "
    r"(?:message|mail)|original message|unsent message|message header|returned message|"
    r"enclosed are|copy of message|begin message)"
    r"|(?:below|here|this|following|enclosed) is (?:a|the) (?:copy|first)"
    r"|(?:the )?(?:text|header|body)s? of (?:the |your )?(?:original |failed )?message"
    r"|(?:original|returned|your original|your) message (?:follows|headers?|text|header)"
    r"|message (?:header|text) (?:follows|is)"
    r"|received: from .{3,200}|return-path: *<"
    r"|content-type: *(?:message/rfc822|text/rfc822-headers)"
    r").*$"
)


def _cut(parts: Parts) -> None:
    """Part what was written to us from the mail pasted below it."""
    begins = _BEGINS.search(parts.text)
    if begins is None:
        return
    parts.returned = parts.returned or parts.text[begins.start() :]
    parts.text = parts.text[: begins.start()]


def _rescue(parts: Parts, raw: bytes) -> None:
    """Find a report that broken MIME or a careless sender left in the text."""
    if parts.report or not re.search(rb"(?im)^final-recipient\s*:", raw):
        return
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    found = re.search(r"(?im)^(?:reporting-mta|final-recipient|original-recipient)\s*:", text)
    if found:
        ends = re.search(
            r"(?im)^(?:content-type: *(?:message/rfc822|text/rfc822)|received:)",
            text[found.start() :],
        )
        parts.report = text[found.start() : found.start() + ends.start() if ends else None]


def fields(block: str) -> dict[str, str]:
    """Return the first value of each header-like field of a block, names in lower case."""
    found: dict[str, str] = {}
    for match in re.finditer(
        r"(?m)^([A-Za-z][A-Za-z0-9-]{1,40})[ \t]*:[ \t]*(.*(?:\n[ \t]+.*)*)", block
    ):
        found.setdefault(match[1].lower(), re.sub(r"\s+", " ", match[2]).strip())
    return found


def decoded(value: str) -> str:
    """Return a header's words with RFC 2047 undone."""
    if "=?" not in value:
        return re.sub(r"\s+", " ", value)
    try:
        return "".join(
            _as_text(raw, charset or "utf-8") if isinstance(raw, bytes) else raw
            for raw, charset in decode_header(value)
        )
    except (ValueError, binascii.Error):
        return value
