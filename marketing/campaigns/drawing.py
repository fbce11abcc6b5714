"""Draw the audience of a run: who, in which group, and when. Once, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.db import transaction
from django.db.models import Q
from numpy.typing import NDArray

from accounts import tenancy
from accounts.models import Organisation
from audit import trail
from consent import clocks
from consent.rules import shelf
from contacts.segments.definition import DefinitionInvalid
from crypto.rows import Bigints, binary_cursor, insert_rows
from marketing.campaigns import launching, planning, trial
from marketing.campaigns.models import Campaign, Recipient, Run
from messaging.pools import lanes, timing
from messaging.preflight import keeping as preflight
from workflows import audience, clock

BATCH = 8_192

LEASE = timedelta(minutes=15)
"""So long one worker may take to draw; a million people take a few minutes at most."""
Audience = NDArray[np.int64]
NOBODY: Audience = np.zeros(0, np.int64)
_TAKE_OUT = """
DELETE FROM marketing_recipient
WHERE organisation_id = %b AND run_id = %b AND contact_id <> ALL (%b::int8[])
"""
Drawn = tuple[int, str, datetime]
"""A contact, the group, and the moment."""


def draw(run: Run, *, now: datetime) -> Run:
    """Fix the audience, or stop the run with the code of what forbids it.

    Claimed, then written a batch at a time, each in its own transaction: nothing is locked for
    long, and nobody is ordered before all stand. After a crash another worker draws anew, and
    whoever is in it no more is taken out.
    """
    if not _claimed(run, now=now):
        return run
    found = Campaign.objects.get(id=run.campaign_id)
    try:
        problem, people = _allowed(found, run, now=now)
    except DefinitionInvalid:
        problem, people = "segment_unusable", NOBODY
    if problem:
        return _stop(run, problem, len(people), now=now)
    letters = [one.letter for one in found.variants.all()]
    plan = trial.Plan(letters, found.hold_out, found.trial_share)
    run.at_own_hour = 0
    write(run, drawn(found, run, plan, people, now=now))
    return _settled(run, people, now=now)


def _claimed(run: Run, *, now: datetime) -> bool:
    """Say whether this worker draws it; a campaign turned off meanwhile is not drawn."""
    free = Q(drawn_until=None) | Q(drawn_until__lte=now)
    due = Run.objects.filter(free, id=run.id, state=Run.State.DUE)
    run.drawn_until = now + LEASE
    return due.update(drawn_until=run.drawn_until) == 1


@transaction.atomic
def _settled(run: Run, people: Audience, *, now: datetime) -> Run:
    """Let it go out, if it still is this worker's and still is approved as it was drawn."""
    found = Campaign.objects.select_for_update().get(id=run.campaign_id)
    held = Run.objects.select_for_update().get(id=run.id)
    if held.state != Run.State.DUE or held.drawn_until != run.drawn_until:
        if held.state == Run.State.CANCELLED:
            Recipient.objects.filter(run_id=run.id).update(state=Recipient.State.DROPPED)
        return held
    approval = planning.standing(found)
    if approval is None or approval.pinned != run.pinned:
        return _stop(run, "changed_since_approval", len(people), now=now)
    if Recipient.objects.filter(run_id=run.id).count() != len(people):
        _take_out(run, people)
    run.state, run.frozen_at, run.audience = Run.State.SENDING, now, len(people)
    run.classes = sorted(planning.classes(found))
    if found.trial_share < 100:
        run.decide_at = now + timedelta(hours=found.trial_hours)
    run.save()
    trail.record(
        "campaign.drawn",
        subject=f"campaign:{found.id}",
        detail={"run": run.number, "count": len(people), "classes": run.classes},
    )
    launching.schedule_next(found, run.pinned, now=now, after=run)
    return run


def _take_out(run: Run, people: Audience) -> None:
    """Drop whom a worker that died had drawn and who is in the audience no more."""
    with binary_cursor() as cursor:
        cursor.execute(_TAKE_OUT, [tenancy.current(), run.id, Bigints(people)])


