"""What became of a run: counted from the rows by a loop, shown "as of", never counted on a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from accounts import tenancy
from marketing.campaigns import trial
from marketing.campaigns.models import Run
from marketing.campaigns.trial import Group

EVERY = timedelta(seconds=2)
AFTER = timedelta(minutes=5)
PER_PERSON = timedelta(microseconds=200)
FOR = timedelta(days=60)
"""Opens, clicks and the goal of a run that is over are counted so much longer."""
_HANDED_OVER = frozenset({"sent", "failed", "unknown", "deferred"})
OVER = frozenset({"sent", "refused", "failed", "unknown", "cancelled"})

_STATES = """
select step, state, refusal_code, route, provider, count(*) from messaging_message
where organisation_id = %(organisation)s and source = %(run)s group by 1, 2, 3, 4, 5
"""
_GROUPS = """
select "group", state, count(*) from marketing_recipient
where organisation_id = %(organisation)s and run_id = %(run)s group by 1, 2
"""
_DID = """
select m.step, m.route, m.provider, e.kind, e.machine, count(distinct m.id)
from contacts_event e join messaging_message m on m.id = e.message_id
where e.organisation_id = %(organisation)s and e.campaign = any(%(templates)s)
  and e.kind in ('message.opened', 'message.clicked', 'message.unsubscribed', 'message.bounced',
                 'message.complained')
  and e.occurred_at >= %(since)s and m.source = %(run)s
group by 1, 2, 3, 4, 5
"""
_GOAL = """
select case when r."group" = 'hold' then 'hold' else 'written' end, count(*),
       count(*) filter (where exists (
           select from contacts_event e
           where e.organisation_id = r.organisation_id and e.contact_id = r.contact_id
             and e.kind = %(goal)s and not e.machine
             and e.occurred_at between r.due_at and r.due_at + make_interval(days => %(days)s)))
from marketing_recipient r
left join messaging_message m on m.organisation_id = r.organisation_id and m.source = r.run_id
    and m.contact_id = r.contact_id and m.step = r."group"
where r.organisation_id = %(organisation)s and r.run_id = %(run)s
  and (r.state = 'held_out' or (r.state = 'ordered' and m.state <> 'refused'))
group by 1
"""


@dataclass(slots=True)
class Figures:
    """Counts of people, as they stand in the run's row."""

    groups: dict[str, dict[str, int]] = field(default_factory=dict)
    """By group: how many messages are in each state."""
    refusals: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    routes: dict[str, int] = field(default_factory=dict)
    did: dict[str, dict[str, int]] = field(default_factory=dict)
    """By group: opened, clicked, unsubscribed, and what machines did."""
    by_route: dict[str, dict[str, int]] = field(default_factory=dict)
    by_provider: dict[str, dict[str, int]] = field(default_factory=dict)
    """By the way it went, and by mailbox provider: sent, failed, returned, and what was done."""
    held_out: int = 0
    barred: int = 0
    pending: int = 0
    settled: int = 0
    goal: dict[str, list[int]] = field(default_factory=dict)
    """By `written` and `hold`: how many could be written to, and how many came to the goal."""

    def of_state(self, *states: str) -> int:
        return sum(found.get(one, 0) for found in self.groups.values() for one in states)

    def people(self, kind: str) -> int:
        return sum(found.get(kind, 0) for found in self.did.values())


def read(run: Run) -> Figures:
    """Return what was last counted."""
    return Figures(**run.figures) if run.figures else Figures()


def refresh_due(*, now: datetime) -> int:
    """Count anew each run whose figures are too old; return how many."""
    stale = Q(state=Run.State.SENDING, figures_at__lt=now - EVERY)
    late = Q(state=Run.State.DONE, figures_at__lt=now - AFTER, ended_at__gt=now - FOR)
    never = Q(state=Run.State.SENDING, figures_at=None)
    rows = Run.objects.filter(stale | late | never).select_related("campaign")
    found = [one for one in rows if _is_stale(one, now=now)][:50]
    for run in found:
        refresh(run, now=now)
    return len(found)


