"""Moving people by the runner, against one SQL statement that makes the same moves; and idling.

A million people wait at the first of many waits, at full size. Each round moves the next 20,000
who are due: by the runner in its own batches, one worker; and by a single statement that updates
the places and inserts the moves, with nothing to decide. The same is measured before while only
10,000 wait. They were let in together and stand at one place, as a segment or a campaign lets them
in; `advance_apart` is the other end, where no two came in the same microsecond.

advance_small  rate of the runner among 10,000, against the statement
advance_apart  the same, where each has come at a moment of their own
advance        the same as advance_small, among a million
advance_flat   seconds for one person among a million, against those among 10,000
idle_poll      seconds to find that nobody is due, against the limit of 1 ms
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, connections

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory, seconds
from workflows import publishing, runner
from workflows.brakes import tally
from workflows.models import WorkflowVersion

WAITING = 1_000_000
ROUND = 20_000
ROUNDS = 5
FEW = 10_000
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=60)
LATER = NOW + timedelta(days=30)
TOGETHER, MICROSECOND = timedelta(0), timedelta(microseconds=1)
WAITS = 30
"""Each person stands at the first of so many waits of a day; the last leads to the exit."""

FILL = """
insert into workflows_enrolment
    (organisation_id, workflow_id, version_id, contact_id, occurrence, state, node, path,
     entered_at, arrived_at, due_at, waiting_for, outcome)
select %(organisation)s, %(workflow)s, %(version)s, (%(organisation)s::bigint << 40) + number, '',
       'waiting', 'wait0', '{}', came, came, %(due)s, '', ''
from generate_series(%(first)s::bigint, %(last)s::bigint) as number,
     lateral (select %(entered)s::timestamptz + number * %(apart)s::interval as came) as at
"""
LIMIT = """
with due as (
    select id from workflows_enrolment
    where state = 'waiting' and due_at <= %(now)s order by due_at limit %(limit)s
    for update skip locked
), moved as (
    update workflows_enrolment e
    set node = 'wait1', path = e.path || 'wait0'::varchar, arrived_at = %(now)s,
        due_at = %(now)s::timestamptz + interval '1 day'
    from due where e.id = due.id
    returning e.organisation_id, e.id, e.version_id
)
insert into workflows_move
    (organisation_id, enrolment_id, version_id, node, way, arrived_at, left_at, message_id)
select organisation_id, id, version_id, 'wait0', 'next', %(entered)s, %(now)s, null from moved
"""


def run(scale: float) -> Iterator[Row]:
    waiting, size = max(2_000, round(WAITING * scale)), max(400, round(ROUND * scale))
    organisation_id = found_organisation(now=LONG_AGO)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        version = published()
        tally.expect(version.workflow_id, 4 * (waiting + 4 * ROUNDS * size))
        few = min(FEW, waiting)
        fill(version, few, due_at=LATER)
        small_limit, small = rounds(version, size, first=few)
        yield Row("advance_small", size, small, size / small_limit, "rate")
        first = few + 2 * (ROUNDS + 1) * size
        apart_limit, apart = rounds(version, size, first=first, apart=MICROSECOND)
        yield Row("advance_apart", size, apart, size / apart_limit, "rate")
        first += 2 * (ROUNDS + 1) * size
        fill(version, waiting - few, due_at=LATER, first=first)
        with connections["owner"].cursor() as cursor:
            cursor.execute("vacuum analyze workflows_enrolment")  # as autovacuum does in its time
        idle = min(seconds(lambda: runner.run_once(now=NOW)) for _ in range(25))
        with peak_memory() as peak:
            limit, work = rounds(version, size, first=first + waiting)
    yield Row("advance", size, work, size / limit, "rate", peak.grown_mb)
    yield Row("advance_flat", size, work, small, "time")
    yield Row("idle_poll", waiting, idle, 0.001, "time")


def rounds(
    version: WorkflowVersion, size: int, *, first: int, apart: timedelta = TOGETHER
) -> tuple[float, float]:
    """Return the least seconds of the statement and of the runner, taken in turns.

    The least: what else the machine does only ever adds.
    """
    limits, works = [], []
    for _ in range(ROUNDS + 1):
        fill(version, size, due_at=NOW, first=first, apart=apart)
        limits.append(seconds(lambda: _statement(size)))
        first += size
        fill(version, size, due_at=NOW, first=first, apart=apart)
        works.append(seconds(lambda: _run(size)))
        first += size
    return min(limits[1:]), min(works[1:])


def _run(size: int) -> None:
    """Move everybody who is due, and make sure that it was everybody."""
    moved = 0
    while claimed := runner.run_once(now=NOW).claimed:
        moved += claimed
    if moved != size:
        raise RuntimeError(f"{moved} moved of {size}")


def _statement(size: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LIMIT, {"now": NOW, "limit": size, "entered": LONG_AGO})
        if cursor.rowcount != size:
            raise RuntimeError(f"{cursor.rowcount} moved of {size}")


def published() -> WorkflowVersion:
    waits = [
        {"id": f"wait{at}", "kind": "wait", "for": {"days": 1}, "next": f"wait{at + 1}"}
        for at in range(WAITS)
    ]
    last = {"id": f"wait{WAITS}", "kind": "exit"}
    draft = {"trigger": {"kind": "api"}, "start": "wait0", "nodes": [*waits, last]}
    workflow = publishing.create("Waits", slug="waits", draft=draft, now=LONG_AGO)
    return publishing.publish(workflow.id, now=LONG_AGO)


def fill(
    version: WorkflowVersion,
    count: int,
    *,
    due_at: datetime,
    first: int = 0,
    apart: timedelta = TOGETHER,
) -> None:
    given: dict[str, Any] = {
        "organisation": tenancy.current(),
        "workflow": version.workflow_id,
        "version": version.id,
        "entered": LONG_AGO,
        "due": due_at,
        "first": first,
        "last": first + count - 1,
        "apart": apart,
    }
    with connection.cursor() as cursor:
        cursor.execute(FILL, given)
