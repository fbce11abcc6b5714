"""Find whose mail failed and in which words: in a report's fields, or in what a person would read.

Mail servers that do not send a report (RFC 3464) write prose, each its own. What they have in
common is that an address stands first on its line or after a few known words, and that the reason
follows it until the next address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import getaddresses

from messaging.bounces.parts import Parts, fields

ADDRESS = r"[^\s<>()\[\]{},;:\"'|/\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(ADDRESS)
MOST_WORDS = 4_000


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient, and everything that was said of the failure."""

    recipient: str = field(repr=False)
    words: str = field(repr=False)
    status: str = ""
    action: str = ""
    spec: str = ""
    command: str = ""
    remote: str = ""
    original: str = field(default="", repr=False)
    source: str = "text"


def address_in(value: str) -> str:
    """Return the address in a field such as `rfc822; <a@b.example>`, or nothing."""
    found = _ADDRESS.search(value.partition(";")[2] or value)
    return found[0].rstrip(".") if found else ""


# A report for machines


def from_report(parts: Parts) -> list[Told]:
    groups = [fields(block) for block in _groups(parts.report)]
    found = [
        _reported(group, parts)
        for group in groups
        if "final-recipient" in group or "original-recipient" in group
    ]
    return [one for one in found if one.recipient]


def _groups(report: str) -> Iterator[str]:
    """Yield each recipient's fields; careless servers leave out the blank line between them."""
    for block in re.split(r"\n[ \t]*\n", report):
        starts = [one.start() for one in re.finditer(r"(?im)^final-recipient *:", block)]
        if len(starts) < 2:
            yield block
            continue
        for start, end in zip(starts, [*starts[1:], len(block)], strict=True):
            yield block[start:end]


def _reported(group: dict[str, str], parts: Parts) -> Told:
    final = group.get("final-recipient") or group.get("x-actual-recipient", "")
    original = address_in(group.get("original-recipient", ""))
    recipient = address_in(final) or original
    spec, _, said = group.get("diagnostic-code", "").partition(";")
    if not said:
        spec, said = "", spec
    said = said.strip()
    transcript = _about(recipient, parts.text)
    words = _continued(said, parts.text) if _tells(said) else f"{said}\n{transcript}".strip()
    return Told(
        recipient,
        words[:MOST_WORDS],
        _status(group.get("status", "")),
        group.get("action", "").split(" ")[0].lower(),
        "" if spec.strip().lower() in ("unknown", "") else spec.strip().upper(),
        command_in(said) or command_in(transcript),
        _host(group.get("remote-mta", "")),
        original,
        "report",
    )


def _continued(said: str, text: str) -> str:
    """Return a diagnosis with the further lines of the same reply, which some servers cut off."""
    begun = re.match(r"([45]\d\d)-", said)
    if begun is None:
        return said
    lines = re.findall(rf"(?m)^\s*<+\s*({begun[1]}[- ].*)$", text)
    return "\n".join([said, *lines])


def _status(value: str) -> str:
    found = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})", value)
    return found[1] if found else ""


def _host(value: str) -> str:
    name = value.partition(";")[2] or value
    return name.strip().split(" ")[0].strip("[]().").lower()


def _tells(said: str) -> bool:
    """Say whether a diagnosis is more than a bare code."""
    return len(re.sub(r"[\d\s.\-#();:]|smtp", "", said.lower())) > 8


def _about(recipient: str, text: str) -> str:
    """Return what the text says of this recipient: the whole, where it names nobody else."""
    others = {one.lower() for one in _ADDRESS.findall(text)} - {recipient.lower()}
    if not others:
        return text.strip()
    for address, words in _paragraphs(text):
        if address.lower() == recipient.lower():
            return words
    return text.strip() if recipient.lower() in text.lower() else ""