def _is_stale(run: Run, *, now: datetime) -> bool:
    """The larger a run, the rarer: counting a million takes seconds, and is a hundredth of them."""
    if run.figures_at is None:
        return True
    least = EVERY if run.state == Run.State.SENDING else AFTER
    return run.figures_at < now - max(least, PER_PERSON * run.audience)


def refresh(run: Run, *, now: datetime) -> Figures:
    found = count(run)
    Run.objects.filter(id=run.id).update(figures=asdict(found), figures_at=now)
    run.figures, run.figures_at = asdict(found), now
    return found


def count(run: Run) -> Figures:
    """Count the run's rows."""
    found = Figures()
    told = _told(run)
    with connection.cursor() as cursor:
        cursor.execute(_STATES, told)
        _take_states(found, cursor.fetchall())
        cursor.execute(_GROUPS, told)
        for group, state, people in cursor.fetchall():
            _take_group(found, group, state, people)
        cursor.execute(_DID, told)
        _take_did(found, cursor.fetchall())
        if run.campaign.goal_kind:
            cursor.execute(_GOAL, told)
            found.goal = {name: [people, came] for name, people, came in cursor.fetchall()}
    found.settled = found.of_state(*OVER) + found.held_out + found.barred
    return found


def _told(run: Run) -> dict[str, Any]:
    from messaging.models import TemplateVersion

    pinned = [UUID(one) for one in run.pinned.values()]
    rows = TemplateVersion.objects.filter(id__in=pinned).values_list("template_id", flat=True)
    return {
        "organisation": tenancy.current(),
        "run": run.id,
        "templates": list(rows),
        "since": run.frozen_at or run.due_at,
        "goal": run.campaign.goal_kind,
        "days": run.campaign.goal_days,
    }


def _take_states(found: Figures, rows: Iterable[tuple[str, str, str, str, str, int]]) -> None:
    groups: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for step, state, code, route, provider, people in rows:
        groups[step][state] += people
        if state in _HANDED_OVER:
            _add(found.by_route, route, state, people)
            _add(found.by_provider, provider, state, people)
        if state == "refused":
            found.refusals[code] = found.refusals.get(code, 0) + people
        elif state in ("failed", "unknown", "deferred", "cancelled"):
            found.failures[code] = found.failures.get(code, 0) + people
        elif state == "sent":
            found.routes[route] = found.routes.get(route, 0) + people
    found.groups = {name: dict(states) for name, states in groups.items()}


def _take_group(found: Figures, group: str, state: str, people: int) -> None:
    found.held_out += people if state == "held_out" else 0
    found.barred += people if state == "barred" else 0
    found.pending += people if state == "pending" else 0


def _take_did(found: Figures, rows: Iterable[tuple[str, str, str, str, bool, int]]) -> None:
    """A message has one step, one route and one provider, so the parts add up."""
    for step, route, provider, kind, machine, messages in rows:
        name = kind.removeprefix("message.") + ("_by_machines" if machine else "")
        _add(found.did, step, name, messages)
        _add(found.by_route, route, name, messages)
        _add(found.by_provider, provider, name, messages)


def _add(table: dict[str, dict[str, int]], row: str, column: str, number: int) -> None:
    cells = table.setdefault(row, {})
    cells[column] = cells.get(column, 0) + number


def trial_groups(run: Run) -> list[Group]:
    """Return, for each variant, how many were reached and how many of them responded."""
    found = count(run)
    what = run.campaign.trial_by.removeprefix("message.")
    return [
        Group(
            letter,
            found.groups.get(letter, {}).get("sent", 0),
            found.did.get(letter, {}).get(what, 0),
        )
        for letter in sorted(run.pinned)
    ]


@dataclass(frozen=True, slots=True)
class Effect:
    """What the campaign brought about beyond what would have come without it."""

    written: Group
    hold: Group
    interval: trial.Interval

    @property
    def gap(self) -> float:
        return self.written.share - self.hold.share


def effect(found: Figures) -> Effect | None:
    """Compare with those held out; None where nobody was, or nothing is to be brought about."""
    if not found.goal or "hold" not in found.goal or "written" not in found.goal:
        return None
    written = Group("written", *found.goal["written"])
    hold = Group("hold", *found.goal["hold"])
    return Effect(written, hold, trial.difference(written, hold))
