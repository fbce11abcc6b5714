"""What goes out when, across everybody's campaigns, and who would hear from several at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from uuid import UUID

import numpy as np

from accounts import tenancy
from contacts.models import first_id
from contacts.segments import membership
from contacts.segments.arrays import Ints
from contacts.segments.models import Segment
from marketing.campaigns.models import Campaign, Run
from workflows import clock, recurring

NEAR = timedelta(hours=24)
"""Two campaigns that reach a person within so long are a conflict worth a look."""
MOST_COMPARED = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One time that something goes out. `kind`: past, due, foreseen or planned."""

    campaign: Campaign
    at: datetime
    kind: str
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    other: Campaign
    at: datetime
    first: int
    second: int
    both: int


def entries(*, since: datetime, until: datetime, now: datetime) -> list[Entry]:
    """Return what went out or is to go out in between, in order."""
    found: list[Entry] = []
    rows = Campaign.objects.exclude(state=Campaign.State.CANCELLED).select_related("organisation")
    for campaign in rows.prefetch_related("runs"):
        found += [one for one in _of(campaign, now=now, until=until) if since <= one.at < until]
    return sorted(found, key=lambda one: (one.at, one.campaign.name))


def _of(campaign: Campaign, *, now: datetime, until: datetime) -> Iterator[Entry]:
    runs = sorted(campaign.runs.all(), key=lambda one: one.number)
    for run in runs:
        if run.state != Run.State.CANCELLED:
            yield Entry(campaign, run.due_at, "due" if run.state == Run.State.DUE else "past", run)
    if campaign.state in (Campaign.State.DONE, Campaign.State.CANCELLED):
        return
    first = campaign.first_wall
    if first is None:
        return
    zone = campaign.organisation.zone
    walls = [one.wall.astimezone(UTC).replace(tzinfo=None) for one in runs if one.wall]
    last = max(walls, default=None)
    moments = (
        clock.moment(wall, zone) for wall in recurring.walls(first, campaign.rule, zone, after=last)
    )
    kind = (
        "foreseen" if campaign.state in (Campaign.State.LIVE, Campaign.State.PAUSED) else "planned"
    )
    for at in takewhile(lambda one: one < until, moments):
        if at >= now:
            yield Entry(campaign, at, kind)


def next_at(campaign: Campaign, *, now: datetime) -> datetime:
    """Return when it goes out next; now where it goes as soon as it is launched."""
    first = campaign.first_wall
    if first is None:
        return now
    zone = campaign.organisation.zone
    return recurring.following(campaign.rule, first, zone=zone, after=now) or now


def conflicts_of(campaign: Campaign, mine: Ints, *, now: datetime) -> list[Conflict]:
    """Return the campaigns that reach some of these people within a day of its next time.

    One other audience is held at a time, eight bytes a person.
    """
    at = next_at(campaign, now=now)
    found: list[Conflict] = []
    if not len(mine):
        return found
    near = entries(since=at - NEAR, until=at + NEAR, now=now)
    others = {one.campaign.id: one for one in near if one.campaign.id != campaign.id}
    for one in list(others.values())[:MOST_COMPARED]:
        theirs = audience_of(one.campaign)
        both = len(np.intersect1d(mine, theirs, assume_unique=True))
        if both:
            found.append(Conflict(one.campaign, one.at, len(mine), len(theirs), both))
    return found


def audience_of(campaign: Campaign) -> Ints:
    """Return whom it reaches, by their ids, as last followed: a run draws them anew."""
    found = _members(campaign.segment_id)
    if campaign.excluded_id is not None and len(found):
        found = np.setdiff1d(found, _members(campaign.excluded_id), assume_unique=True)
    return found + first_id(tenancy.current())


def _members(segment_id: UUID | None) -> Ints:
    segment = Segment.objects.filter(pk=segment_id).first() if segment_id else None
    if segment is None:
        return np.zeros(0, np.int64)
    return membership.members(segment).astype(np.int64)
