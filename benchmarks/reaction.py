"""How soon an event moves a person on: 200 events a second, the real worker.

People wait for an event. A process appends events at an even pace, each of another person; the
product's own worker takes them in and moves the people on, woken through the broker as in
production. Another connection notes when each move can be seen.

reaction_p50, reaction_p95   seconds from the event's commit to the move, against the limit of 1 s
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median, quantiles

from django.db import connection

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row
from benchmarks.prompt import prompt_worker
from contacts import events
from contacts.events import NewEvent
from contacts.records import Change, upsert
from crypto.ids import uuid7
from workflows import enrol, publishing, runner
from workflows.brakes import tally
from workflows.models import Enrolment, Workflow

EVENTS_A_SECOND, SECONDS = 200, 60
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
        with prompt_worker(lambda: _moved() > 0):
            for one in people[1:WARM]:
                _happen([one])
            taken = _measure(people[WARM:], organisation_id)
    yield Row("reaction_p50", len(taken), median(taken), LIMIT, "time")
    yield Row("reaction_p95", len(taken), quantiles(taken, n=20)[-1], LIMIT, "time")


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


def _measure(people: list[int], organisation_id: int) -> list[float]:
    seen: dict[int, float] = {}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(organisation_id, seen, stop))
    watcher.start()
    committed: dict[int, float] = {}
    began = time.monotonic()
    for number, one in enumerate(people):
        time.sleep(max(0.0, began + number / EVENTS_A_SECOND - time.monotonic()))
        _happen([one])
        committed[one] = time.monotonic()
    end = time.monotonic() + PATIENCE
    while committed.keys() - seen.keys() and time.monotonic() < end:
        time.sleep(0.1)
    stop.set()
    watcher.join()
    if missing := committed.keys() - seen.keys():
        raise RuntimeError(f"{len(missing)} of {len(people)} events moved nobody")
    sys.stderr.write(f"{len(people)} events in {max(committed.values()) - began:.1f} s\n")
    return [max(0.0, seen[one] - at) for one, at in committed.items()]


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
