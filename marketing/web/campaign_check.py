"""The launch check: how many would get it now, why not the rest, and what to look at first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from consent import policy
from consent.desk import coverage
from consent.desk.coverage import Sending
from contacts.segments.arrays import Ints
from contacts.segments.counts import Shown
from marketing.campaigns import calendar, planning, trial
from marketing.campaigns.models import Campaign
from marketing.web import campaigns, payments
from marketing.web.workflow_figures import Asker, Teller, teller
from messaging import versions
from messaging.models import TemplateVersion

PATIENCE = 6.0
"""Seconds; a larger audience is answered for as many as could be asked."""
TYPICAL = 0.1
"""The share of people who respond that the check reckons with."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the trial can show: `each` people a message, a difference of `points` at least."""

    each: Shown
    points: str
    from_share: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How many the gate lets through now, and why not the rest: code, sentence, remedy, people."""

    permitted: Shown
    asked: int
    all_asked: bool
    reasons: list[tuple[str, str, str, Shown]]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another campaign that reaches some of the same people within a day of this one."""

    campaign: Campaign
    at: datetime
    both: Shown


@dataclass(slots=True)
class Check:
    """What is known before a launch, as far as this reader is told. Counts are of people."""

    members: Shown
    exact: bool
    over: bool
    held: Shown | None
    trial: Trial | None
    conflicts: list[Conflict]
    as_of: datetime
    reach: Reach | None = None
    """None for whoever does not see consent."""


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def check(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Answer the part of the campaign's page that asks the gate, fetched once it is shown."""
    found, now = campaigns.by_id(campaign_id), timezone.now()
    told = look(found, staff_of(request), now=now)
    return render(request, "campaigns/_check.html", {"campaign": found, "check": told})


def look(campaign: Campaign, asker: Asker, *, now: datetime) -> Check | None:
    """Return the launch check; None while no segment or approved message is chosen."""
    classes, versions = planning.betrayed(campaign), planning.pinned(campaign)
    if classes is None or not versions:
        return None
    about = ("audience", str(campaign.segment_id), str(campaign.excluded_id))
    tell = teller(classes, asker, *about, free=False)
    people = calendar.audience_of(campaign)
    members = tell("", "members", len(people))
    found = Check(
        members,
        tell.reader.exact,
        campaign.ceiling is not None and (members.number or 0) > campaign.ceiling,
        _part(members, campaign.hold_out),
        _trial(campaign, members),
        _conflicts(campaign, classes, people, asker, now=now),
        now,
    )
    if asker.may(Permission.CONSENT_VIEW):
        found.reach = _reach(campaign, people, versions[min(versions)], classes, tell, now=now)
    return found


def _part(members: Shown, percent: int) -> Shown | None:
    """So many in a hundred of what is told."""
    if not percent or members.number is None:
        return members if percent else None
    return Shown(members.number * percent // 100, members.exact)


def _reach(
    campaign: Campaign,
    people: Ints,
    version: TemplateVersion,
    classes: frozenset[str],
    tell: Teller,
    *,
    now: datetime,
) -> Reach:
    sending = Sending(
        purpose=version.purpose,
        channel=version.channel,
        classes=versions.said_by(version) | classes,
        topic=version.topic,
        paid=payments.of_campaign(campaign, version),
        drug=version.drug,
        new_formulation=version.new_formulation,
    )
    told = coverage.cover(people, sending, now=now, enough=_patience())
    trail.record(
        "campaign.reached",
        subject=f"campaign:{campaign.id}",
        detail={"count": told.asked, "classes": sorted(classes), "purpose": version.purpose},
    )
    cells = {"": told.permitted, **told.stopped}
    about = f"reach {version.purpose} {version.topic}"
    tell.ask({(about, code): count for code, count in cells.items()})
    return Reach(
        tell(about, "", told.permitted),
        told.asked,
        told.asked == told.members,
        [
            (code, told.sentences[code], _remedy(code), tell(about, code, count))
            for code, count in told.stopped.most_common()
        ],
    )


def _remedy(code: str) -> str:
    return policy.REASONS[code][1] if code in policy.REASONS else ""


def _patience() -> Callable[[], bool]:
    began = time.monotonic()
    return lambda: time.monotonic() - began > PATIENCE


def _trial(campaign: Campaign, members: Shown) -> Trial | None:
    count = campaign.variants.count()
    if count < 2 or members.number is None:
        return None
    each = members.number * (100 - campaign.hold_out) * campaign.trial_share // (count * 10_000)
    smallest = trial.smallest_difference(each, share=TYPICAL, groups=count)
    return Trial(Shown(each, members.exact), f"{smallest * 100:.1f}", f"{TYPICAL:.0%}")


def _conflicts(
    campaign: Campaign, mine: frozenset[str], people: Ints, asker: Asker, *, now: datetime
) -> list[Conflict]:
    rows = []
    for one in calendar.conflicts_of(campaign, people, now=now):
        classes = planning.betrayed(one.other) or frozenset()
        ids = sorted((str(campaign.id), str(one.other.id)))
        tell = teller(classes | mine, asker, "campaigns share", *ids, free=False)
        rows.append(Conflict(one.other, one.at, tell("", "", one.both)))
    return rows
