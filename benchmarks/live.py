"""How soon members follow a change: 200 live segments, 50 changes a second, the real worker.

A process writes changes at an even pace, each of a person whom no change has met before: a new
city, a click, a place on a list. The product's own worker follows, woken through the broker as in
production. Another connection notes when the first `segment.entered` or `segment.left` of each
person can be seen.

live_p50, live_p95   seconds from the change's commit to the event, against the limit of 2 s
"""

from __future__ import annotations

import itertools
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any
from uuid import UUID

from django.db import connection

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row
from benchmarks.prompt import prompt_worker
from contacts import events, lists, records
from contacts.amending import amend
from contacts.records import Change
from contacts.segments import catalogue, columns, membership
from contacts.segments.live import follow
from contacts.segments.live.models import Feed
from crypto.ids import uuid7

PEOPLE, SEGMENTS, CHANGES_A_SECOND, SECONDS = 20_000, 200, 50, 60
LIMIT = 2.0
PATIENCE = 20.0
"""Seconds for the last changes to be followed."""
CITIES = [f"City {n}" for n in range(60)]
CAMPAIGNS = [UUID(int=n + 1) for n in range(60)]
LISTS = 20
CODES = [str(10_000_000 + n * 7_919) for n in range(40)]
LOINC = "http://loinc.org"
Act = Callable[[int], None]


def run(scale: float) -> Iterator[Row]:
    duration, people = max(5.0, SECONDS * scale), max(4_000, round(PEOPLE * scale))
    now = datetime.now(UTC)
    organisation_id = found_organisation(now=now)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        ids = _people(people, now)
        acts = _segments(SEGMENTS, now)
        columns.rebuild()
        while membership.refresh_due(now=datetime.now(UTC)) or follow.run_once(
            now=datetime.now(UTC)
        ):
            pass
        with prompt_worker(_follows()):
            taken = _measure(ids, acts, organisation_id, duration)
    yield Row("live_p50", len(taken), median(taken), LIMIT, "time")
    yield Row("live_p95", len(taken), quantiles(taken, n=20)[-1], LIMIT, "time")


def _people(count: int, now: datetime) -> list[int]:
    chance = random.Random(7)
    made: list[int] = []
    for at in range(0, count, 2_000):
        changes = [_person(number, chance, now) for number in range(at, min(at + 2_000, count))]
        made += records.upsert(changes, now=now).contact_ids
    return made


def _person(number: int, chance: random.Random, now: datetime) -> Change:
    seen = now - timedelta(minutes=chance.randrange(60 * 24 * 400))
    values = {
        "given_name": f"Given{chance.randrange(900)}",
        "email": f"person{number}@example.org",
        "birth_date": f"{chance.randrange(1936, 2010)}-0{chance.randrange(1, 10)}-11",
        "city": "Elsewhere",
        "postal_code": f"021{chance.randrange(10, 99)}",
        "gender": chance.choice(("female", "male")),
        "conditions": [
            {"system": "http://snomed.info/sct", "code": c, "display": "", "status": "active"}
            for c in chance.sample(CODES, 2)
        ],
        "encounters": [{"status": "finished", "class": "AMB", "at": f"{seen:%Y-%m-%dT%H:%M:%SZ}"}],
    }
    return Change(source="bench", record_number=str(number), values=values, occurred_at=now)


def _segments(count: int, now: datetime) -> list[Act]:
    """Make the segments; return what can be done to a person so that one of them answers anew."""
    made = [lists.create(f"List {n}", now=now).id for n in range(LISTS)]
    trees: list[Any] = []
    for city in CITIES:
        trees.append({"field": "city", "op": "equals", "value": city})
    for n, campaign in enumerate(CAMPAIGNS):
        clicked = {"event": "message.clicked", "campaign": str(campaign), "within_days": 30}
        adult = {"field": "birth_date", "op": "age_gte", "value": n % 3}
        trees.append({"all": [clicked, adult]})
    trees += [{"list": str(one)} for one in made]
    trees += [
        {"all": [{"field": "conditions", "op": "has_code", "codes": [code]}, {"not": trees[n]}]}
        for n, code in enumerate(CODES)
    ]
    for days in itertools.count(20, 17):
        if len(trees) >= count:
            break
        trees.append({"field": "last_visit", "op": "older_than", "value": days, "unit": "days"})
    for number, tree in enumerate(trees[:count]):
        catalogue.save(name=f"Segment {number}", tree=tree, now=now)
    moved = [_moves_to(city) for city in CITIES]
    clicks = [_clicks(campaign) for campaign in CAMPAIGNS]
    joins = [_joins(one) for one in made]
    return [
        act for each in zip(moved, clicks, itertools.cycle(joins), strict=False) for act in each
    ]


def _moves_to(city: str) -> Act:
    return lambda one: _done(amend({one: {"city": city}}, source="bench", now=datetime.now(UTC)))


def _clicks(campaign: UUID) -> Act:
    def click(one: int) -> None:
        now = datetime.now(UTC)
        happened = events.NewEvent(
            contact_id=one, kind="message.clicked", occurred_at=now, campaign=campaign,
            key=str(uuid7()), source="bench",
        )  # fmt: skip
        events.append([happened], now=now)

    return click


def _joins(list_id: UUID) -> Act:
    return lambda one: _done(lists.add(list_id, [one], now=datetime.now(UTC)))


def _follows() -> Callable[[], bool]:
    """Return the question whether the worker has started and looked."""
    began = datetime.now(UTC)
    return lambda: Feed.objects.filter(followed_at__gt=began).exists()


def _done(count: int) -> None:
    if count != 1:
        raise RuntimeError("a change changed nothing")


def _measure(ids: list[int], acts: list[Act], organisation_id: int, duration: float) -> list[float]:
    count = round(duration * CHANGES_A_SECOND)
    if count > len(ids):
        raise RuntimeError("too few people for so many changes")
    seen: dict[int, float] = {}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(organisation_id, seen, stop))
    watcher.start()
    committed: dict[int, float] = {}
    began = time.monotonic()
    for number, one in enumerate(ids[:count]):
        time.sleep(max(0.0, began + number / CHANGES_A_SECOND - time.monotonic()))
        acts[number % len(acts)](one)
        committed[one] = time.monotonic()
    end = time.monotonic() + PATIENCE
    while len(seen) < count and time.monotonic() < end:
        time.sleep(0.1)
    stop.set()
    watcher.join()
    if missing := committed.keys() - seen.keys():
        raise RuntimeError(f"{len(missing)} of {count} changes moved nobody")
    sys.stderr.write(f"{count} changes in {max(committed.values()) - began:.1f} s\n")
    return [max(0.0, seen[one] - at) for one, at in committed.items()]


def _watch(organisation_id: int, seen: dict[int, float], stop: threading.Event) -> None:
    """Note when each person's first move can be seen. Numbers come out of order: look back."""
    last = 0
    with tenancy.acting_for(organisation_id), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM contacts_event")
        start = last = cursor.fetchone()[0]
        while not stop.wait(0.02):
            cursor.execute(
                "SELECT id, contact_id FROM contacts_event"
                " WHERE id > %s AND kind IN ('segment.entered', 'segment.left')",
                [max(start, last - 2_000)],
            )
            at = time.monotonic()
            for number, contact_id in cursor.fetchall():
                last = max(last, number)
                seen.setdefault(contact_id, at)
    connection.close()
