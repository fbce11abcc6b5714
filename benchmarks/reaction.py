"""How soon an event moves a person on: 200 events a second over HTTP, the real worker.

People wait for an event. Clients post events to the product's own web server at an even pace, each
of another person; the product's own worker takes them in and moves the people on, woken through the
broker as in production. Another connection notes when each move can be seen. Server, worker,
clients and database share the machine.

reaction_p50, reaction_p95   seconds from before the POST to the move, against the limit of 1 s
reaction_answer_p95          seconds until the POST is answered, which is after its commit
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from django.db import connection

from accounts import api_keys, tenancy
from accounts.roles import Permission
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row
from benchmarks.prompt import prompt_worker
from benchmarks.web import read_answer, served
from contacts import events, matching
from contacts.events import NewEvent
from contacts.records import Change, upsert
from crypto.ids import uuid7
from workflows import enrol, publishing, runner
from workflows.brakes import tally
from workflows.models import Enrolment, Workflow

EVENTS_A_SECOND, SECONDS = 200, 60
AT_ONCE = 16
"""Connections; an event that finds none free waits for one, and that counts."""
WARM = 20
"""Events by which the worker shows that it has started."""
LIMIT = 1.0
PATIENCE = 30.0


def run(scale: float) -> Iterator[Row]:
    count = round(EVENTS_A_SECOND * max(5.0, SECONDS * scale))
    now = datetime.now(UTC)
    organisation_id = found_organisation(now=now)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        events.ensure_partitions(now=now)
        people = _people(count + WARM, now)
        _let_in(people, now)
        _happen(people[:1])
        clients = Clients(people, _key(now))
        with prompt_worker(lambda: _moved() > 0), served() as clients.port:
            for one in people[1:WARM]:
                clients.post(one)
            moved, answered = _measure(people[WARM:], organisation_id, clients)
    yield Row("reaction_p50", len(moved), median(moved), LIMIT, "time")
    yield Row("reaction_p95", len(moved), quantiles(moved, n=20)[-1], LIMIT, "time")
    yield Row("reaction_answer_p95", len(moved), quantiles(answered, n=20)[-1], LIMIT, "time")


def _people(count: int, now: datetime) -> list[int]:
    found: list[int] = []
    for at in range(0, count, 2_000):
        changes = [
            Change(source="bench", record_number=str(one), values={"given_name": f"G{one}"})
            for one in range(at, min(at + 2_000, count))
        ]
        found += upsert(changes, now=now).contact_ids
    return found


def _let_in(people: list[int], now: datetime) -> Workflow:
    nodes = [
        {
            "id": "listens", "kind": "wait_for", "event": "order.placed", "up_to": {"days": 30},
            "heard": "rests", "unheard": "end",
        },
        {"id": "rests", "kind": "wait", "for": {"days": 30}, "next": "end"},
        {"id": "end", "kind": "exit"},
    ]  # fmt: skip
    draft = {"trigger": {"kind": "api"}, "start": "listens", "nodes": nodes}
    workflow = publishing.create("Orders", slug="orders", draft=draft, now=now)
    publishing.publish(workflow.id, now=now)
    tally.expect(workflow.id, len(people))
    enrol.enrol(workflow.id, people, now=now)
    while runner.run_once(now=now).claimed:
        pass
    return workflow


def _happen(people: list[int]) -> None:
    now = datetime.now(UTC)
    heard = [
        NewEvent(contact_id=one, kind="order.placed", occurred_at=now, key=str(uuid7()))
        for one in people
    ]
    events.append(heard, now=now)


def _moved() -> int:
    return Enrolment.objects.filter(node="rests").count()


class Clients:
    """Connections that stay open, one for each thread, as an interface engine keeps them."""

    def __init__(self, people: list[int], key: str) -> None:
        self.port = 0
        self.names = {one: str(id_) for one, id_ in matching.public_ids(people).items()}
        self.head = (
            f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self.own = threading.local()

    def post(self, person: int) -> float:
        """Post one event; return when it was answered."""
        event = {
            "contact": self.names[person],
            "kind": "order.placed",
            "occurred_at": datetime.now(UTC).isoformat(),
            "idempotency_key": str(uuid7()),
        }
        body = json.dumps(event).encode()
        line = self._line()
        line.sendall(self.head + b"%d\r\n\r\n" % len(body) + body)
        read_answer(line)
        return time.monotonic()

    def _line(self) -> socket.socket:
        if not hasattr(self.own, "line"):
            self.own.line = socket.create_connection(("127.0.0.1", self.port))
            self.own.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line: socket.socket = self.own.line
        return line


def _key(now: datetime) -> str:
    _, key = api_keys.issue(
        "reaction",
        scopes=[Permission.EVENTS_WRITE],
        now=now,
        expires_at=now + timedelta(hours=2),
    )
    return key


def _measure(
    people: list[int], organisation_id: int, clients: Clients
) -> tuple[list[float], list[float]]:
    """Return the seconds until each move, and until each answer."""
    seen: dict[int, float] = {}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(organisation_id, seen, stop))
    watcher.start()
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        posted, calls = {}, {}
        for number, one in enumerate(people):
            time.sleep(max(0.0, began + number / EVENTS_A_SECOND - time.monotonic()))
            posted[one] = time.monotonic()
            calls[one] = pool.submit(clients.post, one)
        answered = {one: call.result() for one, call in calls.items()}
    end = time.monotonic() + PATIENCE
    while posted.keys() - seen.keys() and time.monotonic() < end:
        time.sleep(0.1)
    stop.set()
    watcher.join()
    if missing := posted.keys() - seen.keys():
        raise RuntimeError(f"{len(missing)} of {len(people)} events moved nobody")
    sys.stderr.write(f"{len(people)} events in {max(answered.values()) - began:.1f} s\n")
    moved = [max(0.0, seen[one] - at) for one, at in posted.items()]
    return moved, [answered[one] - at for one, at in posted.items()]


def _watch(organisation_id: int, seen: dict[int, float], stop: threading.Event) -> None:
    """Note when each person's move can be seen: places change, so the last moves are read."""
    since = datetime.now(UTC)
    with tenancy.acting_for(organisation_id), connection.cursor() as cursor:
        while not stop.wait(0.02):
            cursor.execute(
                "select contact_id, arrived_at from workflows_enrolment"
                " where node = 'rests' and arrived_at >= %s order by arrived_at desc limit 2000",
                [since],
            )
            at = time.monotonic()
            for contact_id, _ in cursor.fetchall():
                seen.setdefault(contact_id, at)
    connection.close()
