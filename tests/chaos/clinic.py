"""Harbor Clinic under way: real processes that the tests may kill, and what became of everybody."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts import tenancy
from audit.actor import Actor, acting_as
from contacts.models import Contact
from deploy.broker import EmbeddedBroker
from deploy.mailbox import Mailbox
from deploy.run import programs
from deploy.supervisor import Process, Supervisor
from marketing import loops
from messaging import reconcile
from messaging.models import Message
from tests.ground.server import OwnDatabase

LATER = timedelta(minutes=20)
"""Longer than a lease: what a killed worker had claimed is free again."""
PATIENCE = 90.0


@dataclass
class Clinic:
    """A clinic whose processes run outside this one, on the test's own database."""

    organisation_id: int
    supervisor: Supervisor
    broker: EmbeddedBroker
    mailbox: Mailbox
    address: str
    secret: str
    random: Random
    kills: Counter[str] = field(default_factory=Counter)

    def kill_one(self) -> None:
        """End a process and its children without warning; what supervises them starts it again."""
        victims: dict[str, Callable[[], int | None]] = {
            process.name: (lambda p=process: p.child.pid if p.child else None)  # type: ignore[misc]
            for process in self.supervisor.processes
        }
        victims["broker"] = lambda: self.broker.child.pid if self.broker.child else None
        name = self.random.choice(sorted(victims))
        pid = victims[name]()
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)
        self.kills[name] += 1
        for process in self.supervisor.processes:
            process.deaths = 0  # pausing before a start is tested elsewhere

    def live_through(self, kills: int, *, pause: tuple[float, float]) -> None:
        """Kill so many times at random moments, with the supervisor looking after the rest."""
        for _ in range(kills):
            self.watch_for(self.random.uniform(*pause))
            self.kill_one()
        self.watch_for(pause[1])

    def watch_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.supervisor.look_after()
            time.sleep(0.05)

    def watch_until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, f"nothing more happens: {self.states()}"
            self.supervisor.look_after()
            time.sleep(0.1)

    def tell(self, contact: Contact, kind: str) -> None:
        """Send an event by the API, again and again until the web server has taken it."""
        body = {
            "contact": str(contact.public_id),
            "kind": kind,
            "occurred_at": timezone.now().isoformat(),
            "idempotency_key": f"{kind}-{contact.pk}",
        }
        end = time.monotonic() + PATIENCE
        while not self._post("events", body):
            assert time.monotonic() < end, "the web server took no event"
            self.supervisor.look_after()
            time.sleep(0.1)

    def _post(self, path: str, body: dict[str, Any]) -> bool:
        request = urllib.request.Request(
            f"{self.address}/api/v1/{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return bool(answer.status < 300)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            assert refusal.code >= 500, f"the API refused an event: {refusal.code}"
            return False
        except OSError:
            return False

    def finish(self) -> None:
        """Stop the processes and let the loops, here and later, do what is still due."""
        self.supervisor.stop()
        now = timezone.now() + LATER
        for _ in range(4):
            for name in ("triggers", "runner", "dispatch"):
                loops.run(name, now=now)
            now += LATER

    def mail_server_goes_away(self, seconds: float) -> None:
        """Stop the mail server in the middle of what it is doing, and start it again."""
        self.mailbox.stop()
        self.watch_for(seconds)
        self.mailbox.start()

    def reconcile(self) -> None:
        """Settle what is unclear by what the mailbox took in."""
        taken_in = {str(letter.message["Message-ID"]) for letter in self.mailbox.letters()}
        now = timezone.now() + LATER
        with tenancy.acting_for(self.organisation_id), acting_as(Actor("system", "test")):
            reconcile.reconcile(taken_in, complete_until=now, now=now)

    def states(self) -> Counter[str]:
        with tenancy.acting_for(self.organisation_id):
            return Counter(Message.objects.values_list("state", flat=True))

    def messages(self) -> list[Message]:
        with tenancy.acting_for(self.organisation_id):
            return list(Message.objects.order_by("id"))

    def arrivals(self) -> Counter[str]:
        """Return how often each Message-ID arrived."""
        return Counter(str(letter.message["Message-ID"]) for letter in self.mailbox.letters())

    def mails_to(self) -> Counter[tuple[str, str]]:
        """Return how often each recipient got each subject."""
        return Counter((letter.recipient, letter.subject) for letter in self.mailbox.letters())


def environment(
    *, database: str, owner: str, broker: EmbeddedBroker, mailbox: Mailbox, home: Path, origin: str
) -> dict[str, str]:
    """Return what the clinic's processes are started with; the root key is the suite's own."""
    return {
        "ATTUNE_MODE": "sample",
        "ATTUNE_HOME": str(home),
        "ATTUNE_ANCHOR_DIR": str(settings.ATTUNE_ANCHOR_DIR),  # one installation, one file beside
        "ATTUNE_PUBLIC_ORIGIN": origin,
        "DJANGO_SETTINGS_MODULE": "marketing.settings",
        "DATABASE_URL": database,
        "DATABASE_OWNER_URL": owner,
        "BROKER_URL": broker.url,
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(mailbox.port),
        "SMTP_CA_FILE": str(mailbox.ca_file),
        "SMTP_ONWARD_TLS": "enforced",
    }


def processes(
    own: OwnDatabase, *, broker: EmbeddedBroker, mailbox: Mailbox, home: Path, port: int
) -> list[Process]:
    """Return the product's own programs, to run on the test's database and to answer at a port."""
    surroundings = environment(
        database=own.url,
        owner=own.owner_url,
        broker=broker,
        mailbox=mailbox,
        home=home,
        origin=f"http://127.0.0.1:{port}",
    )
    return [
        Process(name, command, surroundings, log=home / f"{name}.log", pid_file=home / name)
        for name, command in programs(web_port=port).items()
    ]


def nothing_is_left(states: Counter[str], among: Sequence[str] = ("queued", "claimed")) -> bool:
    return not any(states[state] for state in among)
