"""Debian's own Postfix as the relay: what its queue took, once each, however full its disk is."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.relay import found, postfix
from messaging.models import Message
from messaging.settling import RelayLog
from messaging.transports.lanes import Lanes
from messaging.transports.smtp import Relay
from tests.conftest import NOON
from tests.deploy.ports import free_port
from tests.messaging.test_dispatch import states
from tests.messaging.test_outages import PEOPLE, until, waiting

__all__ = ["waiting"]

pytestmark = pytest.mark.skipif(
    found("postfix") is None or os.geteuid() != 0, reason="no Postfix here that we may start"
)
OWN = "@bench.example>"
"""Postfix writes to its postmaster of a full disk, under its own name."""
FULL = "queue_minfree = 1000000000000000\n"
"""More than any disk has free: Postfix answers 452 as it does where its queue is full."""


@pytest.fixture
def relay() -> Iterator[tuple[Path, Lanes]]:
    port = free_port()
    with postfix(port, further=FULL) as home:
        lanes = Lanes(Relay("127.0.0.1", port, security="same_host", patience=30), connections=3)
        lanes.overlaps = False  # the tests' own transaction is seen by one connection only
        yield home, lanes
        lanes.close()


def free_the_disk(home: Path) -> None:
    config = home / "config"
    main = config / "main.cf"
    main.write_text(main.read_text().replace(FULL, ""))
    subprocess.run([str(found("postfix")), "-c", str(config), "reload"], check=True)


def queued(home: Path) -> Counter[str]:
    """Return how often each Message-ID came into the queue; its log is written a moment later."""
    end = time.monotonic() + 30
    while True:
        lines = (home / "data" / "mail.log").read_text().splitlines()
        named = (line.partition("message-id=")[2] for line in lines if "message-id=" in line)
        ids = Counter(one for one in named if not one.endswith(OWN))
        if ids.total() >= 3 * PEOPLE or time.monotonic() > end:
            return ids
        time.sleep(0.1)


def test_postfix_with_a_full_disk_gets_every_mail_once_when_it_has_room(
    waiting: None, relay: tuple[Path, Lanes]
) -> None:
    """EM-09, EM-10: 452 at its queue_minfree; then the log that it writes itself settles."""
    home, lanes = relay
    until(timedelta(0), lanes, every=timedelta(minutes=1))
    assert set(states()) == {"deferred"}
    # the rest was not tried: Postfix hangs up on whoever meets too many errors
    replies = set(Message.objects.values_list("smtp_reply", flat=True))
    assert replies - {""} == {"452 4.3.1"}
    free_the_disk(home)
    lanes.close()
    until(timedelta(minutes=6), lanes, every=timedelta(minutes=1))
    assert set(states()) == {"sent"}
    headers = set(Message.objects.values_list("message_id_header", flat=True))
    assert queued(home) == Counter(headers)
    known = RelayLog(home / "data" / "mail.log").look_up(frozenset(headers), since=NOON, now=NOON)
    assert known.taken_in == headers
