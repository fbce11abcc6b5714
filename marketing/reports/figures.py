"""A report's counts, each by one statement over all who entered: never a query for each person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from marketing.reports.cohort import ENGAGED, ENTERED, HEARD, LETTERS, Cohort
from workflows.steps import Goal

_MOVES = f"""
with {ENTERED}
select m.node, m.way, count(*), percentile_cont(array[0.5, 0.9]) within group (
    order by extract(epoch from m.left_at - m.arrived_at))
from entered e
join workflows_move m on m.enrolment_id = e.id and m.version_id = %(version)s
group by grouping sets ((m.node, m.way), (m.node))
"""
_STANDING = f"""
with {ENTERED} select node, state = 'waiting', outcome, count(*) from entered group by 1, 2, 3
"""
_MAIL = f"""
with {ENTERED}, {LETTERS} select step, state, refusal_code, count(*) from letters group by 1, 2, 3
"""
_HEARD = f"""
with {ENTERED}, {LETTERS}, {HEARD}
select step, kind, machine, link, count(distinct id) from heard
group by grouping sets ((step, kind, machine), (step, kind, machine, link))
"""
_TOTALS = f"""
with {ENTERED}, {LETTERS}, {HEARD},
reached as (select distinct enrolment_id as id from letters where state = 'sent'),
engaged as (
    select distinct enrolment_id as id from heard where kind = any(%(engaged)s) and not machine),
came as (
    select m.enrolment_id as id from entered e join workflows_move m on m.enrolment_id = e.id
    where m.node = any(%(goals)s)
    union select id from entered where outcome = any(%(outcomes)s))
select {{by}}, count(*), count(reached.id), count(engaged.id), count(came.id)
from entered e left join reached using (id) left join engaged using (id) left join came using (id)
group by 1 order by 1
"""


@dataclass(frozen=True, slots=True)
class Spell:
    """How long people were in a step, in seconds: half of them at most `median`, 9 of 10 `p90`."""

    median: float
    p90: float


@dataclass(slots=True)
class StepLine:
    """One step: who came, went on by which way, is here, and left here before the end."""

    node: str
    inside: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    left: Counter[str] = field(default_factory=Counter)
    """By why they left."""
    spell: Spell | None = None

    @property
    def arrived(self) -> int:
        return self.inside + self.finished + self.ways.total() + self.left.total()


@dataclass(slots=True)
class MessageLine:
    """One message: how many are in which state, and what people, and programs, did with it."""

    step: str
    states: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    programs: Counter[str] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)
    """By the link's name, how many people followed it."""


@dataclass(frozen=True, slots=True)
class Totals:
    """`engaged`: opened a message, followed a link or answered, by hand. `came`: to a goal."""

    entered: int
    reached: int
    engaged: int
    came: int


def steps(cohort: Cohort) -> list[StepLine]:
    """Return a line for each step, in the order of the graph."""
    lines = {node: StepLine(node) for node in cohort.graph.in_order()}
    for node, way, count, spell in cohort.rows(_MOVES):
        if node not in lines:
            continue  # left behind by another version's people, before they were moved here
        if way is None:
            lines[node].spell = Spell(*map(float, spell))
        else:
            lines[node].ways[way] += count
    for node, waiting, outcome, count in cohort.rows(_STANDING):
        _stand(lines.setdefault(node, StepLine(node)), outcome, count, waiting=waiting)
    return list(lines.values())


def _stand(line: StepLine, outcome: str, count: int, *, waiting: bool) -> None:
    if waiting:
        line.inside += count
    elif outcome == "finished" or outcome.startswith("goal:"):
        line.finished += count
    else:
        line.left[outcome.removeprefix("refused:")] += count


def messages(cohort: Cohort) -> list[MessageLine]:
    """Return a line for each message that was asked for, in the order of the graph."""
    found: defaultdict[str, MessageLine] = defaultdict(lambda: MessageLine(""))
    for step, state, code, count in cohort.rows(_MAIL):
        found[step].states[state] += count
        if state == "refused":
            found[step].refusals[code] += count
    for step, kind, machine, link, count in cohort.rows(_HEARD):
        line = found[step]
        name = kind.removeprefix("message.")
        if link is not None:
            line.links[link] += count if link and name == "clicked" and not machine else 0
        else:
            (line.programs if machine else line.people)[name] += count
    order = {node: place for place, node in enumerate(cohort.graph.in_order())}
    for step, line in found.items():
        line.step, line.links = step, +line.links
    return sorted(found.values(), key=lambda one: order.get(one.step, len(order)))


def totals(periods: Iterable[Totals]) -> Totals:
    """Return the sum: everybody entered in one period."""
    counts = [(one.entered, one.reached, one.engaged, one.came) for one in periods]
    return Totals(*map(sum, zip(*counts, strict=True))) if counts else Totals(0, 0, 0, 0)


def by_segment(cohort: Cohort, members: Sequence[int]) -> tuple[Totals, Totals]:
    """Return the totals of who is in the segment now, and of the others."""
    found = _totals(cohort, "e.contact_id = any(%(chosen)s::int8[])", chosen=list(members))
    nobody = Totals(0, 0, 0, 0)
    return found.get(True, nobody), found.get(False, nobody)


def over_time(cohort: Cohort, *, unit: str, zone: ZoneInfo) -> dict[date, Totals]:
    """Return the totals by when people entered; `unit`: day, week or month of that zone."""
    by = "date_trunc(%(unit)s, e.entered_at at time zone %(zone)s)::date"
    return {
        day: found
        for day, found in _totals(cohort, by, unit=unit, zone=zone.key).items()
        if isinstance(day, date)
    }


def _totals(cohort: Cohort, by: str, **more: Any) -> dict[object, Totals]:
    goals = [one.id for one in cohort.graph.steps.values() if isinstance(one, Goal)]
    asked = {
        "goals": goals,
        "outcomes": [f"goal:{one}" for one in goals],
        "engaged": list(ENGAGED),
    }
    rows = cohort.rows(_TOTALS.format(by=by), **asked, **more)
    return {key: Totals(*counts) for key, *counts in rows}
