"""Drawing the audience of a campaign, against one SQL statement that writes as many recipients.

A million people are put into groups by lot and written in batches, each in a transaction of its
own; the statement writes the same rows at once, with nothing to decide. The longest transaction is
what anybody else may have to wait for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import numpy as np
from django.db import connection

from accounts import tenancy
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory, seconds
from contacts.models import first_id
from marketing.campaigns import drawing, planning, trial
from marketing.campaigns.models import Campaign, Run
from marketing.campaigns.planning import Draft

PEOPLE = 1_000_000
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMIT = """
insert into marketing_recipient (organisation_id, run_id, contact_id, "group", state, due_at)
select %(organisation)s, %(run)s, (%(organisation)s::bigint << 40) + number, 'A', 'pending', %(now)s
from generate_series(0, %(people)s - 1) as number
"""


def run(scale: float) -> Iterator[Row]:
    people = max(20_000, round(PEOPLE * scale))
    organisation_id = found_organisation(now=NOW)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        made = planning.create(Draft(name="All", segment_id=None, templates=()), now=NOW)
        limit = seconds(lambda: _statement(people))
        with peak_memory() as peak:
            work, longest = _drawn(made, people)
    yield Row("draw_audience", people, work, people / limit, "rate", peak.grown_mb)
    yield Row("draw_longest_transaction", drawing.BATCH, longest, limit, "time")


def _statement(people: int) -> None:
    told: dict[str, int | UUID | datetime] = {
        "organisation": tenancy.current(),
        "run": uuid4(),
        "now": NOW,
        "people": people,
    }
    with connection.cursor() as cursor:
        cursor.execute(LIMIT, told)


def _drawn(campaign: Campaign, people: int) -> tuple[float, float]:
    """Return the seconds of the whole, and of the longest batch."""
    made = Run.objects.create(campaign=campaign, number=1, due_at=NOW, pinned={})
    ids = np.arange(people, dtype=np.int64) + first_id(tenancy.current())
    plan = trial.Plan(["A", "B"], hold_out=10, trial_share=50)
    longest, began = 0.0, time.perf_counter()
    for some in drawing.drawn(campaign, made, plan, ids, now=NOW):
        started = time.perf_counter()
        drawing.write(made, iter([some]))
        longest = max(longest, time.perf_counter() - started)
    return time.perf_counter() - began, longest
