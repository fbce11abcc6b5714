"""Event ingest over HTTP against pgbench: single events, batches of 100 and of 1,000.

The work is the whole way: the product's web server (two processes), a key in the header, the real
endpoints, answered after commit; 16 connections send at once from this process, made ready before
and read as little as needed, for clients are not what is measured. The limit is
pgbench with 16 clients, each inserting one row of the same table by a prepared statement, past row
security and without an idempotency key. Server, clients and database share the machine.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from uuid import UUID

from django.db import connections

from accounts import api_keys, tenancy
from accounts.roles import Permission
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row
from benchmarks.web import read_answer, served
from contacts import matching, records
from contacts.sample import people
from deploy.postgres import programs

CLIENTS = 16
ROUNDS = 3
CONTACTS = 1_000
SIZES = {"single": (1, 8_000), "batch_100": (100, 60_000), "batch_1000": (1_000, 160_000)}
"""Events in a request, and events in all at full size."""

_INSERT = """\\set contact random(0, 999)
INSERT INTO contacts_event
    (organisation_id, contact_id, kind, occurred_at, received_at, source)
VALUES ({organisation}, {first} + :contact, 'portal.opened', now(), now(), 'pgbench');
"""
_numbers = count()


def run(scale: float) -> Iterator[Row]:
    now = datetime.now(UTC)
    organisation_id = found_organisation(now=now)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        ids = records.upsert(list(people(1, CONTACTS, now=now)), now=now).contact_ids
        public_ids = list(matching.public_ids(ids).values())
        _, key = api_keys.issue(
            "ingest",
            scopes=[Permission.EVENTS_WRITE],
            now=now,
            expires_at=now + timedelta(hours=2),
        )
    with served() as port:
        for name, (size, full) in SIZES.items():
            requests = max(CLIENTS, int(full * scale) // size)
            sender = _Sender(port, key, public_ids, size)
            sender.send(CLIENTS)
            limits, works = [], []
            for _ in range(ROUNDS):
                limits.append(_pgbench(organisation_id, ids[0], max(50, int(600 * scale))))
                began = time.perf_counter()
                sender.send(requests)
                works.append(time.perf_counter() - began)
            yield Row(name, requests * size, median(works), median(limits))


class _Sender:
    """Sixteen connections that send events as fast as they are answered."""

    def __init__(self, port: int, key: str, contacts: list[UUID], size: int) -> None:
        self.port, self.contacts, self.size = port, [str(one) for one in contacts], size
        path = "/api/v1/events" if size == 1 else "/api/v1/events/batch"
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()

    def send(self, requests: int) -> None:
        shares = [requests // CLIENTS + (place < requests % CLIENTS) for place in range(CLIENTS)]
        each = [[self._request() for _ in range(share)] for share in shares]
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(self._send_all, each))

    def _send_all(self, requests: list[bytes]) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in requests:
                connection.sendall(request)
                read_answer(connection)

    def _request(self) -> bytes:
        body = self._body()
        return self.head + b"%d\r\n\r\n" % len(body) + body

    def _body(self) -> bytes:
        events: list[object] = [self._event(next(_numbers)) for _ in range(self.size)]
        body = events[0] if self.size == 1 else {"events": events}
        return json.dumps(body).encode()

    def _event(self, number: int) -> dict[str, str]:
        return {
            "contact": self.contacts[number % len(self.contacts)],
            "kind": "portal.opened",
            "occurred_at": "2026-03-02T09:30:00Z",
            "idempotency_key": f"event-{number}",
        }


def _pgbench(organisation_id: int, first: int, each: int) -> float:
    """Return the rows a second that sixteen clients insert, one by one."""
    settings = connections["owner"].settings_dict
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "insert.sql"
        script.write_text(_INSERT.format(organisation=organisation_id, first=first))
        done = subprocess.run(
            [
                *(str(programs() / "pgbench"), "-n", "-M", "prepared", "-f", str(script)),
                *("-c", str(CLIENTS), "-j", "2", "-t", str(each)),
                *("-h", settings["HOST"], "-U", settings["USER"], settings["NAME"]),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError("pgbench printed no rate")
    return float(found[1])
