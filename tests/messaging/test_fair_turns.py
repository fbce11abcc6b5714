"""A slow relay that organisations and pools share: nobody's care waits behind a campaign."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from crypto import keyring
from marketing import dispatching
from messaging import dispatch
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, approved, person, sign, template

pytestmark = pytest.mark.usefixtures("committed_db")
CAMPAIGN, PACE = 400, 40.0
"""Mails of the campaign, and mails a second that the relay takes over all its connections."""
AHEAD = PACE * dispatch.TURN + 3 * dispatch.FIRST
"""Mails that may go before: those of the turn under way. When its time is over, two claims are on
the line and one is made."""


@dataclass
class SlowRelay:
    """An SMTP server that takes so many mails a second, and tells in which order they came."""

    arrived: list[str] = field(default_factory=list)
    then: Callable[[int], None] = lambda _: None
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    turn: threading.Lock = field(default_factory=threading.Lock)

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self.listening.accept()
                threading.Thread(target=self.speak, args=[line], daemon=True).start()

    def speak(self, line: socket.socket) -> None:
        with suppress(OSError), line, line.makefile("rwb") as file:
            file.write(b"220 slow\r\n")
            file.flush()
            recipient, in_data = "", False
            for said in file:
                if in_data and said != b".\r\n":
                    continue
                if in_data:
                    self.take(recipient)
                if said.startswith(b"RCPT"):
                    recipient = said.partition(b"<")[2].partition(b">")[0].decode()
                in_data = said == b"DATA\r\n"
                hello = b"250-slow\r\n250 PIPELINING\r\n"
                answer = b"354 go on\r\n" if in_data else b"250 fine\r\n"
                file.write(hello if said.startswith(b"EHLO") else answer)
                file.flush()

    def take(self, recipient: str) -> None:
        with self.turn:
            time.sleep(1 / PACE)
            self.arrived.append(recipient)
        self.then(len(self.arrived))


@pytest.fixture
def relay(settings: Any) -> Iterator[SlowRelay]:
    made = SlowRelay()
    settings.SMTP_HOST, settings.SMTP_PORT = made.listening.getsockname()
    settings.SMTP_SECURITY, settings.SMTP_ONWARD_TLS = "same_host", "enforced"
    threading.Thread(target=made.serve, daemon=True).start()
    yield made
    made.listening.shutdown(socket.SHUT_RDWR)
    made.listening.close()


@pytest.fixture
def campaign(enqueue: Enqueue) -> None:
    """Harbor's marketing, more than the relay takes in many turns."""
    keyring.installation()
    people = [person(f"p{n}", email=f"p{n}@example.org") for n in range(CAMPAIGN)]
    sign(*people)
    enqueue(people)


def ready_care(organisation: Organisation, enqueue: Enqueue) -> Callable[[], None]:
    """Return what orders a care mail of this organisation, from elsewhere, and commits."""
    with tenancy.acting_for(organisation.pk):
        one = person("care", email="care@example.org")
        version = approved(template("care", purpose="appointment", subject="Tomorrow"))

    def elsewhere() -> None:
        with acting_as(Actor("system", "test")), tenancy.acting_for(organisation.pk):
            enqueue([one], step="care", template_version=version.id, purpose="appointment")
        connection.close()

    return elsewhere


@pytest.mark.parametrize("whose", ["its own", "another organisation's"])
def test_care_does_not_wait_behind_a_campaign(
    whose: str,
    at_harbor: Organisation,
    hill: Organisation,
    campaign: None,
    relay: SlowRelay,
    enqueue: Enqueue,
) -> None:
    """EM-28: the care mail is ordered while the campaign is on the line."""
    order = ready_care(at_harbor if whose == "its own" else hill, enqueue)
    ordered_at: list[int] = []

    def then(arrived: int) -> None:
        if arrived == 10:
            order()
            ordered_at.append(len(relay.arrived))

    relay.then = then
    dispatching.run(NOON, budget=12.0)
    assert "care@example.org" in relay.arrived
    assert relay.arrived.index("care@example.org") - ordered_at[0] <= AHEAD < CAMPAIGN


def test_a_campaign_goes_on_beside_a_flood_of_care(
    at_harbor: Organisation, hill: Organisation, campaign: None, relay: SlowRelay, enqueue: Enqueue
) -> None:
    """Hill's care has more than the relay takes; Harbor's campaign has its turns all the same."""
    with tenancy.acting_for(hill.pk):
        people = [person(f"h{n}", email=f"h{n}@care.example") for n in range(CAMPAIGN)]
        version = approved(template("care", purpose="appointment", subject="Tomorrow"))
        enqueue(people, step="care", template_version=version.id, purpose="appointment")
    dispatching.run(NOON, budget=6.0)
    kinds = [one.endswith("@care.example") for one in relay.arrived]
    assert kinds[0] and not all(kinds)
