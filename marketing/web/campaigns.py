"""Campaigns: what goes out when, to whom, and what happened."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts.segments.models import Segment
from marketing.campaigns import launching, planning
from marketing.campaigns.models import Campaign, Run
from marketing.campaigns.planning import CampaignRefused
from marketing.web import campaign_figures, payments, segment_sight
from marketing.web.campaign_forms import CampaignForm, initial
from marketing.web.timeline import words
from marketing.web.workflow_figures import teller
from messaging.models import TemplateVersion
from workflows import recurring

KINDS = {
    "draft": "plain",
    "waiting": "warn",
    "approved": "ok",
    "live": "ok",
    "paused": "warn",
    "done": "plain",
    "cancelled": "plain",
}
WHY_STOPPED = {
    "over_the_ceiling": (
        "More people were in the audience than its ceiling allows, so nobody was written to.",
        "Raise the ceiling or narrow the segment; then have it approved again.",
    ),
    "domain_not_fit": (
        "The sending domain is not fit for so many messages, so nobody was written to.",
        "See Delivery, Sending domain; mend what is marked there, look again, and start it anew.",
    ),
    "changed_since_approval": (
        "The audience or the plan changed after it was approved, so nobody was written to.",
        "Look at it again and have it approved as it is now.",
    ),
    "segment_unusable": (
        "Its segment is broken, out of use or not approved, so nobody was written to.",
        "Mend the segment; then have the campaign approved again.",
    ),
}
LISTED = 200
SHOWN_TIMES = 5


@dataclass(frozen=True, slots=True)
class Row:
    campaign: Campaign
    kind: str
    audience: str
    next: Run | None
    last: Run | None


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def campaigns(request: HttpRequest) -> HttpResponse:
    user = staff_of(request)
    found = list(Campaign.objects.prefetch_related("runs")[:LISTED])
    titles = _titles({one.segment_id for one in found}, user)
    context = {
        "rows": [_row(one, titles) for one in found],
        "waiting": [one.campaign for one in planning.waiting()],
        "may_edit": user.may(Permission.WORKFLOWS_EDIT),
    }
    return render(request, "campaigns/list.html", context)


def _row(campaign: Campaign, titles: dict[UUID, str]) -> Row:
    runs = sorted(campaign.runs.all(), key=lambda one: one.number)
    due = next((one for one in runs if one.state == Run.State.DUE), None)
    last = next((one for one in reversed(runs) if one.frozen_at), None)
    title = titles.get(campaign.segment_id, "") if campaign.segment_id else ""
    return Row(campaign, KINDS[campaign.state], title, due, last)


def _titles(ids: set[UUID | None], user: User) -> dict[UUID, str]:
    rows = Segment.objects.filter(pk__in=[one for one in ids if one])
    return {one.segment.pk: one.title for one in segment_sight.of_all(list(rows), user)}


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def campaign(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """One campaign: what it is, what stands in its way, and what became of each run."""
    found, user, now = by_id(campaign_id), staff_of(request), timezone.now()
    runs = list(found.runs.all())
    for one in runs:
        one.campaign = found
    shown = next((one for one in runs if one.frozen_at), None)
    context = {
        "campaign": found,
        "kind": KINDS[found.state],
        "plan": _plan(found, user),
        "runs": [
            campaign_figures.line(one, user) | {"why": WHY_STOPPED.get(one.problem, ("",))[0]}
            for one in runs
        ],
        "own_hour": campaign_figures.own_hour(shown, user) if shown else "",
        "goal": words(found.goal_kind),
        "shown": campaign_figures.of(shown, user) if shown else None,
        "beginning": next((one for one in runs if one.begins(now=now)), None),
        "stopped": _stopped(runs, found),
        "times": _times(found, now=now),
        "approval": _approval(found, user),
        "problems": planning.problems(found, now=now) if found.may_be_changed else [],
        "to_go": _to_go(found, user),
        "payments": payments.of_the_campaign(found, now=now),
        "may_edit": user.may(Permission.WORKFLOWS_EDIT),
        "may_launch": user.may(Permission.MESSAGES_SEND),
        "as_of": now,
    }
    return render(request, "campaigns/campaign.html", context)


def by_id(campaign_id: UUID) -> Campaign:
    found = Campaign.objects.filter(id=campaign_id).first()
    if found is None:
        raise Http404
    return found


def _plan(campaign: Campaign, user: User) -> dict[str, Any]:
    """Return what the page says of the plan: only what this role may read of the segments."""
    titles = _titles({campaign.segment_id, campaign.excluded_id}, user)
    pinned = planning.pinned(campaign)
    rule = campaign.rule
    return {
        "segment": titles.get(campaign.segment_id) if campaign.segment_id else None,
        "excluded": titles.get(campaign.excluded_id) if campaign.excluded_id else None,
        "variants": [
            {"variant": one, "version": pinned.get(one.letter)}
            for one in campaign.variants.select_related("template")
        ],
        "rule": rule.words() if rule else "",
        "awaits": campaign.trial_share < 100,
    }


def _stopped(runs: list[Run], campaign: Campaign) -> tuple[str, str] | None:
    """Return why the last run stopped, while nobody has launched it again."""
    last = runs[0] if runs else None
    if last is None or last.state != Run.State.STOPPED:
        return None
    return WHY_STOPPED.get(last.problem, (last.problem, ""))


def _times(campaign: Campaign, *, now: Any) -> list[Any]:
    first = campaign.first_wall
    if first is None or campaign.state in ("done", "cancelled"):
        return []
    zone = campaign.organisation.zone
    return list(islice(recurring.moments(first, campaign.rule, zone=zone, after=now), SHOWN_TIMES))


def _approval(campaign: Campaign, user: User) -> dict[str, Any]:
    latest = campaign.approvals.exclude(verdict="void").first()
    own = latest is not None and str(user.pk) in (latest.requested_by, campaign.changed_by)
    waits = latest is not None and latest.verdict == "waiting"
    return {
        "latest": latest,
        "waits": waits,
        "own": own and waits,
        "may_decide": waits and not own and user.may(Permission.CAMPAIGNS_APPROVE),
        "newer": _newer(campaign, latest) if latest and campaign.may_be_changed else False,
    }


def _newer(campaign: Campaign, approval: Any) -> bool:
    """Say whether a message has an approved version later than the one that stands here."""
    now = {letter: str(version.id) for letter, version in planning.pinned(campaign).items()}
    return bool(now != approval.pinned)


def _to_go(campaign: Campaign, user: User) -> str:
    """Return how many people a cancellation spares, as far as the role sees it."""
    if campaign.state not in ("live", "paused"):
        return ""
    classes = planning.betrayed(campaign) or frozenset()
    tell = teller(classes, user, "campaign", str(campaign.id))
    return str(tell("", "to go", launching.to_go(campaign)))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_EDIT)
def edit(request: HttpRequest, campaign_id: UUID | None = None) -> HttpResponse:
    """Make a campaign, or change one that was not launched."""
    found, user, now = (
        by_id(campaign_id) if campaign_id else None,
        staff_of(request),
        timezone.now(),
    )
    if found is not None and not found.may_be_changed:
        return redirect("campaign", found.id)
    first = initial(found) if found else {"segment": request.GET.get("segment", "")}
    form = CampaignForm(request.POST or None, user=user, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            draft = form.draft()
            made = (
                planning.change(found.id, draft, now=now)
                if found
                else planning.create(draft, now=now)
            )
        except CampaignRefused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("campaign", made.id)
    context = {"form": form, "campaign": found, "groups": _groups(form)}
    return render(request, "campaigns/edit.html", context, status=422 if form.errors else 200)


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that answer one question; optional ones are folded away while they say nothing."""

    title: str
    note: str
    fields: list[Any]
    optional: bool = False

    @property
    def open(self) -> bool:
        return any(
            one.errors or one.value() not in _SILENT.get(one.name, _EMPTY) for one in self.fields
        )


