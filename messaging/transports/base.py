"""What every transport takes and gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from messaging.lines.line import Line
from messaging.protect import Hop


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One mail or text to hand over: its envelope and its bytes. `number` is the caller's own.

    Of a text the sender and recipient are numbers, and the bytes are its words in UTF-8.
    """

    number: int
    sender: str
    recipient: str
    data: bytes
    envelope_id: str = ""
    provider: str = ""
    """Whose mailbox it is for, where that limits how many connections carry it."""


class Fate(Enum):
    """What became of one mail at the hand-over."""

    ACCEPTED = "accepted"
    """The server said 250 after the final dot: it is the server's now."""
    DEFERRED = "deferred"
    """The server said 4xx: not now."""
    REJECTED = "rejected"
    """The server said 5xx: not ever, to this recipient."""
    NOT_TRIED = "not_tried"
    """The final dot never left this machine: it is safe to try again."""
    UNCLEAR = "unclear"
    """The final dot was sent and no answer came: it may be delivered; never resend blindly."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of one mail, the reply's code (`250`, `550 5.1.1`), never the reply's text."""

    number: int
    fate: Fate
    reply: str = ""
    code: str = ""
    reference: str = ""
    """The number that a gateway or provider gave it."""
    line: Line | None = None
    """What secured the connection to the mail server that accepted it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message of unclear fate, as a gateway may find it among those that it took in."""

    number: str
    to: str = field(repr=False)
    sha256: str
    handed_over_at: datetime


Stays = Callable[[int], str]
"""Asked for each mail right before it goes: why it must not go after all, or nothing."""


def none_stays(_: int) -> str:
    return ""


class Transport(Protocol):
    """Hand mails or texts over. Every mail gets exactly one outcome, whatever happens on the way.

    A mail that `stays` is NOT_TRIED, with the code that `stays` gave.
    """

    @property
    def hop(self) -> Hop: ...

    @property
    def overlaps(self) -> bool:
        """Say whether `send` may run in another thread while more mails are made."""
        ...

    @property
    def whole(self) -> bool:
        """Say whether a mail's bytes arrive as they are, as an encrypted one must."""
        ...

    def send(self, batch: Sequence[Outgoing], *, stays: Stays = none_stays) -> list[Outcome]: ...

    def close(self) -> None: ...
