"""Say what a mail that came back means: whose fate it tells, and by what. Pure."""

from __future__ import annotations

import re
from email.utils import getaddresses

from messaging.bounces import judging, prose, replies, statuses
from messaging.bounces.judging import Facts
from messaging.bounces.parts import Parts, fields, take_apart
from messaging.bounces.prose import Told
from messaging.bounces.verdict import Class, Heard, Kind, Verdict

MOST_RECIPIENTS = 100
_MESSAGE_ID = re.compile(r"(?im)^(?:x-)?(?:original-)?message-id\s*:\s*(<[^<>\s]{3,250}>)")
_ANY_ID = re.compile(r"<[^<>\s@]{3,200}@[^<>\s@]{1,200}>")


def read(raw: bytes) -> Heard:
    """Read the bytes of a mail; whatever they are, there is an answer and no exception."""
    parts = take_apart(raw)
    if parts.feedback:
        return _complaint(parts)
    if replies.is_automatic(parts):
        return _heard(Kind.AUTO_REPLY, parts, (Verdict(Class.VACATION, evidence=("auto_reply",)),))
    told = _told(parts)
    if not told:
        if replies.sounds_automatic(parts):
            verdict = Verdict(Class.VACATION, evidence=("auto_words",))
            return _heard(Kind.AUTO_REPLY, parts, (verdict,))
        return _heard(Kind.OTHER, parts, ())
    return _heard(Kind.BOUNCE, parts, tuple(_verdict(one) for one in told[:MOST_RECIPIENTS]))


def _told(parts: Parts) -> list[Told]:
    return prose.from_report(parts) or prose.from_text(parts)


def _verdict(told: Told) -> Verdict:
    found = statuses.find(told.words)
    reply = statuses.find_reply(told.words, found or told.status)
    status = statuses.better(told.status, found, reply)
    hosts = (told.remote, told.recipient.rpartition("@")[2].lower())
    facts = Facts(plain(told.words), status, reply, told.command, told.spec, told.action, hosts)
    judged = judging.judge(facts)
    evidence = (judged.rule, told.source, *filter(None, (status, reply, told.command)))
    return Verdict(
        judged.kind,
        told.recipient,
        told.original,
        status,
        reply,
        told.action,
        told.remote,
        evidence,
    )


def of_reply(words: str, *, recipient: str = "") -> Verdict:
    """Return what a mail server's reply means that somebody else was given and passed on."""
    return _verdict(Told(recipient, words, source="provider"))


_AGAIN = re.compile(r"(?<=\S) [245]\d\d[- ](?:[245]\.\d+\.\d+ )?(?=\S)")


def plain(words: str) -> str:
    """Return a reply in lower case on one line, without the codes that begin its other lines."""
    line = re.sub(r"\s+", " ", words.lower()).strip()
    first = re.match(r"(?:smtp; ?)?[245]\d\d[- ]", line)
    if not first:
        return line
    return line[: first.end()] + _AGAIN.sub(" ", line[first.end() :])


def _complaint(parts: Parts) -> Heard:
    said = fields(parts.feedback)
    kind = said.get("feedback-type", "abuse").lower()
    named = re.findall(r"(?im)^original-rcpt-to\s*:\s*(.+)$", parts.feedback)
    returned = fields(parts.returned)
    people = named or [address for _, address in getaddresses([returned.get("to", "")])]
    verdicts = tuple(
        Verdict(Class.FEEDBACK, prose.address_in(one), evidence=("feedback_report", kind))
        for one in people[:MOST_RECIPIENTS] or [""]
    )
    return _heard(Kind.COMPLAINT, parts, verdicts, feedback_type=kind)


def _heard(
    kind: Kind, parts: Parts, verdicts: tuple[Verdict, ...], *, feedback_type: str = ""
) -> Heard:
    named = fields(parts.report).get("original-envelope-id", "")
    senders = getaddresses([parts.header("From")])
    return Heard(
        kind,
        verdicts,
        feedback_type,
        named or fields(parts.feedback).get("original-envelope-id", ""),
        _message_ids(parts),
        _came_to(parts),
        senders[0][1] if senders else "",
        parts.header("Message-ID").strip(),
        written(parts.text) if kind is Kind.OTHER else "",
    )


_QUOTED = re.compile(r"(?m)^(?:>|-{2,} ?original message|on .{5,200} wrote: *$|_{10,})", re.I)


def written(text: str) -> str:
    """Return what stands above the quoted mail."""
    quoted = _QUOTED.search(text)
    return (text[: quoted.start()] if quoted else text).strip()[:4_000]


def _message_ids(parts: Parts) -> tuple[str, ...]:
    """Return what names the mail that came back: its own header first, then references."""
    answered = f"{parts.header('In-Reply-To')} {parts.header('References')}"
    found = [
        *_MESSAGE_ID.findall(parts.returned),
        *_MESSAGE_ID.findall(parts.report),
        *_MESSAGE_ID.findall(parts.text),
        *_ANY_ID.findall(answered),
    ]
    return tuple(dict.fromkeys(found))[:20]


def _came_to(parts: Parts) -> tuple[str, ...]:
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
    values = [str(value) for name in names for value in parts.headers.get_all(name, [])]
    return tuple(dict.fromkeys(address for _, address in getaddresses(values) if address))[:20]