_COMMANDS = (
    (r"in reply to (?:the )?end of data|in reply to (?:the )?data", "DATA"),
    (r"in reply to (?:the )?rcpt", "RCPT"),
    (r"in reply to (?:the )?mail from", "MAIL"),
    (r"in reply to (?:the )?(?:helo|ehlo)", "EHLO"),
    (r"after rcpt to|our rcpt to|to rcpt to|\[rcpt_to\]|following rcpt|rcpt to response", "RCPT"),
    (
        r"after mail from|our mail from|\[mail_from\]|following mail from|sender was rejected",
        "MAIL",
    ),
    (r"after (?:end of data|data|pipelined data)|for text command|our data|final dot", "DATA"),
    (r"after initial connection|refused to talk to me|but greeting failed", "CONN"),
    (r"after (?:helo|ehlo)|but my name was rejected", "EHLO"),
    (r"does not like recipient|recipient was rejected|rejected recipient", "RCPT"),
    (r"but connection died|failed after i sent the message", "DATA"),
)
_SENT = re.compile(r"(?im)^\s*>+\s*(rcpt|mail|data|helo|ehlo|\.|quit)\b.*$")
_COMMAND_LINE = re.compile(r"(?im)^-+\s*smtp command\s*\n\s*(\w+)")


def command_in(words: str) -> str:
    """Return the SMTP command whose answer the words are, if they say so."""
    low = re.sub(r"\s+", " ", words.lower())
    for pattern, command in _COMMANDS:
        if re.search(pattern, low):
            return command
    named = _COMMAND_LINE.search(words)
    if named:
        return named[1].upper()
    return _last_sent(words)


def _last_sent(words: str) -> str:
    """Return the command before the first refusal in a session's transcript."""
    last = ""
    for line in words.splitlines():
        sent = _SENT.match(line)
        if sent:
            last = sent[1].upper()
        elif last and re.match(r"\s*<+\s*[45]\d\d", line):
            return "DATA" if last == "." else last
    return ""


# Prose

_STARTS = re.compile(
    rf"(?m)^[ \t>*-]*(?:to[ :]+|rcpt to[ :]+|recipient[ :]+|undeliverable address[ :]+|"
    rf"user[ :]+)?\"?<?(?P<who>{ADDRESS})>?\"?(?=[ \t:;,.\[]|$)(?P<rest>.*)$",
    re.IGNORECASE,
)
_NAMED = (
    rf"(?:delivering your (?:mail|message) to|could not be delivered to|can(?:not|'t) be delivered"
    rf" to|delivery failed \d+ attempts|originally addressed to|undeliverable address|unknown user"
    rf"|user mailbox exceeds allowed size|delivery (?:to the following recipients? )?failed[^@\n]*"
    rf"|failed recipients?|rcpt to|your message was addressed|account (?:is )?(?:unknown|disabled)"
    rf"|no such user|mail(?:box)? to|invalid recipients?|recipient)\s*[:,]?\s*\"?<?({ADDRESS})",
    rf"<({ADDRESS})>",
    rf"({ADDRESS})",
)
_FAILURE_WORDS = re.compile(
    r"undeliver|could not be (?:delivered|sent)|(?:was|were) not delivered"
    r"|not (?:yet )?been deliver|delivery (?:failed|failure|to the following|problem|error"
    r"|notification|status)"
    r"|fail(?:ed|ure) (?:to deliver|notice|delivery)|unable to deliver|can(?:no|')t (?:be )?deliver"
    r"|returned (?:mail|to sender)|permanent(?: fatal)? error|mail error|non-?deliver"
    r"|error (?:delivering|message below|has occurred)|did not (?:reach|receive)|user unknown"
    r"|unknown (?:user|recipient)|not found|rejected|bounced|mailbox (?:is )?full|over quota"
    r"|exceeds allowed size|account is disabled|no such user|wasn't able to deliver"
    r"|message (?:status|not delivered)|delayed",
    re.IGNORECASE,
)
_DAEMON = re.compile(
    r"mailer[-_ .]?daemon|postmaster|mail ?delivery|delivery subsystem|mail administrator"
    r"|<>|mail[-_ ]?system|bounce|double-bounce|daemon",
    re.IGNORECASE,
)