_EMPTY: tuple[Any, ...] = (None, "", [], False)
_SILENT: dict[str, tuple[Any, ...]] = {
    "trial_share": (100, "100"),
    "trial_hours": (24, "24"),
    "trial_by": ("message.clicked", *_EMPTY),
    "hold_out": (0, "0"),
    "goal_days": (14, "14"),
}


def _groups(form: CampaignForm) -> list[Group]:
    asked = (
        ("Whom", "", ("name", "segment", "excluded", "ceiling"), False),
        ("What", "", ("template_a",), False),
        ("When", "By the clock of the organisation, unless said otherwise.",
         ("starts_on", "starts_at", "lasts_hours", "each_zone", "at_own_hour"), False),
        ("Again and again", "Every week, every month …",
         ("repeats", "every", "days", "month_day", "until", "rule"), True),
        ("Try messages or times against each other", "Leave it empty where there is one message.",
         ("template_b", "template_c", "time_a", "time_b", "time_c", "trial_share", "trial_by",
          "trial_hours"), True),
        ("Know what it brings about", "Who gets nothing shows what would have come anyway.",
         ("hold_out", "goal_kind", "goal_days"), True),
    )  # fmt: skip
    return [
        Group(title, note, [form[name] for name in names], optional)
        for title, note, names, optional in asked
    ]


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def progress(request: HttpRequest, campaign_id: UUID, number: int) -> HttpResponse:
    """Answer the part of the page that moves while a run goes out."""
    found = by_id(campaign_id)
    run = found.runs.filter(number=number).first()
    if run is None:
        raise Http404
    run.campaign = found
    if run.frozen_at is None:
        beginning = run if run.begins(now=timezone.now()) else None
        part = render(request, "campaigns/_beginning.html", {"beginning": beginning})
        return part if beginning else _whole_page(part)
    shown = campaign_figures.of(run, staff_of(request))
    context = {"campaign": found, "shown": shown, "goal": words(found.goal_kind)}
    part = render(request, "campaigns/_run.html", context)
    return part if run.state == Run.State.SENDING else _whole_page(part)


def _whole_page(part: HttpResponse) -> HttpResponse:
    """Once it is over, what stands around the part is old: its state and what may be pressed."""
    part["HX-Refresh"] = "true"
    return part


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def run(request: HttpRequest, campaign_id: UUID, number: int) -> HttpResponse:
    """What became of one run: for a campaign that repeats, an earlier one."""
    found = by_id(campaign_id)
    row = found.runs.filter(number=number).first()
    if row is None or row.frozen_at is None:
        raise Http404
    row.campaign = found
    ids = [UUID(one) for one in row.pinned.values()]
    context = {
        "campaign": found,
        "goal": words(found.goal_kind),
        "shown": campaign_figures.of(row, staff_of(request)),
        "versions": TemplateVersion.objects.filter(id__in=ids).select_related("template"),
    }
    return render(request, "campaigns/run.html", context)


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def figures_file(request: HttpRequest, campaign_id: UUID, number: int) -> HttpResponse:
    """The figures of one run as a file: counts as far as the role is told them, no person."""
    found, user = by_id(campaign_id), staff_of(request)
    row = found.runs.filter(number=number).first()
    if row is None or row.frozen_at is None:
        raise Http404
    row.campaign = found
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["counted", "in words", "people"])
    writer.writerows(campaign_figures.rows(row, user))
    trail.record("campaign.exported", subject=f"campaign:{found.id}", detail={"run": row.number})
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="campaign-run-{row.number}.csv"'
    return response
