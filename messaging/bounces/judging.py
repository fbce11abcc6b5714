"""From a recipient's status, the server's words and the command they answered to a class. Pure.

The order is the meaning: what names a mailbox's state outright comes before what may be said of
sender or content, and "no such user" after the content was sent is a filter's word, not a proof
that nobody is there. A live address must not be judged dead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from messaging.bounces import phrases, statuses
from messaging.bounces.verdict import Class

EARLY = frozenset({"CONN", "EHLO", "HELO", "MAIL", "RCPT"})
"""Commands before the content: what they are answered with cannot be about the content."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one recipient's failure."""

    words: str = field(repr=False)
    status: str = ""
    reply: str = ""
    command: str = ""
    spec: str = ""
    action: str = ""
    hosts: tuple[str, ...] = ()

    @property
    def coded(self) -> Class | None:
        return statuses.class_of(self.status)


@dataclass(frozen=True, slots=True)
class Judged:
    kind: Class
    rule: str


def judge(facts: Facts) -> Judged:
    """Return the class and the name of the rule that gave it."""
    if facts.status.startswith("2") or (facts.action in ("delivered", "relayed", "expanded")):
        return Judged(Class.DELIVERED, "action")
    for rule, answer in _RULES:
        kind = answer(facts)
        if kind is not None:
            return Judged(kind, rule)
    coded = facts.words.strip() and (facts.status or facts.reply)
    return Judged(Class.ON_HOLD if coded else Class.UNDEFINED, "nothing_said")


def _outright(facts: Facts) -> Class | None:
    return phrases.said_outright(facts.words)


def _operator(facts: Facts) -> Class | None:
    who = phrases.operator_of(*facts.hosts)
    return who.meaning(facts.words) if who and facts.words else None


def _named(facts: Facts) -> Class | None:
    """Status codes and phrases that a mail server uses in its replies."""
    if facts.spec not in ("", "SMTP"):
        return None
    return next((kind for kind, holds in _REPLIES.items() if holds(facts)), None)


def _coded_or(kind: Class) -> Callable[[Facts], bool]:
    return lambda facts: facts.coded is kind or phrases.said(kind, facts.words)


def _phrase(kind: Class) -> Callable[[Facts], bool]:
    return lambda facts: phrases.said(kind, facts.words)


def _too_big(facts: Facts) -> bool:
    if facts.coded is Class.MESSAGE_TOO_BIG:
        return True
    return facts.coded is not Class.EXCEED_LIMIT and phrases.said(
        Class.MESSAGE_TOO_BIG, facts.words
    )


def _suspended(facts: Facts) -> bool:
    return facts.reply == "525" or phrases.said(Class.SUSPEND, facts.words)


def _no_relaying(facts: Facts) -> bool:
    if facts.command in ("CONN", "EHLO", "HELO"):
        return False
    return phrases.said(Class.NO_RELAYING, facts.words)


_NOT_ABOUT_THE_USER = (
    Class.NO_RELAYING,
    Class.BLOCKED,
    Class.MAILBOX_FULL,
    Class.HAS_MOVED,
    Class.REJECTED,
    Class.NOT_ACCEPT,
)


def _user_unknown(facts: Facts) -> bool:
    """A status that says so and words that do not deny it, or words in answer to RCPT."""
    if facts.coded is Class.SUSPEND:
        return False
    if facts.coded is Class.USER_UNKNOWN:
        return not any(_says(kind, facts.words) for kind in _NOT_ABOUT_THE_USER)
    return facts.command == "RCPT" and phrases.said(Class.USER_UNKNOWN, facts.words)


def _filtered(facts: Facts) -> bool:
    if facts.coded is Class.SUSPEND:
        return False
    if facts.coded is not Class.FILTERED and facts.command in EARLY:
        return False
    return any(phrases.said(one, facts.words) for one in (Class.FILTERED, Class.USER_UNKNOWN))


_NOT_THE_SENDER = ("5.1.0 address rejected", "recipient address rejected", "ip address rejected")


def _says(kind: Class, words: str) -> bool:
    if kind is Class.REJECTED and any(one in words for one in _NOT_THE_SENDER):
        return False
    return phrases.said(kind, words)


def _rejected(facts: Facts) -> bool:
    if facts.coded is Class.REJECTED:
        return True
    vague = (None, Class.ON_HOLD, Class.UNDEFINED, Class.SECURITY_ERROR, Class.SYSTEM_ERROR)
    asked = facts.command == "MAIL" or (
        facts.coded is not Class.USER_UNKNOWN if facts.command == "DATA" else facts.coded in vague
    )
    return asked and _says(Class.REJECTED, facts.words)


_NO_PROOF = (Class.NETWORK_ERROR, Class.NOT_ACCEPT)


