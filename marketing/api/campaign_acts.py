"""What machines do with a campaign: ask for approval, decide, launch, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from marketing.api.askers import Machine
from marketing.api.campaign_forms import Acted, ApprovalDecision, ApprovalRow, CampaignBody
from marketing.api.campaigns import body, by_id, refusal
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import not_found
from marketing.campaigns import launching, planning
from marketing.campaigns.models import CampaignApproval
from marketing.campaigns.planning import CampaignRefused, Problem
from marketing.web.workflow_figures import teller


class Nothing(Form):
    """An act that needs no words."""


class _Act(MachineView):
    """An act on one campaign, at most once for each idempotency key."""

    def acted(
        self, name: str, campaign_id: UUID, request: Request, act: Callable[[], Response]
    ) -> Response:
        by_id(campaign_id)

        def do() -> Response:
            try:
                return act()
            except CampaignRefused as refused:
                raise refusal(refused) from None

        return self.once(do, f"{name} {campaign_id}", request.data)

    def plain(self, name: str, campaign_id: UUID, request: Request, act: Any) -> Response:
        Nothing(data=request.data).is_valid(raise_exception=True)

        def do() -> Response:
            act(campaign_id, now=self.now)
            return Response(body(by_id(campaign_id), now=self.now))

        return self.acted(name, campaign_id, request, do)


class CampaignApprovals(_Act):
    """Requests for another person's approval."""

    scopes: ClassVar[Scopes] = {"POST": Permission.WORKFLOWS_EDIT}

    @extend_schema(
        operation_id="ask_campaign_approval",
        summary="Ask for a campaign's approval",
        description="Of exactly this audience, these versions and this plan. Refused while "
        "something is wrong with it.",
        request=Nothing,
        responses={201: ApprovalRow},
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        Nothing(data=request.data).is_valid(raise_exception=True)

        def ask() -> Response:
            planning.ask_approval(campaign_id, now=self.now)
            told = body(by_id(campaign_id), now=self.now)["approval"]
            return Response(told, status=201)

        return self.acted("ask_campaign_approval", campaign_id, request, ask)


class CampaignDecisions(_Act):
    """The answer to a request; never to one's own."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CAMPAIGNS_APPROVE}

    @extend_schema(
        operation_id="decide_campaign_approval",
        summary="Approve a campaign, or send it back",
        description="Neither the key that made, changed or asked for it may decide, nor one made "
        "by the same member of staff, nor one whose maker did.",
        request=ApprovalDecision,
        responses=ApprovalRow,
        examples=[
            OpenApiExample(
                "Sent back", value={"approve": False, "reason": "Shorten it."}, request_only=True
            )
        ],
    )
    def post(self, request: Request, campaign_id: UUID, approval_id: UUID) -> Response:
        asked = CampaignApproval.objects.filter(id=approval_id, campaign_id=campaign_id)
        if not asked.exists():
            raise not_found("approval")
        form = ApprovalDecision(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data

        def decide() -> Response:
            planning.decide(
                approval_id,
                approve=given["approve"],
                reason=given.get("reason", ""),
                now=self.now,
            )
            return Response(body(by_id(campaign_id), now=self.now)["approval"])

        return self.acted(f"decide {approval_id}", campaign_id, request, decide)


class CampaignLaunches(_Act):
    scopes: ClassVar[Scopes] = {"POST": Permission.MESSAGES_SEND}

    @extend_schema(
        operation_id="launch_campaign",
        summary="Launch a campaign",
        description="It goes out at its time, only if an approval covers it exactly as it is. The "
        "gate is asked again for each message.",
        request=Nothing,
        responses=CampaignBody,
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        return self.plain("launch_campaign", campaign_id, request, launching.launch)


class CampaignPauses(_Act):
    scopes: ClassVar[Scopes] = {"POST": Permission.MESSAGES_SEND}

    @extend_schema(
        operation_id="pause_campaign",
        summary="Pause a campaign",
        request=Nothing,
        responses=CampaignBody,
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        return self.plain("pause_campaign", campaign_id, request, _turned(launching.pause, "live"))


class CampaignResumptions(_Act):
    scopes: ClassVar[Scopes] = {"POST": Permission.MESSAGES_SEND}

    @extend_schema(
        operation_id="resume_campaign",
        summary="Resume a paused campaign",
        request=Nothing,
        responses=CampaignBody,
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        return self.plain(
            "resume_campaign", campaign_id, request, _turned(launching.resume, "paused")
        )


def _turned(turn: Callable[..., bool], wanted: str) -> Callable[..., None]:
    def act(campaign_id: UUID, *, now: Any) -> None:
        if not turn(campaign_id, now=now):
            raise CampaignRefused([Problem("", f"It is not {wanted}, so nothing changed.")])

    return act


class CampaignCancellations(_Act):
    scopes: ClassVar[Scopes] = {"POST": Permission.MESSAGES_SEND}

    @extend_schema(
        operation_id="cancel_campaign",
        summary="Cancel a campaign for good",
        description="What waits does not go; what has gone out stays out.",
        request=Nothing,
        responses=Acted,
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        Nothing(data=request.data).is_valid(raise_exception=True)

        def cancel() -> Response:
            spared = launching.cancel(campaign_id, now=self.now)
            found = by_id(campaign_id)
            classes = planning.betrayed(found) or frozenset()
            tell = teller(classes, Machine(self.key()), "campaign", str(found.id))
            count = tell("", "to go", spared).number
            return Response({"id": found.id, "state": found.state, "count": count})

        return self.acted("cancel_campaign", campaign_id, request, cancel)


class CampaignCopies(_Act):
    scopes: ClassVar[Scopes] = {"POST": Permission.WORKFLOWS_EDIT}

    @extend_schema(
        operation_id="copy_campaign",
        summary="Begin another campaign like this one",
        request=Nothing,
        responses={201: CampaignBody},
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        Nothing(data=request.data).is_valid(raise_exception=True)

        def copy() -> Response:
            made = planning.copy(by_id(campaign_id), now=self.now)
            return Response(body(made, now=self.now), status=201)

        return self.acted("copy_campaign", campaign_id, request, copy)
