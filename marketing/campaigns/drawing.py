"""Draw the audience of a run: who, in which group, and when. Once, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import tenancy
from accounts.models import Organisation
from audit import trail
from consent import circumstances
from consent.rulebook import Rules
from consent.rules import shelf
from contacts.segments.definition import DefinitionInvalid
from crypto.rows import insert_rows
from marketing.campaigns import planning, trial
from marketing.campaigns.models import Campaign, Run
from messaging.pools import lanes
from messaging.preflight import keeping as preflight
from workflows import audience, clock

BATCH = 8_192

Drawn = tuple[int, str, datetime]
"""A contact, the group, and the moment."""


@transaction.atomic
def draw(run: Run, *, now: datetime) -> Run:
    """Fix the audience, or stop the run with the code of what forbids it."""
    found = Campaign.objects.select_for_update().get(id=run.campaign_id)
    run = Run.objects.select_for_update().get(id=run.id)
    if run.state != Run.State.DUE:
        return run
    try:
        problem, people = _allowed(found, run, now=now)
    except DefinitionInvalid:
        problem, people = "segment_unusable", []
    if problem:
        return _stop(run, problem, len(people), now=now)
    letters = [one.letter for one in found.variants.all()]
    plan = trial.Plan(letters, found.hold_out, found.trial_share)
    _write(run, _drawn(found, run, plan, people, now=now))
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
    return run


def _allowed(campaign: Campaign, run: Run, *, now: datetime) -> tuple[str, list[int]]:
    """Return the code of what forbids the run, if anything does, and the audience."""
    if campaign.segment_id is None or planning.of_audience(campaign):
        return "segment_unusable", []
    approval = planning.standing(campaign)
    if approval is None or approval.pinned != run.pinned:
        return "changed_since_approval", []
    people = audience.members(campaign.segment_id, now=now)
    if campaign.excluded_id is not None:
        left_out = set(audience.members(campaign.excluded_id, now=now))
        people = [one for one in people if one not in left_out]
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


def _stop(run: Run, problem: str, count: int, *, now: datetime) -> Run:
    run.state, run.problem, run.ended_at, run.audience = Run.State.STOPPED, problem, now, count
    run.save()
    trail.record(
        "campaign.stopped",
        subject=f"campaign:{run.campaign_id}",
        detail={"run": run.number, "code": problem, "count": count},
    )
    return run


def _drawn(
    campaign: Campaign, run: Run, plan: trial.Plan, people: Sequence[int], *, now: datetime
) -> Iterator[Drawn]:
    own = {one.letter: one.starts_at for one in campaign.variants.all()}
    zone = Organisation.objects.get(id=tenancy.current()).timezone
    rules, wall = shelf.at(now), run.wall.replace(tzinfo=None) if run.wall else None
    everyone = iter(people)
    while some := list(islice(everyone, BATCH)):
        zones = _zones(some, rules, zone) if campaign.each_zone else {}
        for one in some:
            group = plan.group_of(one, hold_key=campaign.id.bytes, trial_key=run.id.bytes)
            due_at = now
            if wall is not None:
                at = own.get(group)
                there = wall.replace(hour=at.hour, minute=at.minute) if at else wall
                due_at = max(now, latest(there, zones.get(one, (zone,))))
            yield one, group, due_at


def latest(wall: datetime, zones: Sequence[str]) -> datetime:
    """Return when the wall time has come in every zone that a person may live by."""
    return max(clock.moment(wall, ZoneInfo(zone)) for zone in zones)


def _zones(people: Sequence[int], rules: Rules, home: str) -> dict[int, tuple[str, ...]]:
    """Return the zones that each may live by: the State's, or the organisation's if unknown."""
    known = circumstances.of(people)
    return {
        one: rules.zones_of(known[one].state) if one in known and known[one].state else (home,)
        for one in people
    }


def _write(run: Run, drawn: Iterator[Drawn]) -> None:
    organisation_id = tenancy.current()
    insert_rows(
        "marketing_recipient",
        ("organisation_id", "run_id", "contact_id", "group", "state", "due_at"),
        ("int4", "uuid", "int8", "text", "text", "timestamptz"),
        (
            (organisation_id, run.id, contact_id, group, "pending", due_at)
            for contact_id, group, due_at in drawn
        ),
    )
