"""Move the people inside one published version to another, by a map of its steps.

Nobody moves until somebody asks for it, sees the counts, and says yes (W10). The dry run and the
migration are one computation: the rows that the one counts are those that the other writes. Where
somebody arrives at another step than before, the time there begins anew; at the same step it goes
on. A step that lies behind a person is never entered again, so whoever has passed the step that the
map names stays on the earlier version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from accounts import tenancy
from audit import actor, trail
from contacts.segments.live import touches
from workflows.graph import Graph, parse
from workflows.models import VersionMigration, Workflow, WorkflowVersion

LEAVE: Final = "leave"
STAY: Final = "stay"

_COUNT = """
select e.node, count(*),
       count(*) filter (where %(goes)s::jsonb ? e.node
                        and not (%(goes)s::jsonb ->> e.node = any(e.path)))
from workflows_enrolment e
where e.organisation_id = %(organisation)s and e.version_id = %(old)s and e.state = 'waiting'
group by 1
"""
_LOCK = """
select id from workflows_enrolment
where organisation_id = %(organisation)s and version_id = %(old)s and state = 'waiting'
order by id for update
"""
_GO = """
update workflows_enrolment e
set version_id = %(new)s, node = m.target,
    arrived_at = case when m.target = e.node then e.arrived_at else %(now)s end,
    due_at = %(now)s, waiting_for = ''
from jsonb_each_text(%(goes)s::jsonb) as m (node, target)
where e.organisation_id = %(organisation)s and e.version_id = %(old)s and e.state = 'waiting'
  and e.node = m.node and not (m.target = any(e.path))
returning e.contact_id, m.node
"""
_OUT = """
update workflows_enrolment e
set state = 'stopped', outcome = 'migrated_out', due_at = null, waiting_for = '', ended_at = %(now)s
where e.organisation_id = %(organisation)s and e.version_id = %(old)s and e.state = 'waiting'
  and e.node = any(%(out)s)
returning e.contact_id, e.node
"""


class MigrationRefused(ValueError):
    """The map cannot be followed; `faults` name the step and say why."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{node}: {why}" for node, why in faults.items()))
        self.faults = dict(faults)


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of the people at one step of the earlier version."""

    node: str
    inside: int
    target: str
    """The step of the later version, `leave` or `stay`."""
    moves: int
    passed: int
    """Those who have the target behind them: they stay."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The counts of a dry run, or of what was done."""

    lines: tuple[Line, ...] = field(default_factory=tuple)

    @property
    def moved(self) -> int:
        return sum(one.moves for one in self.lines if one.target != LEAVE)

    @property
    def left(self) -> int:
        return sum(one.moves for one in self.lines if one.target == LEAVE)

    @property
    def stayed(self) -> int:
        return sum(one.inside for one in self.lines) - self.moved - self.left

    def stored(self) -> dict[str, Any]:
        return {
            one.node: {"inside": one.inside, "target": one.target, "moved": one.moves}
            for one in self.lines
        }


def suggested(old: Graph, new: Graph) -> dict[str, str]:
    """Return a map of the steps that are in both with the same kind; the others must be decided."""
    return {
        node: node
        for node, step in old.steps.items()
        if node in new.steps and type(new.steps[node]) is type(step)
    }


def unmapped(old: Graph, new: Graph) -> list[str]:
    """Return the steps that need a decision, in the order of the graph."""
    known = suggested(old, new)
    return [node for node in old.in_order() if node not in known]


def check(old: Graph, new: Graph, mapping: Mapping[str, str]) -> None:
    """Raise MigrationRefused unless every step of the map is one."""
    faults = {
        node: "is no step of the earlier version" for node in mapping if node not in old.steps
    }
    for node, target in mapping.items():
        if node in old.steps and target not in (LEAVE, STAY) and target not in new.steps:
            faults[node] = f"goes to {target}, which is no step of the later version"
    if faults:
        raise MigrationRefused(faults)


def dry_run(old: WorkflowVersion, new: WorkflowVersion, mapping: Mapping[str, str]) -> Outcome:
    """Count what the migration would do now; nothing is written."""
    check(parse(old.graph), parse(new.graph), mapping)
    return _counted(old, mapping)


@transaction.atomic
def migrate(
    workflow_id: UUID,
    old: WorkflowVersion,
    new: WorkflowVersion,
    mapping: Mapping[str, str],
    *,
    now: datetime,
) -> Outcome:
    """Move everybody at once, or nobody; return what was done. Raises MigrationRefused."""
    check(parse(old.graph), parse(new.graph), mapping)
    if old.id == new.id or {old.workflow_id, new.workflow_id} != {workflow_id}:
        raise MigrationRefused({"": "Choose two versions of this workflow."})
    Workflow.objects.select_for_update().get(id=workflow_id)
    told = _told(old, new, mapping, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, told)  # a turn of the runner ends first, or begins after
        outcome = _counted(old, mapping)
        cursor.execute(_GO, told)
        moved = cursor.fetchall()
        cursor.execute(_OUT, told)
        moved += cursor.fetchall()
    if touches.asked("journey"):
        touches.touch([contact for contact, _ in moved], "journey", now=now)
    VersionMigration.objects.create(
        workflow_id=workflow_id,
        from_number=old.number,
        to_number=new.number,
        mapping=dict(mapping),
        counts=outcome.stored(),
        by=actor.current().id,
        at=now,
    )
    trail.record(
        "workflow.migrated",
        subject=f"workflow:{workflow_id}",
        detail={"count": len(moved), "version": new.number, "from_version": old.number},
    )
    return outcome


def _told(
    old: WorkflowVersion, new: WorkflowVersion, mapping: Mapping[str, str], *, now: datetime
) -> dict[str, Any]:
    return {
        "organisation": tenancy.current(),
        "old": old.id,
        "new": new.id,
        "goes": _goes(mapping),
        "out": [node for node, target in mapping.items() if target == LEAVE],
        "now": now,
    }


def _goes(mapping: Mapping[str, str]) -> str:
    return json.dumps({a: b for a, b in mapping.items() if b not in (LEAVE, STAY)})


def _counted(old: WorkflowVersion, mapping: Mapping[str, str]) -> Outcome:
    told: dict[str, Any] = {
        "organisation": tenancy.current(),
        "old": old.id,
        "goes": _goes(mapping),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, told)
        inside = {node: (people, free) for node, people, free in cursor.fetchall()}
    lines = []
    for node in parse(old.graph).in_order():
        people, free = inside.get(node, (0, 0))
        target = mapping.get(node, STAY)
        moves = {STAY: 0, LEAVE: people}.get(target, free)
        passed = people - moves if target not in (STAY, LEAVE) else 0
        lines.append(Line(node, people, target, moves, passed))
    return Outcome(tuple(lines))
