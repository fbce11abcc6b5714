"""Where everybody is, and where they left: figures for the page, the report and the demo."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from workflows.versions import load

PASSED = """
select node, way, count(*) from workflows_move where version_id = %s group by 1, 2
"""
STANDING = """
select node, state = 'waiting', outcome, count(*) from workflows_enrolment
where version_id = %s group by 1, 2, 3
"""
MAIL = """
select m.step, m.state, m.refusal_code, count(*) from workflows_enrolment e
join messaging_message m on m.contact_id = e.contact_id and m.source = e.workflow_id
    and m.occurrence = e.occurrence
where e.version_id = %s group by 1, 2, 3
"""
FATES = """
select case
    when bool_or(m.state = 'sent') then 'reached'
    when bool_or(m.state in ('failed', 'unknown', 'cancelled')) then 'failed'
    when e.state = 'waiting' or bool_or(m.state not in ('refused')) then 'inside'
    when bool_or(m.state = 'refused') or e.outcome = 'deceased' then 'refused'
    else 'left' end as fate
from workflows_enrolment e
left join messaging_message m on m.contact_id = e.contact_id and m.source = e.workflow_id
    and m.occurrence = e.occurrence
where e.version_id = %s group by e.id, e.state, e.outcome
"""
PEOPLE = """
select e.contact_id, c.public_id, e.arrived_at, e.due_at, e.id
from workflows_enrolment e join contacts_contact c on c.id = e.contact_id
where e.version_id = %s and e.node = %s and e.state = 'waiting' and e.id > %s
order by e.id limit %s
"""


@dataclass(slots=True)
class StepCount:
    """One step's figures. `arrived` = `inside` + those who went on + those who left here."""

    node: str
    kind: str
    inside: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    mail: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> int:
        return self.ways.total()

    @property
    def gone(self) -> int:
        return self.left.total()

    @property
    def lost(self) -> int:
        """Those who left here before the end, and not by reaching a goal."""
        return sum(
            count
            for outcome, count in self.left.items()
            if outcome != "finished" and not outcome.startswith("goal:")
        )

    @property
    def arrived(self) -> int:
        return self.inside + self.passed + self.gone


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of everybody who entered; the parts add up to the whole."""

    enrolled: int
    reached: int
    refused: int
    failed: int
    inside: int
    left: int

    @property
    def adds_up(self) -> bool:
        parts = self.reached + self.refused + self.failed + self.inside + self.left
        return self.enrolled == parts


@dataclass(frozen=True, slots=True)
class Inside:
    """One person inside a step."""

    contact_id: int
    public_id: UUID
    arrived_at: datetime
    due_at: datetime | None
    enrolment_id: int


def counts(version_id: UUID) -> list[StepCount]:
    """Return every step's figures, in the order of the graph."""
    graph = load([version_id])[version_id].graph
    steps = {
        node: StepCount(node, type(graph.steps[node]).__name__.lower()) for node in graph.in_order()
    }
    with connection.cursor() as cursor:
        cursor.execute(PASSED, [version_id])
        for node, way, count in cursor.fetchall():
            steps[node].ways[way] += count
        cursor.execute(STANDING, [version_id])
        for node, waiting, outcome, count in cursor.fetchall():
            if waiting:
                steps[node].inside += count
            else:
                steps[node].left[outcome] += count
        cursor.execute(MAIL, [version_id])
        for node, state, code, count in cursor.fetchall():
            if node in steps:
                steps[node].mail[state] += count
                steps[node].refusals[code] += count if code else 0
    return list(steps.values())


def fates(version_id: UUID) -> Fates:
    """Return how many were reached, refused, failed, are inside still, or left without a mail."""
    with connection.cursor() as cursor:
        cursor.execute(FATES, [version_id])
        found = Counter(row[0] for row in cursor.fetchall())
        cursor.execute(
            "select count(*) from workflows_enrolment where version_id = %s", [version_id]
        )
        enrolled = cursor.fetchone()[0]
    parts = {name: found[name] for name in ("reached", "refused", "failed", "inside", "left")}
    return Fates(enrolled=enrolled, **parts)


def people(version_id: UUID, node: str, *, after: int = 0, limit: int = 50) -> list[Inside]:
    """Return who waits at a step, a page at a time, by the enrolment's number."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [version_id, node, after, limit])
        return [Inside(*row) for row in cursor.fetchall()]