def from_text(parts: Parts) -> list[Told]:
    if not _is_failure(parts):
        return []
    named = _failed_recipients(parts)
    text = parts.text
    found = {who.lower(): (who, words) for who, words in reversed(list(_paragraphs(text)))}
    ours = _not_theirs(parts)
    told = [(who, words) for key, (who, words) in reversed(found.items()) if key not in ours]
    if named:
        known = {who.lower(): words for who, words in told}
        told = [(who, known.get(who.lower(), text)) for who in named]
    told = _without_asides(told) or _looked_for(text, ours) or _addressed(parts)
    if len(told) == 1:
        told = [(told[0][0], text)]
    return [_said(who, words, text) for who, words in told]


def _is_failure(parts: Parts) -> bool:
    subject, sender = parts.header("Subject"), parts.header("From")
    if parts.header("X-Failed-Recipients"):
        return True
    if parts.headers.get_content_type() == "multipart/report":
        return True
    path = parts.header("Return-Path").strip()
    daemon = bool(_DAEMON.search(sender)) or path == "<>"
    spoken = bool(_FAILURE_WORDS.search(parts.text) or _FAILURE_WORDS.search(subject))
    return spoken and (daemon or bool(parts.returned))


def _failed_recipients(parts: Parts) -> list[str]:
    listed = [str(value) for value in parts.headers.get_all("X-Failed-Recipients", [])]
    return list(dict.fromkeys(address for _, address in getaddresses(listed) if "@" in address))


def _not_theirs(parts: Parts) -> set[str]:
    """Return addresses that are the server's or ours, not the failing recipient's."""
    values = [str(parts.headers.get(name, "")) for name in ("From", "To", "Reply-To")]
    return {address.lower() for _, address in getaddresses(values)}


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Yield each address that begins a line, with all that is said up to the next one."""
    starts: list[re.Match[str]] = []
    for start in _STARTS.finditer(text):
        if not starts or starts[-1]["who"].lower() != start["who"].lower():
            starts.append(start)
    for place, start in enumerate(starts):
        end = starts[place + 1].start() if place + 1 < len(starts) else len(text)
        yield start["who"].rstrip("."), (start["rest"] + text[start.end() : end]).strip()


def _without_asides(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out the server's own people, where there are others."""
    others = [one for one in told if not _DAEMON.search(one[0])]
    return others or told


def _looked_for(text: str, ours: set[str]) -> list[tuple[str, str]]:
    for pattern in _NAMED:
        found = dict.fromkeys(
            match[1].rstrip(".")
            for match in re.finditer(pattern, text, re.IGNORECASE)
            if match[1].lower() not in ours
        )
        people = _without_asides([(who, text) for who in found])
        if people:
            return people
    return []


def _addressed(parts: Parts) -> list[tuple[str, str]]:
    """Return to whom the returned mail was addressed, where nobody is named."""
    returned = fields(parts.returned)
    to = getaddresses([returned.get("to", "")])
    return [(address, parts.text) for _, address in to if "@" in address]


def _said(who: str, words: str, text: str) -> Told:
    session = f"{words}\n{text}" if len(words) < 40 and words not in text[:40] else words
    spoken = words if _tells(words) else text
    remote = re.search(
        r"(?i)(?:while talking to|host|server|connected to)\s+([a-z0-9][a-z0-9.-]+\.[a-z]{2,})\b",
        session,
    )
    delayed = bool(
        re.search(r"(?i)\bnot yet been delivered|\bstill being retried|warning only", text)
    )
    return Told(
        who,
        spoken[:MOST_WORDS],
        command=command_in(session) or command_in(text),
        remote=remote[1].lower() if remote else "",
        action="delayed" if delayed else "",
    )
