"""People in front of the portal: a message that waits, its code from the real mail, the way in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging import attachments, dispatch
from messaging.attachments import Given
from messaging.portal import carriers, codes
from messaging.protect import Hop, Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.test_dispatch import parsed
from tests.messaging.test_public import path_in

PDF = b"%PDF-1.7\nclaim 4711"
BORN = {"month": "4", "day": "5", "year": "1960"}


@dataclass
class Clock:
    """What `timezone.now` says; tests move it."""

    now: datetime = field(default_factory=lambda: NOON + timedelta(hours=1))

    def forward(self, **how: float) -> None:
        self.now += timedelta(**how)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(timezone, "now", lambda: made.now)
    return made


@dataclass
class Visitor:
    """Somebody with a browser and a mailbox."""

    client: Client
    clock: Clock
    path: str = ""
    memory: Memory = field(default_factory=lambda: Memory(hop=Hop.VERIFIED))

    def ask(self, **more: str) -> str:
        answer = self.client.post(self.path, {"act": "code"} | more)
        return answer.content.decode()

    def mailed(self) -> str:
        """Let the loop hand the code over; return the code from the mail."""
        codes.send_due(carriers.usual(self.memory), now=self.clock.now)
        text = next(parsed(self.memory.sent[-1]).iter_parts()).get_content()
        found = re.search(r"\b(\d{6})\b", text)
        assert found
        return found[1]

    def say(self, code: str, **born: str) -> Any:
        return self.client.post(self.path, {"act": "enter", "code": code} | BORN | born)

    def enter(self) -> Any:
        """Go in by the front door; return the answer to the right code and date."""
        self.ask()
        return self.say(self.mailed())

    def message(self) -> str:
        return str(self.client.get(self.path + "/message").content.decode())


def waiting(enqueue: Enqueue, contact_id: int, *, files: bool = False, **more: Any) -> str:
    """Send a message by the portal; return its address there, from the notice."""
    more = {"path_classes": frozenset({"clinical"})} | more
    message_id = enqueue([contact_id], **more)[0].message_id
    if files:
        attachments.attach(message_id, [Given("Ada's letter.pdf", PDF)], now=NOON)
    memory = Memory()
    dispatch.run_once(transport=memory, now=NOON, onward=Onward.OPPORTUNISTIC)
    return path_in(next(parsed(memory.sent[0]).iter_parts()).get_content(), "p")


@pytest.fixture
def visitor(clock: Clock) -> Visitor:
    return Visitor(Client(), clock)


@pytest.fixture
def ada_waits(visitor: Visitor, enqueue: Enqueue, ada: int) -> Visitor:
    """Ada, before the door of a message that waits for her."""
    visitor.path = waiting(enqueue, ada)
    return visitor


Signed = Callable[..., Client]
