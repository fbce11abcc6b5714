"""What one run of the dispatcher works with, and what it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from audit.actor import Actor
from contacts.points import Address
from messaging import recall
from messaging.attachments import Opened
from messaging.claims import Claimed
from messaging.compose import Composed, Merged
from messaging.personal import Personal
from messaging.pools.facts import PoolFacts
from messaging.protect import Onward, Table
from messaging.protection import policy
from messaging.protection.ways import Ways
from messaging.sender import Sender
from messaging.transports.base import Transport
from messaging.versions import Loaded

DISPATCH = Actor("system", "dispatch")
Step = Literal["claimed", "composed", "marked", "handed_over", "noted"]
Pause = Callable[[Step], None]


def no_pause(_: Step) -> None:
    """Go on at once; tests crash here instead."""


@dataclass(slots=True)
class Dispatched:
    sent: int = 0
    refused: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    paused: int = 0

    @property
    def moved(self) -> int:
        """Say how many messages left the queue: nothing moved means nothing is left to do now."""
        return self.sent + self.refused + self.failed + self.paused

    def count(self, state: str, number: int = 1) -> None:
        setattr(self, state, getattr(self, state) + number)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message with everything that it is made of; `known` is None where a condition broke."""

    claimed: Claimed
    version: Loaded
    record: Mapping[str, Any]
    recipient: Address | None
    key: bytes | None
    tracked: bool
    known: Personal | None
    files: Sequence[Opened]


@dataclass(frozen=True, slots=True)
class Ready:
    """A message with its bytes, about to be handed over."""

    claimed: Claimed
    recipient: str
    composed: Composed
    merged: Merged
    merge: bytes


@dataclass(frozen=True, slots=True)
class Someone:
    """What the portal needs to know of a person beforehand."""

    language: str
    can_show: bool
    """A date of birth is known, so that the person can show who they are."""


NOBODY = Someone("", can_show=True)
"""Stands where the portal takes no part."""


@dataclass(slots=True)
class Run:
    """What one run of the dispatcher works with."""

    transport: Transport
    sender: Sender
    onward: Onward
    now: datetime
    pause: Pause
    renewed: Mapping[int, int] = field(default_factory=dict)
    """How often the portal's notice of a message was sent anew."""
    tally: Dispatched = field(default_factory=Dispatched)
    watch: recall.Watch = field(kw_only=True)
    recalled: dict[int, str] = field(default_factory=dict)
    """Messages that a withdrawal stopped between claim and hand-over, with the reason."""
    pools: Mapping[str, PoolFacts] = field(default_factory=dict)
    senders: dict[str, Sender] = field(default_factory=dict)
    table: Table = field(default_factory=policy.in_force)
    """The policy, the same for every message of the run; a new one is in force from the next."""
    ways: Ways = field(default_factory=Ways.nothing)
    """What is known of receivers and keys for the messages of the last claim."""
    waiting: Mapping[int, Someone] = field(default_factory=dict)
    """Whom one of these messages will wait for on the portal, by contact."""
    letters: Mapping[int, str] = field(default_factory=dict)
    """The words of staff's letters among them, by message."""

    def sender_of(self, one: Claimed) -> Sender:
        """Return who sends this message: its pool's address, where that has one of its own."""
        if one.pool not in self.senders:
            address = self.pools[one.pool].mail_from if one.pool in self.pools else ""
            self.senders[one.pool] = self.sender.writing_from(address)
        return self.senders[one.pool]
