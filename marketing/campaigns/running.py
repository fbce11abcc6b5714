"""The loop of campaigns: draw audiences, order messages, name winners, end what is over.

Everything due is a row. Ordering marks the recipients and writes the outbox in one transaction, so
a crash at any point leaves each person either still pending or ordered once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import tenancy
from audit import trail
from consent import gate
from consent.policy import Refusal
from crypto.rows import binary_cursor
from marketing.campaigns import drawing, figures, trial
from marketing.campaigns.models import Campaign, Run
from messaging import outbox, versions

BATCH = 1_000
AHEAD = 4_000
"""So many messages may wait in the outbox before more are ordered: a pause takes effect soon, and
what is urgent is not far behind."""

_PEOPLE = """
SELECT id, contact_id, "group" FROM marketing_recipient
WHERE organisation_id = %b AND run_id = %b AND state = 'pending' AND due_at <= %b
  AND ("group" <> 'rest' OR %b)
ORDER BY due_at, id LIMIT %b FOR UPDATE SKIP LOCKED
"""
_MARK = """
UPDATE marketing_recipient r SET state = g.state
FROM unnest(%b::int8[], %b::text[]) AS g (id, state) WHERE r.id = g.id
"""
_WAITING = """
SELECT count(*) FROM (
    SELECT FROM messaging_message
    WHERE organisation_id = %b AND state IN ('queued', 'deferred') AND due_at <= %b LIMIT %b
) AS waiting
"""
_STANDING = """
SELECT r.id,
    EXISTS (SELECT FROM marketing_recipient p
            WHERE p.organisation_id = r.organisation_id AND p.run_id = r.id
              AND p.state = 'pending' AND p.due_at <= %b),
    EXISTS (SELECT FROM marketing_recipient p
            WHERE p.organisation_id = r.organisation_id AND p.run_id = r.id
              AND p.state = 'pending')
