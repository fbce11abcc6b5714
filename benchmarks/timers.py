"""Timers: a million people wait for as many moments of thirty days; who is due is found at once.

timers_poll   seconds to find that nobody is due, against the limit of 1 ms
timers_tick   seconds of a minute's tick, p95: those whose minute it is are claimed, decided and
              written, against one second, which is how often the runner looks
timers_burst  a hundredth of all falls due in one moment: seconds of the runner, against one SQL
              statement that makes the same moves
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from statistics import quantiles

from django.db import connection, connections

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks import advance
from benchmarks.advance import LONG_AGO, NOW
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, seconds
from workflows import runner
from workflows.brakes import tally

MINUTES = 60
SPREAD = """
update workflows_enrolment set due_at = %(now)s::timestamptz + interval '1 minute'
    + (id * 7919 %% %(minutes)s) * interval '1 minute'
where organisation_id = %(organisation)s and state = 'waiting'
"""
MONTH = 30 * 24 * 60


def run(scale: float) -> Iterator[Row]:
    waiting = max(20_000, round(advance.WAITING * scale))
    organisation_id = found_organisation(now=LONG_AGO)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        version = advance.published()
        tally.expect(version.workflow_id, waiting)
        advance.fill(version, waiting, due_at=NOW)
        with connection.cursor() as cursor:
            cursor.execute(SPREAD, {"now": NOW, "minutes": MONTH, "organisation": organisation_id})
        with connections["owner"].cursor() as cursor:
            cursor.execute("vacuum analyze workflows_enrolment")  # as autovacuum does in its time
        polls = [seconds(lambda: runner.run_once(now=NOW)) for _ in range(25)]
        yield Row("timers_poll", waiting, min(polls), 0.001, "time")
        ticks = [_tick(minute) for minute in range(1, MINUTES + 1)]
        yield Row("timers_tick", MINUTES, quantiles(ticks, n=20)[-1], 1.0, "time")
        size = waiting // 100
        limit, work = advance.rounds(version, size, first=waiting)
        yield Row("timers_burst", size, work, size / limit, "rate")


def _tick(minute: int) -> float:
    now = NOW + timedelta(minutes=minute)

    def work() -> None:
        while runner.run_once(now=now).claimed:
            pass

    return seconds(work)
