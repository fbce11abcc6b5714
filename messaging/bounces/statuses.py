"""Status codes (RFC 3463) and SMTP reply codes: found in text, and what they mean."""

from __future__ import annotations

import re

from messaging.bounces.verdict import Class

_BY_CLASS: dict[Class, str] = {
    Class.DELIVERED: "2.1.5",
    Class.HAS_MOVED: "4.1.6 5.1.6 5.7.17 5.7.18",
    Class.REJECTED: "4.1.7 4.1.8 5.1.7 5.1.8",
    Class.SYSTEM_ERROR: "4.1.9 4.3.3 4.3.5 4.4.3 4.5.3 4.5.5 5.1.9 5.3.0 5.3.3 5.3.5 5.4.3 5.5.4"
    " 5.5.5",
    Class.SUSPEND: "4.2.1 5.7.13",
    Class.MAILBOX_FULL: "4.2.2 5.2.2",
    Class.EXCEED_LIMIT: "4.2.3 5.2.3",
    Class.FILTERED: "4.2.4 5.1.4 5.2.0 5.2.1 5.2.4",
    Class.SYSTEM_FULL: "4.3.1 4.4.5 5.3.1",
    Class.NOT_ACCEPT: "4.3.2 5.1.10 5.3.2 5.7.27",
    Class.NETWORK_ERROR: "4.4.2 4.4.4 4.4.6 4.4.8 5.4.0",
    Class.EXPIRED: "4.4.1 4.4.7",
    Class.CONTENT_ERROR: "4.6.0 4.6.2 4.6.5 5.6.0 5.6.1 5.6.2 5.6.3 5.6.5 5.6.6 5.6.7 5.6.8 5.6.9",
    Class.SECURITY_ERROR: "4.7.5 4.7.6 4.7.7 4.7.12 4.7.15 5.7.0 5.7.1 5.7.2 5.7.3 5.7.4 5.7.5"
    " 5.7.6 5.7.7 5.7.8 5.7.9 5.7.10 5.7.11 5.7.14 5.7.15 5.7.19 5.7.30",
    Class.BLOCKED: "4.7.1 4.7.2",
    Class.MESSAGE_TOO_BIG: "4.7.16 5.3.4 5.7.16",
    Class.AUTH_FAILURE: "4.7.24 5.7.20 5.7.21 5.7.22 5.7.23 5.7.24 5.7.26 5.7.29",
    Class.REQUIRE_PTR: "4.7.25 5.7.25",
    Class.USER_UNKNOWN: "5.1.0 5.1.1 5.1.3",
    Class.HOST_UNKNOWN: "5.1.2 5.4.4",
    Class.SYNTAX_ERROR: "5.5.2 5.5.6",
    Class.TOO_MANY_CONNECTIONS: "5.5.3",
    Class.SPAM_DETECTED: "5.7.28",
}
_CLASS_OF = {code: kind for kind, codes in _BY_CLASS.items() for code in codes.split()}
_STATUS = re.compile(r"(?<![\d.vV])([245])\.([0-7])\.(\d{1,3})(?![\d.]*\d)")
_REPLY = re.compile(r"(?<![\d.#:/-])([2345][0-5]\d)(?=[ \-#:;,.<]|$)")


def class_of(status: str) -> Class | None:
    return _CLASS_OF.get(status)


def find(words: str) -> str:
    """Return the most telling status code in the text: the first that says more than x.0.0."""
    found = [match[0] for match in _STATUS.finditer(words)]
    telling = [one for one in found if not one.endswith(".0.0") and one != "4.4.7"]
    precise = [one for one in telling if not one.endswith(".0")]
    return next(iter(precise or telling or found), "")


def find_reply(words: str, status: str = "") -> str:
    """Return the SMTP reply code in the text; one that agrees with the status comes first."""
    found = [match[1] for match in _REPLY.finditer(words)]
    agreeing = [one for one in found if one[0] == status[:1]]
    failing = [one for one in found if one[0] in "45"]
    return next(iter(agreeing or failing), "")


def better(field: str, words: str, reply: str) -> str:
    """Return which of two codes says more: that of the field, or that in the server's words."""
    if not (field and words):
        return field or words
    if reply and field[0] != words[0]:
        return field if field[0] == reply[0] else words
    if field.endswith(".0.0") or field == "4.4.7":
        return words
    if field[2:4] == "0." and words[2:4] != "0.":
        return words
    if words.endswith(".0.0"):
        return field
    if field.endswith(".0") or words[:3] == field[:3] or words in ("5.1.1", "5.2.2"):
        return words
    return field
