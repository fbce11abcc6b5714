"""The launch check: how many would get it now, why not the rest, and what to look at first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import tenancy
from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from consent import policy
from consent.desk import coverage
from consent.desk.coverage import Sending
from contacts.models import first_id
from contacts.segments import membership
from contacts.segments.counts import Shown
from contacts.segments.models import Segment
from marketing.campaigns import calendar, planning, trial
from marketing.campaigns.models import Campaign
from marketing.web import campaigns, payments
from marketing.web.workflow_figures import Teller, teller
from messaging.models import TemplateVersion

PATIENCE = 6.0
"""Seconds; a larger audience is answered for as many as could be asked."""
TYPICAL = 0.1
"""The share of people who respond that the check reckons with."""


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def check(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Answer the part of the campaign's page that asks the gate, fetched once it is shown."""
    found, user = campaigns.by_id(campaign_id), staff_of(request)
    classes, versions = planning.betrayed(found), planning.pinned(found)
    if classes is None or not versions:
        return render(request, "campaigns/_check.html", {"campaign": found})
    about = ("audience", str(found.segment_id), str(found.excluded_id))
    tell = teller(classes, user, *about, free=False)
    people = _audience(found)
    members = tell("", "members", len(people))
    near = members.number or 0
    context = {
        "campaign": found,
        "members": str(members),
        "over": found.ceiling is not None and near > found.ceiling,
        "held": _part(members, found.hold_out),
        "trial": _trial(found, members),
        "conflicts": _conflicts(found, user),
        "exact": tell.reader.exact,
        "as_of": timezone.now(),
    }
    if user.may(Permission.CONSENT_VIEW):
        context |= _coverage(found, people, versions[min(versions)], classes, tell)
    return render(request, "campaigns/_check.html", context)


def _audience(campaign: Campaign) -> list[int]:
    """Return the members as last followed: the run draws them anew."""
    found = _members(campaign.segment_id)
    left_out = set(_members(campaign.excluded_id))
    return [one for one in found if one not in left_out]


def _members(segment_id: UUID | None) -> list[int]:
    segment = Segment.objects.filter(pk=segment_id).first() if segment_id else None
    if segment is None:
        return []
    first = first_id(tenancy.current())
    return [first + ordinal for ordinal in membership.members(segment).tolist()]


def _part(members: Shown, percent: int) -> str:
    """So many in a hundred of what is told."""
    if not percent or members.number is None:
        return str(members) if percent else ""
    return str(Shown(members.number * percent // 100, members.exact))


def _coverage(
    campaign: Campaign,
    people: list[int],
    version: TemplateVersion,
    classes: frozenset[str],
    tell: Teller,
) -> dict[str, Any]:
    sending = Sending(
        purpose=version.purpose,
        channel=version.channel,
        classes=frozenset(version.data_classes) | classes,
        topic=version.topic,
        paid=payments.of_campaign(campaign, version),
        drug=version.drug,
        new_formulation=version.new_formulation,
    )
    told = coverage.cover(people, sending, now=timezone.now(), enough=_patience())
    trail.record(
        "campaign.reached",
        subject=f"campaign:{campaign.id}",
        detail={"count": told.asked, "classes": sorted(classes), "purpose": version.purpose},
    )
    cells = {"": told.permitted, **told.stopped}
    about = f"reach {version.purpose} {version.topic}"
    tell.ask({(about, code): count for code, count in cells.items()})
    return {
        "told": told,
        "permitted": str(tell(about, "", told.permitted)),
        "asked": f"{told.asked:,}" if tell.reader.exact else "ones",
        "all_asked": told.asked == told.members,
        "reasons": [
            (told.sentences[code], _remedy(code), str(tell(about, code, count)))
            for code, count in told.stopped.most_common()
        ],
    }


def _remedy(code: str) -> str:
    return policy.REASONS[code][1] if code in policy.REASONS else ""


def _patience() -> Callable[[], bool]:
    began = time.monotonic()
    return lambda: time.monotonic() - began > PATIENCE


@dataclass(frozen=True, slots=True)
class Trial:
    """What the trial can show: `each` people a message, a difference of `points` at least."""

    each: str
    points: str
    from_share: str


def _trial(campaign: Campaign, members: Shown) -> Trial | None:
    count = campaign.variants.count()
    if count < 2 or members.number is None:
        return None
    each = members.number * (100 - campaign.hold_out) * campaign.trial_share // (count * 10_000)
    smallest = trial.smallest_difference(each, share=TYPICAL, groups=count)
    return Trial(str(Shown(each, members.exact)), f"{smallest * 100:.1f}", f"{TYPICAL:.0%}")


def _conflicts(campaign: Campaign, user: User) -> list[dict[str, Any]]:
    """Return other campaigns that reach some of the same people within a day of this one."""
    rows = []
    for one in calendar.conflicts_of(campaign, now=timezone.now()):
        classes = planning.betrayed(one.other) or frozenset()
        mine = planning.betrayed(campaign) or frozenset()
        ids = sorted((str(campaign.id), str(one.other.id)))
        tell = teller(classes | mine, user, "campaigns share", *ids, free=False)
        rows.append({"campaign": one.other, "at": one.at, "both": str(tell("", "", one.both))})
    return rows
