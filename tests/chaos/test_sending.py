"""Two workers send while one after another is killed with -9: nobody twice, nobody lost.

The full form, 10,000 messages and 50 kills: `pytest tests/chaos -m full`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import Organisation
from deploy.broker import EmbeddedBroker
from deploy.mailbox import Mailbox
from marketing import loops
from messaging import outbox
from messaging.models import Message, TemplateVersion
from tests.chaos.clinic import LATER, environment
from tests.chaos.conftest import a_template, admit
from tests.ground.server import OwnDatabase

ROOT = Path(__file__).parents[2]


@contextmanager
def workers(number: int, surroundings: dict[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    running = [_worker(surroundings) for _ in range(number)]
    try:
        yield running
    finally:
        for one in running:
            one.kill()
            one.wait(10)


def _worker(surroundings: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.chaos.worker"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | surroundings)


@pytest.fixture
def surroundings(
    committed_db: OwnDatabase, mailbox: Mailbox, settings: LazySettings
) -> Iterator[dict[str, str]]:
    """What workers are started with; this process sends to the same mailbox."""
    home = Path(tempfile.mkdtemp(prefix="attune-", dir="/var/tmp"))
    settings.SMTP_PORT, settings.SMTP_CA_FILE = mailbox.port, str(mailbox.ca_file)
    settings.SMTP_ONWARD_TLS = "enforced"
    settings.SAMPLE, settings.ATTUNE_MAILBOX = True, mailbox.store.folder
    yield environment(
        database=committed_db.url,
        owner=committed_db.owner_url,
        broker=EmbeddedBroker(home / "broker"),
        mailbox=mailbox,
        home=home,
        origin="https://h.example",
    )
    shutil.rmtree(home)


def order(organisation: Organisation, number: int) -> None:
    now = timezone.now()
    Organisation.objects.filter(pk=organisation.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    admit(number)
    version = TemplateVersion.objects.get(template=a_template("educate"))
    from contacts.models import Contact

    people = list(Contact.objects.order_by("id").values_list("id", flat=True))
    source = uuid4()
    for start in range(0, number, 1_000):
        outbox.enqueue(
            [
                outbox.Order(one, version.id, "marketing", source, "s", 1, "", now)
                for one in people[start : start + 1_000]
            ],
            now=now,
        )


def arrivals(mailbox: Mailbox) -> Counter[str]:
    return Counter(str(letter.message["Message-ID"]) for letter in mailbox.letters())


def drain() -> None:
    """Let leases end and the loops settle and send what is left, on a clock of their own."""
    now = timezone.now()
    for _ in range(4):
        now += LATER
        loops.run("dispatch", now=now)
        loops.run("reconcile", now=now + timedelta(minutes=5))
        loops.run("dispatch", now=now + timedelta(minutes=6))


@pytest.mark.parametrize(
    ("messages", "kills"),
    [(400, 5), pytest.param(10_000, 50, marks=pytest.mark.full)],
)
def test_killed_workers_send_every_message_once(
    at_harbor: Organisation,
    surroundings: dict[str, str],
    mailbox: Mailbox,
    messages: int,
    kills: int,
) -> None:
    """EM-10, CA-19: `unknown` is settled by Message-ID, by the loop, and never resent blindly."""
    order(at_harbor, messages)
    random = Random(messages)
    with workers(2, surroundings) as running:
        began = time.monotonic()
        while not mailbox.store.keys():
            assert time.monotonic() - began < 60, "no worker began"
            time.sleep(0.02)
        for at in range(kills):
            time.sleep(random.uniform(0.05, 1.2))
            victim = running[at % 2]
            os.kill(victim.pid, signal.SIGKILL)
            victim.wait(10)
            running[at % 2] = _worker(surroundings)
    twice = {one: number for one, number in arrivals(mailbox).items() if number > 1}
    assert twice == {}
    drain()
    assert Counter(Message.objects.values_list("state", flat=True)) == {"sent": messages}
    arrived = arrivals(mailbox)
    assert set(arrived.values()) == {1}
    assert arrived.keys() == set(Message.objects.values_list("message_id_header", flat=True))
