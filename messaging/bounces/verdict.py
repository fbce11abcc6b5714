"""What a mail that came back means. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Class(StrEnum):
    """Why a mail was not taken. The names are those of the corpora that we are measured by."""

    USER_UNKNOWN = "userunknown"
    HOST_UNKNOWN = "hostunknown"
    HAS_MOVED = "hasmoved"
    NOT_ACCEPT = "notaccept"
    FILTERED = "filtered"
    MAILBOX_FULL = "mailboxfull"
    SUSPEND = "suspend"
    AUTH_FAILURE = "authfailure"
    BAD_REPUTATION = "badreputation"
    BLOCKED = "blocked"
    CONTENT_ERROR = "contenterror"
    EXCEED_LIMIT = "exceedlimit"
    EXPIRED = "expired"
    FAILED_STARTTLS = "failedstarttls"
    MAILER_ERROR = "mailererror"
    MESSAGE_TOO_BIG = "mesgtoobig"
    NETWORK_ERROR = "networkerror"
    NO_RELAYING = "norelaying"
    NOT_COMPLIANT = "notcompliantrfc"
    ON_HOLD = "onhold"
    POLICY_VIOLATION = "policyviolation"
    REJECTED = "rejected"
    REQUIRE_PTR = "requireptr"
    SECURITY_ERROR = "securityerror"
    SPAM_DETECTED = "spamdetected"
    SPEEDING = "speeding"
    SYNTAX_ERROR = "syntaxerror"
    SYSTEM_ERROR = "systemerror"
    SYSTEM_FULL = "systemfull"
    TOO_MANY_CONNECTIONS = "toomanyconn"
    VIRUS_DETECTED = "virusdetected"
    FEEDBACK = "feedback"
    VACATION = "vacation"
    DELIVERED = "delivered"
    UNDEFINED = "undefined"


DEAD = frozenset({Class.USER_UNKNOWN, Class.HOST_UNKNOWN, Class.HAS_MOVED})
"""Nobody is there: the address is never written to again."""
FULL = frozenset({Class.MAILBOX_FULL, Class.SUSPEND, Class.FILTERED})
"""Somebody is there, and does not take mail now: counted, and given up after a while."""
OURS = frozenset(
    {
        Class.AUTH_FAILURE,
        Class.BAD_REPUTATION,
        Class.BLOCKED,
        Class.NO_RELAYING,
        Class.NOT_COMPLIANT,
        Class.POLICY_VIOLATION,
        Class.REJECTED,
        Class.REQUIRE_PTR,
        Class.SECURITY_ERROR,
        Class.SPAM_DETECTED,
        Class.SPEEDING,
        Class.TOO_MANY_CONNECTIONS,
        Class.VIRUS_DETECTED,
    }
)
"""They do not take it from us: says nothing of the person (EM-11)."""


class Kind(StrEnum):
    """What sort of mail came back."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One recipient's fate. `evidence` are codes and the names of rules, never a server's words."""

    kind: Class
    recipient: str = field(default="", repr=False)
    original_recipient: str = field(default="", repr=False)
    status: str = ""
    reply: str = ""
    action: str = ""
    remote: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def dead(self) -> bool:
        """Whether the address is to be given up at once."""
        if self.kind is Class.NOT_ACCEPT:
            return self.status.startswith("5")
        return self.kind in DEAD

    @property
    def temporary(self) -> bool:
        return self.status.startswith("4") or self.action == "delayed"


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole mail: its sort, the verdicts, and whatever names the mail that it answers."""

    kind: Kind
    verdicts: tuple[Verdict, ...] = ()
    feedback_type: str = ""
    envelope_id: str = ""
    message_ids: tuple[str, ...] = ()
    """Message-IDs of what came back, best first; for replies, of what is replied to."""
    returned_to: tuple[str, ...] = field(default=(), repr=False)
    """The addresses that this mail came to: a signed return path is among them."""
    sender: str = field(default="", repr=False)
    own_id: str = ""
    words: str = field(default="", repr=False)
    """What a person wrote, without what is quoted."""
