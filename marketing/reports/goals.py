"""What a journey brought about: who came to the goal, arm by arm, beside those held out.

Everybody who drew a lot is counted in the arm of that lot, written to or not (intention to treat),
and for the same number of days from the draw. So the hold-out, which leaves the journey at once,
is not heard for a shorter time, and no refusal can tilt the comparison.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from marketing.campaigns import trial
from marketing.campaigns.trial import Group, Interval
from marketing.reports.cohort import ENTERED, Cohort
from workflows.steps import ARMS, Goal, Split

WITHIN = (7, 14, 30, 60, 90)
"""Days from the draw, or from entering, in which the goal counts."""
_CAME = """
came as (
    select distinct s.id, s.node
    from stood s join contacts_event ev on ev.contact_id = s.contact_id
        and ev.occurred_at >= s.since and ev.occurred_at < s.since + make_interval(days => %(days)s)
    where ev.organisation_id = %(organisation)s and ev.kind = %(goal)s and not ev.machine
      and (%(about)s::uuid is null or ev.campaign = %(about)s)
      and ev.occurred_at >= (select min(since) from stood)
)
select s.node, s.way, count(*), count(came.id)
from stood s left join came on came.id = s.id and came.node = s.node group by 1, 2
"""
"""One join of all who stood somewhere with the events, not a look for each."""
_ALL = f"""
with {ENTERED},
stood as materialized (
    select id, contact_id, '' as node, '' as way, entered_at as since from entered),
{_CAME}
"""
_ARMS = f"""
with {ENTERED},
stood as materialized (
    select e.id, e.contact_id, m.node, m.way, m.left_at as since
    from entered e join workflows_move m on m.enrolment_id = e.id
        and m.version_id = %(version)s and m.node = any(%(splits)s)),
{_CAME}
"""


@dataclass(frozen=True, slots=True)
class Arm:
    """`hold` marks the arm that is compared against. `way` is the arm's name in the graph."""

    way: str
    group: Group
    hold: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """One split: how many of each arm came to the goal."""

    node: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """How much larger the share is among those not held out, with its 95 % interval."""

    written: Group
    hold: Group
    interval: Interval

    @property
    def gap(self) -> float:
        return self.written.share - self.hold.share


@dataclass(frozen=True, slots=True)
class Conversion:
    """Of all who entered, how many came to the goal in time; and arm by arm of each split."""

    everybody: Group
    trials: tuple[Trial, ...]


def of_graph(cohort: Cohort) -> list[Goal]:
    return [one for one in cohort.graph.steps.values() if isinstance(one, Goal)]


def conversion(cohort: Cohort, *, goal: str, about: object = None, days: int) -> Conversion:
    """Count who came to the goal: the kind of an event, about this segment where one is named."""
    splits = [one for one in cohort.graph.steps.values() if isinstance(one, Split)]
    asked = {"goal": goal, "about": about, "days": days, "splits": [one.id for one in splits]}
    entered, came = next((row[2:] for row in cohort.rows(_ALL, **asked)), (0, 0))
    drawn: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    if splits:
        for node, way, size, did in cohort.rows(_ARMS, **asked):
            drawn[node][way] = (size, did)
    return Conversion(
        Group("everybody", entered, came),
        tuple(_trial(one, drawn[one.id]) for one in splits),
    )


def _trial(split: Split, drawn: dict[str, tuple[int, int]]) -> Trial:
    ways = [way for way in ARMS if getattr(split, way)]
    arms = (Arm(way, Group(way, *drawn.get(way, (0, 0))), way == split.hold_out) for way in ways)
    return Trial(split.id, tuple(arms))


def effect(written: Group, hold: Group) -> Effect | None:
    """Compare with those held out; None where one of the two groups is empty."""
    if not written.size or not hold.size:
        return None
    return Effect(written, hold, trial.difference(written, hold))