def _allowed(campaign: Campaign, run: Run, *, now: datetime) -> tuple[str, Audience]:
    """Return the code of what forbids the run, if anything does, and the audience."""
    if campaign.segment_id is None or planning.of_audience(campaign):
        return "segment_unusable", NOBODY
    approval = planning.standing(campaign)
    if approval is None or approval.pinned != run.pinned:
        return "changed_since_approval", NOBODY
    people = audience.packed(campaign.segment_id, now=now)
    if campaign.excluded_id is not None:
        left_out = audience.packed(campaign.excluded_id, now=now)
        people = np.setdiff1d(people, left_out, assume_unique=True)
    if campaign.ceiling is not None and len(people) > campaign.ceiling:
        return "over_the_ceiling", people
    if preflight.forbids(len(people), pool=_pool(campaign), now=now):
        return "domain_not_fit", people
    return "", people


def _pool(campaign: Campaign) -> str:
    """Return by which pool it goes: that of its first variant's purpose."""
    first = campaign.variants.select_related("template").first()
    if first is None:
        return lanes.MARKETING
    return lanes.pool_of(first.template.purpose, first.template.channel)


@transaction.atomic
def _stop(run: Run, problem: str, count: int, *, now: datetime) -> Run:
    """Nothing more of the campaign until somebody has looked, mended and approved it again."""
    run.problem, run.ended_at, run.audience = problem, now, count
    still = Run.objects.filter(id=run.id, state=Run.State.DUE)
    if not still.update(state=Run.State.STOPPED, problem=problem, ended_at=now, audience=count):
        return Run.objects.get(id=run.id)
    run.state = Run.State.STOPPED
    live = Campaign.objects.filter(id=run.campaign_id, state=Campaign.State.LIVE)
    live.update(state=Campaign.State.DRAFT)
    Recipient.objects.filter(run_id=run.id).update(state=Recipient.State.DROPPED)
    trail.record(
        "campaign.stopped",
        subject=f"campaign:{run.campaign_id}",
        detail={"run": run.number, "code": problem, "count": count},
    )
    return run


def drawn(
    campaign: Campaign, run: Run, plan: trial.Plan, people: Audience, *, now: datetime
) -> Iterator[list[Drawn]]:
    own = {one.letter: one.starts_at for one in campaign.variants.all()}
    zone = Organisation.objects.get(id=tenancy.current()).timezone
    rules, wall = shelf.at(now), run.wall.replace(tzinfo=None) if run.wall else None
    for at in range(0, len(people), BATCH):
        some = people[at : at + BATCH].tolist()
        asks = campaign.each_zone or campaign.at_own_hour
        lives = clocks.of(some, rules=rules) if asks else {}
        zones = lives if campaign.each_zone else {}
        hours = timing.best_hours(some, lives, home=zone, now=now) if campaign.at_own_hour else {}
        run.at_own_hour += len(hours)
        rows: list[Drawn] = []
        for one in some:
            group = plan.group_of(one, hold_key=campaign.id.bytes, trial_key=run.id.bytes)
            due_at = now
            if wall is not None:
                own_time = own.get(group)
                there = _at(wall, own_time) if own_time else wall
                due_at = max(now, latest(there, zones.get(one, (zone,))))
            if one in hours:
                due_at = _at_own_hour(campaign, due_at, hours[one])
            rows.append((one, group, due_at))
        yield rows


def _at(wall: datetime, at: time) -> datetime:
    return wall.replace(hour=at.hour, minute=at.minute)


def _at_own_hour(campaign: Campaign, due_at: datetime, hour: timing.OwnHour) -> datetime:
    """Return when the person's hour comes next; the common time where it comes too late."""
    found = hour.next(due_at)
    return found if found < due_at + timedelta(hours=campaign.lasts_hours) else due_at


def latest(wall: datetime, zones: Sequence[str]) -> datetime:
    """Return when the wall time has come in every zone that a person may live by."""
    return max(clock.moment(wall, ZoneInfo(zone)) for zone in zones)


def write(run: Run, drawn: Iterator[list[Drawn]]) -> None:
    organisation_id = tenancy.current()
    for some in drawn:
        with transaction.atomic():
            insert_rows(
                "marketing_recipient",
                ("organisation_id", "run_id", "contact_id", "group", "state", "due_at"),
                ("int4", "uuid", "int8", "text", "text", "timestamptz"),
                (
                    (organisation_id, run.id, contact_id, group, "pending", due_at)
                    for contact_id, group, due_at in some
                ),
                after="ON CONFLICT (run_id, contact_id) DO NOTHING",
            )