FROM marketing_run r WHERE r.organisation_id = %b AND r.state = 'sending'
"""
_OPEN = """
SELECT DISTINCT source FROM (
    SELECT source FROM messaging_message
    WHERE organisation_id = %b AND state IN ('queued', 'deferred')
    UNION ALL
    SELECT source FROM messaging_message
    WHERE organisation_id = %b AND state IN ('claimed', 'handing_over')
) AS waiting WHERE source = ANY (%b::uuid[])
"""
"""Both arms lie in partial indexes that hold only what is under way, whatever was sent before."""


def run_once(*, now: datetime) -> int:
    """Do one batch of the current organisation's due work; return how many people were ordered.

    Runs that only wait cost nothing of their own: one statement says which have work.
    """
    for run in _due(now=now):
        drawing.draw(run, now=now)
    due, over = _standing(now=now)
    ordered = 0
    wanted = Run.objects.filter(state=Run.State.SENDING).select_related("campaign")
    deciding = Q(winner="", decide_at__lte=now)
    for run in wanted.filter(Q(id__in=due) | deciding, campaign__state=Campaign.State.LIVE):
        _name_winner(run, now=now)
        ordered += _order(run, now=now)
    for run in wanted.filter(id__in=over):
        _end(run, now=now)
    figures.refresh_due(now=now)
    return ordered


def _standing(*, now: datetime) -> tuple[list[UUID], list[UUID]]:
    """Return the runs in which somebody is due, and those in which nothing waits any more."""
    with binary_cursor() as cursor:
        cursor.execute(_STANDING, [now, tenancy.current()])
        rows = cursor.fetchall()
        due = [run for run, somebody, _ in rows if somebody]
        ordered = [run for run, _, anybody in rows if not anybody]
        if not ordered:
            return due, []
        cursor.execute(_OPEN, [tenancy.current(), tenancy.current(), ordered])
        waiting = {row[0] for row in cursor.fetchall()}
    return due, [one for one in ordered if one not in waiting]


def _due(*, now: datetime) -> list[Run]:
    live = Run.objects.filter(campaign__state=Campaign.State.LIVE)
    return list(live.filter(state=Run.State.DUE, due_at__lte=now).select_related("campaign"))


@dataclass(frozen=True, slots=True)
class _Person:
    recipient: int
    contact: int
    group: str


@transaction.atomic
def _order(run: Run, *, now: datetime) -> int:
    """Order the next batch; the people of one batch are ordered or still pending, all of them."""
    with binary_cursor() as cursor:
        cursor.execute(_WAITING, [tenancy.current(), now, AHEAD])
        row = cursor.fetchone()
        if row is None or row[0] >= AHEAD:
            return 0
        told = [tenancy.current(), run.id, now, _rest_may_go(run), BATCH]
        cursor.execute(_PEOPLE, told)
        people = [_Person(*found) for found in cursor.fetchall()]
    if not people:
        return 0
    held = [one for one in people if one.group == trial.HELD_OUT]
    going = [one for one in people if one.group != trial.HELD_OUT]
    states = {one.recipient: "ordered" for one in going} | _held(run, held, now=now)
    outbox.enqueue(_orders(run, going, now=now), now=now)
    with binary_cursor() as cursor:
        cursor.execute(_MARK, [list(states), list(states.values())])
    return len(people)


def _rest_may_go(run: Run) -> bool:
    return bool(run.winner) or run.decide_at is None


def _orders(run: Run, people: Sequence[_Person], *, now: datetime) -> list[outbox.Order]:
    loaded = versions.load({UUID(one) for one in run.pinned.values()})
    lasts = timedelta(hours=run.campaign.lasts_hours)
    orders = []
    for one in people:
        letter = run.winner if one.group == trial.REST else one.group
        version = loaded[UUID(run.pinned[letter])]
        orders.append(
            outbox.Order(
                contact_id=one.contact,
                template_version=version.id,
                purpose=version.purpose,
                source=run.id,
                step=one.group,
                visit=0,
                occurrence="",
                due_at=now,
                path_classes=frozenset(run.classes),
                not_after=now + lasts,
            )
        )
    return orders


def _held(run: Run, people: Sequence[_Person], *, now: datetime) -> dict[int, str]:
    """Ask the gate for those who are held out too: only like is compared with like."""
    if not people:
        return {}
    first = min(run.pinned)
    would = [replace(one, group=first) for one in people]
    requests = outbox.requests(_orders(run, would, now=now))
    answers = gate.ask(requests, now=now)
    return {
        one.recipient: "barred" if isinstance(answer, Refusal) else "held_out"
        for one, answer in zip(people, answers, strict=True)
    }


def _name_winner(run: Run, *, now: datetime) -> None:
    """Once the trial's time is over: the winner, or the first where none can be named."""
    if run.winner or run.decide_at is None or now < run.decide_at:
        return
    verdict = trial.decide(figures.trial_groups(run))
    run.winner = verdict.winner or min(run.pinned)
    run.verdict = verdict.why if verdict.winner else f"{verdict.why} The rest get {run.winner}."
    with transaction.atomic():
        Run.objects.filter(id=run.id, winner="").update(winner=run.winner, verdict=run.verdict)
        trail.record(
            "campaign.winner_named",
            subject=f"campaign:{run.campaign_id}",
            detail={
                "run": run.number,
                "variant": run.winner,
                "beyond_chance": bool(verdict.winner),
            },
        )


def _end(run: Run, *, now: datetime) -> None:
    """Close a run in which nothing waits any more, and the campaign after its last run."""
    with transaction.atomic():
        still = Run.objects.filter(id=run.id, state=Run.State.SENDING)
        if not still.update(state=Run.State.DONE, ended_at=now):
            return
        figures.refresh(run, now=now)
        trail.record(
            "campaign.finished", subject=f"campaign:{run.campaign_id}", detail={"run": run.number}
        )
        _close(run.campaign_id)


def _close(campaign_id: UUID) -> None:
    open_runs = Run.objects.filter(
        campaign_id=campaign_id, state__in=[Run.State.DUE, Run.State.SENDING]
    )
    if not open_runs.exists():
        Campaign.objects.filter(id=campaign_id, state=Campaign.State.LIVE).update(
            state=Campaign.State.DONE
        )
