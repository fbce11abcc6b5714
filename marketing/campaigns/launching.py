"""Launch, pause, resume and cancel: each an act of one transaction, in the trail."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit import actor, trail
from consent.rules import shelf
from marketing.campaigns import planning
from marketing.campaigns.models import Campaign, Recipient, Run
from marketing.campaigns.planning import CHANGED, CampaignRefused, Problem
from messaging import withdrawing
from messaging.paying import stating
from workflows import clock, recurring


@transaction.atomic
def launch(campaign_id: UUID, *, now: datetime) -> Run:
    """Let it go out at its time; raises `CampaignRefused` unless an approval covers it."""
    found = Campaign.objects.select_for_update().get(id=campaign_id)
    if found.state != Campaign.State.APPROVED:
        raise CampaignRefused([Problem("", "Have another person approve it first.")])
    approval = planning.standing(found)
    if approval is None:
        raise CampaignRefused([Problem("", CHANGED)])
    if wrong := planning.problems(found, now=now):
        raise CampaignRefused(wrong)
    found.state, found.launched_by, found.launched_at = (
        Campaign.State.LIVE,
        actor.current().id,
        now,
    )
    found.save(update_fields=["state", "launched_by", "launched_at"])
    run = schedule_next(found, approval.pinned, now=now)
    if run is None:
        raise CampaignRefused([Problem("starts_on", "Its rule of repetition has come to its end.")])
    trail.record("campaign.launched", subject=f"campaign:{found.id}")
    return run


def schedule_next(
    campaign: Campaign, pinned: dict[str, str], *, now: datetime, after: Run | None = None
) -> Run | None:
    """Write the next run; None where the rule of repetition has come to its end."""
    house = Organisation.objects.get(id=tenancy.current())
    first, wall = campaign.first_wall, None
    if first is not None:
        last = after.wall if after else now.astimezone(house.zone)
        assert last is not None
        after_wall = last.replace(tzinfo=None)
        wall = next(recurring.walls(first, campaign.rule, house.zone, after=after_wall), None)
        if wall is None:
            return None
    elif after is not None:
        return None
    run = Run.objects.create(
        campaign=campaign,
        number=campaign.runs.count() + 1,
        wall=wall.replace(tzinfo=UTC) if wall else None,
        due_at=_drawn_at(campaign, wall, house.zone) if wall else now,
        pinned=pinned,
    )
    stating.carry(campaign.id, to=run.id)
    return run


def _drawn_at(campaign: Campaign, wall: datetime, zone: ZoneInfo) -> datetime:
    """Return when the audience is drawn: when the earliest of all zones has come to the time."""
    own = [one.starts_at for one in campaign.variants.all() if one.starts_at]
    wall = min([wall, *(wall.replace(hour=at.hour, minute=at.minute) for at in own)])
    if not campaign.each_zone:
        return clock.moment(wall, zone)
    everywhere = [zone, *map(ZoneInfo, all_zones(wall.replace(tzinfo=UTC)))]
    return min(clock.moment(wall, one) for one in everywhere)


def all_zones(now: datetime) -> tuple[str, ...]:
    """Return every zone that a recipient may live by."""
    zones: tuple[str, ...] = shelf.at(now).zones_of("")
    return zones


@transaction.atomic
def pause(campaign_id: UUID, *, now: datetime) -> bool:
    """Order nothing more, and hold what waits; say whether it was under way."""
    return _turn(campaign_id, Campaign.State.LIVE, Campaign.State.PAUSED, "campaign.paused")


@transaction.atomic
def resume(campaign_id: UUID, *, now: datetime) -> bool:
    return _turn(campaign_id, Campaign.State.PAUSED, Campaign.State.LIVE, "campaign.resumed")


def _turn(campaign_id: UUID, before: str, after: str, action: str) -> bool:
    turned = Campaign.objects.filter(id=campaign_id, state=before).update(state=after) == 1
    if turned:
        trail.record(action, subject=f"campaign:{campaign_id}")
    return turned


_DROP = """
update marketing_recipient set state = 'dropped'
where organisation_id = %s and run_id = any(%s) and state = 'pending'
"""


@transaction.atomic
def cancel(campaign_id: UUID, *, now: datetime) -> int:
    """End it for good; return how many messages that waited will not go."""
    found = Campaign.objects.select_for_update().get(id=campaign_id)
    if not found.may_be_cancelled:
        raise CampaignRefused([Problem("", "It is over already.")])
    open_runs = found.runs.filter(state__in=[Run.State.DUE, Run.State.SENDING])
    ids = list(open_runs.values_list("id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_DROP, [tenancy.current(), ids])
        dropped = int(cursor.rowcount)
    withdrawn = sum(withdrawing.withdraw(one, code="campaign_cancelled", now=now) for one in ids)
    open_runs.update(state=Run.State.CANCELLED, ended_at=now)
    Campaign.objects.filter(id=found.id).update(state=Campaign.State.CANCELLED)
    trail.record(
        "campaign.cancelled", subject=f"campaign:{found.id}", detail={"count": withdrawn + dropped}
    )
    return withdrawn + dropped


def to_go(campaign: Campaign) -> int:
    """Return how many people are still to be written to: what a cancellation spares."""
    ids = list(campaign.runs.values_list("id", flat=True))
    pending = Recipient.objects.filter(run_id__in=ids, state=Recipient.State.PENDING).count()
    return pending + withdrawing.waiting(ids)
