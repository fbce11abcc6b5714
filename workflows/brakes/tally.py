"""What each workflow did in this hour, and how much is normal: the busiest hour of four weeks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from accounts import tenancy
from audit import trail
from crypto.rows import binary_cursor
from workflows.brakes.models import Brakes, Tally
from workflows.models import Workflow

MEMORY = timedelta(days=28)
KEPT = timedelta(days=60)

_READ = """
select w.id, w.expects, coalesce(t.entered, 0), coalesce(t.asked, 0),
       coalesce(t.most_entered, 0), coalesce(t.most_asked, 0)
from workflows_workflow w
left join workflows_tally t on t.workflow_id = w.id and t.hour = %b
where w.id = any(%b::uuid[])
"""
_NORMAL = """
select workflow_id, max(entered), max(asked) from workflows_tally
where workflow_id = any(%b::uuid[]) and hour >= %b and hour < %b group by 1
"""
_INSIDE = """
select count(*) from workflows_enrolment
where organisation_id = %s and workflow_id = %s and state = 'waiting'
"""
_COUNT = """
insert into workflows_tally
    (organisation_id, workflow_id, hour, entered, asked, most_entered, most_asked)
select %b, * from unnest(
    %b::uuid[], %b::timestamptz[], %b::int4[], %b::int4[], %b::int4[], %b::int4[]
) as u (workflow_id, hour, entered, asked, most_entered, most_asked)
order by workflow_id
on conflict (workflow_id, hour) do update set
    entered = workflows_tally.entered + excluded.entered,
    asked = workflows_tally.asked + excluded.asked,
    most_entered = excluded.most_entered,
    most_asked = greatest(workflows_tally.most_asked, excluded.most_asked)
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """See `models.Brakes`."""

    most_a_day: int = 10
    floor: int = 2_000
    factor: int = 5

    def most(self, usual: int) -> int:
        return max(self.floor, self.factor * usual)


@dataclass(slots=True)
class Pace:
    """One workflow in this hour: what it did before this turn, what it does in it, the limits."""

    expects: int
    entered: int
    asked: int
    most_entered: int
    most_asked: int
    entering: int = 0
    asking: int = 0


def settings() -> Settings:
    row = Brakes.objects.filter(organisation_id=tenancy.current()).first()
    return Settings(row.most_a_day, row.floor, row.factor) if row else Settings()


def set_to(new: Settings) -> None:
    """Keep how hard the brakes are set; it holds from the next turn on."""
    with transaction.atomic():
        Brakes.objects.update_or_create(
            organisation_id=tenancy.current(),
            defaults={"most_a_day": new.most_a_day, "floor": new.floor, "factor": new.factor},
        )
        # What was found for this hour was found by the settings before.
        Tally.objects.update(most_entered=0, most_asked=0)
        trail.record(
            "workflow.brakes_set",
            detail={"most_a_day": new.most_a_day, "floor": new.floor, "factor": new.factor},
        )


def hour_of(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def read(workflow_ids: Collection[UUID], asked: Settings, *, now: datetime) -> dict[UUID, Pace]:
    """Return what these workflows did in this hour, with its limits."""
    hour = hour_of(now)
    with binary_cursor() as cursor:
        cursor.execute(_READ.encode(), [hour, list(workflow_ids)])
        paces = {id_: Pace(*figures) for id_, *figures in cursor.fetchall()}
    new = [id_ for id_, one in paces.items() if not one.most_entered]
    if new:
        with binary_cursor() as cursor:
            cursor.execute(_NORMAL.encode(), [new, hour - MEMORY, hour])
            normal = {id_: (entered, sent) for id_, entered, sent in cursor.fetchall()}
        for id_ in new:
            pace, (entered, sent) = paces[id_], normal.get(id_, (0, 0))
            pace.most_entered = asked.most(max(entered, pace.expects))
            pace.most_asked = max(pace.most_asked, asked.most(max(sent, pace.expects)))
    return paces


def inside(workflow_id: UUID) -> int:
    """Return how many are in the workflow: so many may well get a message in one hour."""
    with connection.cursor() as cursor:
        cursor.execute(_INSIDE, [tenancy.current(), workflow_id])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def count(paces: Mapping[UUID, Pace], *, now: datetime) -> None:
    """Write down what a turn did."""
    busy = [(id_, one) for id_, one in paces.items() if one.entering or one.asking]
    if not busy:
        return
    columns: list[Any] = [
        [id_ for id_, _ in busy],
        [hour_of(now)] * len(busy),
        [one.entering for _, one in busy],
        [one.asking for _, one in busy],
        [one.most_entered for _, one in busy],
        [one.most_asked for _, one in busy],
    ]
    with binary_cursor() as cursor:
        cursor.execute(_COUNT.encode(), [tenancy.current(), *columns])


def expect(workflow_id: UUID, people: int) -> None:
    """So many at once are no surprise: staff saw the figure when they published or resumed."""
    Workflow.objects.filter(id=workflow_id).update(expects=Greatest(F("expects"), people))
    Tally.objects.filter(workflow_id=workflow_id).update(most_entered=0, most_asked=0)


def forget_old(*, now: datetime) -> int:
    return Tally.objects.filter(hour__lt=now - KEPT).delete()[0]
