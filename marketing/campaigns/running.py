"""The loop of campaigns: draw audiences, order messages, name winners, end what is over.

Everything due is a row. Ordering marks the recipients and writes the outbox in one transaction, so
a crash at any point leaves each person either still pending or ordered once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from consent import gate
from consent.policy import Refusal
from crypto.rows import binary_cursor
from marketing.campaigns import drawing, figures, launching, trial
from marketing.campaigns.models import Campaign, Run
from messaging import outbox, versions
from messaging.paying import stating

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
_OPEN = """
SELECT EXISTS (
    SELECT FROM marketing_recipient
    WHERE organisation_id = %b AND run_id = %b AND state = 'pending'
) OR EXISTS (
    SELECT FROM messaging_message WHERE organisation_id = %b AND source = %b
      AND state IN ('queued', 'claimed', 'handing_over', 'deferred')
)
"""


def run_once(*, now: datetime) -> int:
    """Do one batch of the current organisation's due work; return how many people were ordered."""
    for run in _due(now=now):
        _begin(run, now=now)
    ordered = 0
    for run in Run.objects.filter(state=Run.State.SENDING).select_related("campaign"):
        if run.campaign.state == Campaign.State.LIVE:
            _name_winner(run, now=now)
            ordered += _order(run, now=now)
        _end(run, now=now)
    figures.refresh_due(now=now)
    return ordered


def _due(*, now: datetime) -> list[Run]:
    live = Run.objects.filter(campaign__state=Campaign.State.LIVE)
    return list(live.filter(state=Run.State.DUE, due_at__lte=now).select_related("campaign"))


def _begin(run: Run, *, now: datetime) -> None:
    """Draw the audience, and write when the campaign comes next."""
    with transaction.atomic():
        if drawing.draw(run, now=now).problem:
            # Nothing more of it until somebody has looked, mended and approved it again.
            Campaign.objects.filter(id=run.campaign_id).update(state=Campaign.State.DRAFT)
            return
        launching.schedule_next(run.campaign, run.pinned, now=now, after=run)


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
    version = versions.load({UUID(one) for one in run.pinned.values()})
    first = version[UUID(run.pinned[min(run.pinned)])]
    paid = stating.of_sources([run.id])
    requests = [
        gate.GateRequest(
            one.contact,
            first.purpose,
            first.channel,
            first.data_classes | frozenset(run.classes),
            first.topic,
            first.remuneration,
            new_formulation=first.new_formulation,
            drug=first.drug,
            further_paid=paid.of(run.id, ""),
        )
        for one in people
    ]
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
    with binary_cursor() as cursor:
        told = [tenancy.current(), run.id, tenancy.current(), run.id]
        cursor.execute(_OPEN, told)
        row = cursor.fetchone()
    if row is None or row[0]:
        return
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
