"""Campaigns by machines: drafted, checked, read. By the same rules as the pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts.segments.counts import Shown
from marketing.api.askers import Machine
from marketing.api.campaign_forms import (
    EXAMPLE,
    CalendarBody,
    CalendarForm,
    CampaignBody,
    CampaignForm,
    CampaignRows,
    CheckBody,
    FiguresBody,
)
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found
from marketing.campaigns import calendar, planning
from marketing.campaigns.models import Campaign, CampaignApproval, Run
from marketing.campaigns.planning import CampaignRefused, Draft
from marketing.web import campaign_check, campaign_figures
from workflows import recurring

PAGE = 50
FURTHEST = timedelta(days=400)
_PLAN = (
    "name", "starts_on", "starts_at", "each_zone", "at_own_hour", "repeats", "lasts_hours",
    "ceiling", "hold_out", "trial_share", "trial_by", "trial_hours", "goal_kind", "goal_days",
)  # fmt: skip


class Campaigns(MachineView):
    """The organisation's campaigns."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.WORKFLOWS_VIEW,
        "POST": Permission.WORKFLOWS_EDIT,
    }

    @extend_schema(
        operation_id="read_campaigns",
        summary="Read the campaigns, the newest first",
        parameters=[OpenApiParameter("after", str, description="The `next` of the page before.")],
        responses=CampaignRows,
    )
    def get(self, request: Request) -> Response:
        rows = Campaign.objects.order_by("-id").prefetch_related("runs")
        if after := request.query_params.get("after"):
            rows = rows.filter(id__lt=_id(after))
        found = list(rows[: PAGE + 1])
        more = str(found[PAGE - 1].id) if len(found) > PAGE else None
        return Response({"campaigns": [_row(one) for one in found[:PAGE]], "next": more})

    @extend_schema(
        operation_id="make_campaign",
        summary="Draft a campaign",
        description="Nothing goes out by it: it is checked, approved by another, and launched.",
        request=CampaignForm,
        responses={201: CampaignBody},
        examples=[OpenApiExample("Monthly", value=EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        form = CampaignForm(data=request.data)
        form.is_valid(raise_exception=True)
        changes = _changes(form.validated_data)

        def make() -> Response:
            empty = Draft(name="", segment_id=None, templates=())
            made = _kept(lambda: planning.create(replace(empty, **changes), now=self.now))
            return Response(body(made, now=self.now), status=201)

        return self.once(make, "make_campaign", request.data)


class OneCampaign(MachineView):
    """One campaign, as it is and as it is planned."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.WORKFLOWS_VIEW,
        "PATCH": Permission.WORKFLOWS_EDIT,
    }

    @extend_schema(operation_id="read_campaign", summary="Read a campaign", responses=CampaignBody)
    def get(self, request: Request, campaign_id: UUID) -> Response:
        return Response(body(by_id(campaign_id), now=self.now))

    @extend_schema(
        operation_id="change_campaign",
        summary="Change a campaign that was not launched",
        description="What is left out stays. Every change voids an approval.",
        request=CampaignForm(partial=True),
        responses=CampaignBody,
        examples=[OpenApiExample("A later time", value={"starts_at": "15:00"}, request_only=True)],
    )
    def patch(self, request: Request, campaign_id: UUID) -> Response:
        form = CampaignForm(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        draft = replace(planning.draft_of(by_id(campaign_id)), **_changes(form.validated_data))
        made = _kept(lambda: planning.change(campaign_id, draft, now=self.now))
        return Response(body(made, now=self.now))


class CampaignChecks(MachineView):
    """The launch check."""

    scopes: ClassVar[Scopes] = {"GET": Permission.WORKFLOWS_VIEW}

    @extend_schema(
        operation_id="check_campaign",
        summary="Check a campaign before its launch",
        description="How many would get it now, why not the rest, what a trial can show, and "
        "which campaigns reach the same people within a day. Counts are blurred where the key "
        "does not see what the segment asks.",
        responses=CheckBody,
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        found = by_id(campaign_id)
        wrong = planning.problems(found, now=self.now) if found.may_be_changed else []
        told = campaign_check.look(found, Machine(self.key()), now=self.now)
        return Response({"problems": _problems(wrong), **_checked(told)})


def _checked(told: campaign_check.Check | None) -> dict[str, Any]:
    if told is None:
        return {"ready": False, "exact": True, "members": None, "over_the_ceiling": False,
                "held_out": None, "reach": None, "trial": None, "conflicts": [],
                "as_of": None}  # fmt: skip
    reach, trial = told.reach, told.trial
    return {
        "ready": True,
        "exact": told.exact,
        "members": told.members.number,
        "over_the_ceiling": told.over,
        "held_out": _number(told.held),
        "reach": reach
        and {
            "permitted": reach.permitted.number,
            "asked": reach.asked if told.exact else None,
            "all_asked": reach.all_asked,
            "not_permitted": [
                {"code": code, "why": sentence, "remedy": remedy, "people": people.number}
                for code, sentence, remedy, people in reach.reasons
            ],
        },
        "trial": trial
        and {
            "each": trial.each.number,
            "smallest_difference_in_points": float(trial.points),
            "from_share": trial.from_share,
        },
        "conflicts": [
            {"campaign": one.campaign.id, "at": one.at, "people": one.both.number}
            for one in told.conflicts
        ],
        "as_of": told.as_of,
    }


def _number(told: Shown | None) -> int | None:
    return told.number if told is not None else None


class CampaignFigures(MachineView):
    """What became of one run."""

    scopes: ClassVar[Scopes] = {"GET": Permission.WORKFLOWS_VIEW}

    @extend_schema(
        operation_id="read_campaign_figures",
        summary="Read the figures of a run",
        responses=FiguresBody,
    )
    def get(self, request: Request, campaign_id: UUID, number: int) -> Response:
        found = by_id(campaign_id)
        run = found.runs.filter(number=number).first()
        if run is None:
            raise not_found("run")
        run.campaign = found
        told = campaign_figures.numbers(run, Machine(self.key())) if run.frozen_at else {}
        return Response({"run": _run(run), "figures": told})


class CampaignCalendar(MachineView):
    """What goes out when, across everybody's campaigns."""

    scopes: ClassVar[Scopes] = {"GET": Permission.WORKFLOWS_VIEW}

    @extend_schema(
        operation_id="read_campaign_calendar",
        summary="Read the calendar of campaigns",
        description="Past, due, foreseen by a rule, and planned; 400 days at most.",
        parameters=[CalendarForm],
        responses=CalendarBody,
    )
    def get(self, request: Request) -> Response:
        form = CalendarForm(data=request.query_params.dict())
        form.is_valid(raise_exception=True)
        since, until = form.validated_data["since"], form.validated_data["until"]
        if not since < until <= since + FURTHEST:
            raise invalid([Fault("/until", "It must be later than since, by 400 days at most.")])
        found = calendar.entries(since=since, until=until, now=self.now)
        rows = [
            {"campaign": one.campaign.id, "name": one.campaign.name, "at": one.at, "kind": one.kind}
            for one in found
        ]
        return Response({"entries": rows})


def by_id(campaign_id: UUID) -> Campaign:
    found = Campaign.objects.filter(id=campaign_id).select_related("organisation").first()
    if found is None:
        raise not_found("campaign")
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid([Fault("/after", "Give the `next` of the page before.")]) from None


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was sent under the names of a draft."""
    changes = {name: given[name] for name in _PLAN if name in given}
    for sent, name in (("segment", "segment_id"), ("excluded", "excluded_id")):
        if sent in given:
            changes[name] = given[sent]
    if "variants" in given:
        changes["templates"] = [one["template"] for one in given["variants"]]
        changes["times"] = [one.get("starts_at") for one in given["variants"]]
    return changes


def _kept(act: Any) -> Campaign:
    try:
        made: Campaign = act()
    except CampaignRefused as refused:
        raise refusal(refused) from None
    return made


def refusal(refused: CampaignRefused) -> Problem:
    """Return the problem of an act that cannot be done: of a field, or of the state it is in."""
    if all(not one.field for one in refused.problems):
        return Problem(409, "conflict", str(refused))
    return invalid([Fault(one["pointer"], one["detail"]) for one in _problems(refused.problems)])


def _problems(wrong: list[planning.Problem]) -> list[dict[str, str]]:
    return [{"pointer": _pointer(one.field), "detail": one.message} for one in wrong]


def _pointer(field: str) -> str:
    if field.startswith("template_"):
        return f"/variants/{planning.LETTERS.lower().index(field[-1])}/template"
    return f"/{field}" if field else ""


def _row(campaign: Campaign) -> dict[str, Any]:
    runs = [one for one in campaign.runs.all() if one.state == Run.State.DUE]
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state,
        "segment": campaign.segment_id,
        "next_at": min((one.due_at for one in runs), default=None),
        "changed_at": campaign.changed_at,
        "launched_at": campaign.launched_at,
    }


def body(campaign: Campaign, *, now: datetime) -> dict[str, Any]:
    found = by_id(campaign.id)
    rule = found.rule
    return {
        **_row(found),
        "plan": _plan(found),
        "in_words": rule.words() if rule else "",
        "next_times": _times(found, rule, now=now),
        "problems": _problems(planning.problems(found, now=now)) if found.may_be_changed else [],
        "approval": _approval(found),
        "runs": [_run(one) for one in found.runs.all()],
    }


def _plan(campaign: Campaign) -> dict[str, Any]:
    plan = {name: getattr(campaign, name) for name in _PLAN}
    variants = [
        {"template": str(one.template_id), "starts_at": one.starts_at}
        for one in campaign.variants.all()
    ]
    segments = {"segment": campaign.segment_id, "excluded": campaign.excluded_id}
    return (
        plan | {name: one and str(one) for name, one in segments.items()} | {"variants": variants}
    )


def _times(campaign: Campaign, rule: recurring.Repeats | None, *, now: datetime) -> list[datetime]:
    first = campaign.first_wall
    if first is None or campaign.state in (Campaign.State.DONE, Campaign.State.CANCELLED):
        return []
    zone = campaign.organisation.zone
    return list(islice(recurring.moments(first, rule, zone=zone, after=now), 5))


def _approval(campaign: Campaign) -> dict[str, Any] | None:
    latest = campaign.approvals.exclude(verdict=CampaignApproval.Verdict.VOID).first()
    if latest is None:
        return None
    standing = planning.standing(campaign)
    return {
        "id": latest.id,
        "verdict": latest.verdict,
        "requested_at": latest.requested_at,
        "decided_at": latest.decided_at,
        "reason": latest.reason,
        "stands": standing is not None and standing.id == latest.id,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "number": run.number,
        "state": run.state,
        "due_at": run.due_at,
        "percent": run.percent,
        "winner": run.winner,
        "verdict": run.verdict,
        "stopped_by": run.problem,
        "ended_at": run.ended_at,
    }