def _host_unknown(facts: Facts) -> bool:
    if facts.coded is Class.HOST_UNKNOWN:
        return not any(phrases.said(one, facts.words) for one in _NO_PROOF)
    return phrases.said(Class.HOST_UNKNOWN, facts.words)


def _spam(facts: Facts) -> bool:
    if facts.coded is Class.SPAM_DETECTED:
        return True
    return facts.command not in EARLY and phrases.said(Class.SPAM_DETECTED, facts.words)


_REPLIES: Mapping[Class, Callable[[Facts], bool]] = {
    Class.MAILBOX_FULL: _coded_or(Class.MAILBOX_FULL),
    Class.MESSAGE_TOO_BIG: _too_big,
    Class.EXCEED_LIMIT: _coded_or(Class.EXCEED_LIMIT),
    Class.SUSPEND: _suspended,
    Class.HAS_MOVED: _phrase(Class.HAS_MOVED),
    Class.NO_RELAYING: _no_relaying,
    Class.AUTH_FAILURE: _coded_or(Class.AUTH_FAILURE),
    Class.USER_UNKNOWN: _user_unknown,
    Class.FILTERED: _filtered,
    Class.REQUIRE_PTR: _coded_or(Class.REQUIRE_PTR),
    Class.NOT_COMPLIANT: _phrase(Class.NOT_COMPLIANT),
    Class.BAD_REPUTATION: _phrase(Class.BAD_REPUTATION),
    Class.REJECTED: _rejected,
    Class.HOST_UNKNOWN: _host_unknown,
    Class.SPAM_DETECTED: _spam,
    Class.SPEEDING: _phrase(Class.SPEEDING),
    Class.TOO_MANY_CONNECTIONS: _coded_or(Class.TOO_MANY_CONNECTIONS),
    Class.BLOCKED: _coded_or(Class.BLOCKED),
}
_ANYWHERE = (
    Class.MAILBOX_FULL,
    Class.AUTH_FAILURE,
    Class.BAD_REPUTATION,
    Class.SPEEDING,
    Class.SPAM_DETECTED,
    Class.VIRUS_DETECTED,
    Class.POLICY_VIOLATION,
    Class.NO_RELAYING,
    Class.SYSTEM_ERROR,
    Class.NOT_ACCEPT,
    Class.NETWORK_ERROR,
    Class.SUSPEND,
    Class.CONTENT_ERROR,
    Class.SYSTEM_FULL,
    Class.FAILED_STARTTLS,
    Class.EXPIRED,
    Class.SECURITY_ERROR,
    Class.MAILER_ERROR,
)
_VAGUE = frozenset(
    {
        Class.UNDEFINED,
        Class.ON_HOLD,
        Class.SYSTEM_ERROR,
        Class.SECURITY_ERROR,
        Class.EXPIRED,
        Class.SUSPEND,
        Class.NETWORK_ERROR,
        Class.HOST_UNKNOWN,
        Class.USER_UNKNOWN,
    }
)
"""Classes of status codes that servers use for whatever has no code of its own."""


def _refined(facts: Facts) -> Class | None:
    """What the words say, where the code says too little."""
    coded = facts.coded
    if coded is not None and coded not in _VAGUE and facts.spec in ("", "SMTP"):
        return coded
    return next((kind for kind in _ANYWHERE if phrases.said(kind, facts.words)), None)


def _coded(facts: Facts) -> Class | None:
    if facts.reply in ("521", "556") and facts.coded is None:
        return Class.NOT_ACCEPT
    if facts.coded is not None:
        return facts.coded
    group = facts.status[2:3]
    if group == "6":
        return Class.CONTENT_ERROR
    if group == "7":
        return Class.SECURITY_ERROR
    return Class.MAILER_ERROR if facts.spec.startswith("X-UNIX") else None


def _by_reply(facts: Facts) -> Class | None:
    if facts.action in ("delayed", "expired"):
        return Class.EXPIRED
    if facts.command in ("EHLO", "HELO"):
        return Class.BLOCKED
    if facts.reply[:2] in ("40", "50") and "1" <= facts.reply[2:] <= "7":
        return Class.SYNTAX_ERROR
    return None


def _by_words(facts: Facts) -> Class | None:
    """Whatever any phrase says, where nothing else is left; never that nobody is there."""
    loose = (Class.USER_UNKNOWN, Class.FILTERED, Class.HOST_UNKNOWN, Class.REJECTED, Class.BLOCKED)
    return next((kind for kind in loose if _says(kind, facts.words)), None)


_RULES: tuple[tuple[str, Callable[[Facts], Class | None]], ...] = (
    ("outright", _outright),
    ("operator", _operator),
    ("reply", _named),
    ("words", _refined),
    ("status", _coded),
    ("command", _by_reply),
    ("any_words", _by_words),
)
