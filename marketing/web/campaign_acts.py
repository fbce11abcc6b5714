"""What staff do with a campaign: ask for approval, decide, launch, pause, resume, cancel, copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.guard import requires
from accounts.roles import Permission
from marketing.campaigns import launching, planning
from marketing.campaigns.planning import CampaignRefused
from marketing.web.campaigns import by_id


@require_POST
@requires(Permission.WORKFLOWS_EDIT)
def ask_approval(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    return _do(
        request,
        campaign_id,
        lambda: planning.ask_approval(campaign_id, now=timezone.now()),
        "Sent for approval. Another person decides; you may leave this page.",
    )


@require_POST
@requires(Permission.CAMPAIGNS_APPROVE)
def decide(request: HttpRequest, campaign_id: UUID, approval_id: UUID) -> HttpResponse:
    if not by_id(campaign_id).approvals.filter(id=approval_id).exists():
        raise Http404
    approve = request.POST.get("verdict") == "approve"
    reason = request.POST.get("reason", "")[:400]
    return _do(
        request,
        campaign_id,
        lambda: planning.decide(approval_id, approve=approve, reason=reason, now=timezone.now()),
        "Approved, exactly as it is now." if approve else "Sent back with your reason.",
    )


@require_POST
@requires(Permission.MESSAGES_SEND)
def launch(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    return _do(
        request,
        campaign_id,
        lambda: launching.launch(campaign_id, now=timezone.now()),
        "Launched. The gate is asked again for each message before it goes.",
    )


@require_POST
@requires(Permission.MESSAGES_SEND)
def pause(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    return _do(
        request,
        campaign_id,
        lambda: launching.pause(campaign_id, now=timezone.now()),
        "Paused. Nobody more is written to until you resume it.",
    )


@require_POST
@requires(Permission.MESSAGES_SEND)
def resume(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    return _do(
        request,
        campaign_id,
        lambda: launching.resume(campaign_id, now=timezone.now()),
        "Under way again.",
    )


@require_POST
@requires(Permission.MESSAGES_SEND)
def cancel(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    return _do(
        request,
        campaign_id,
        lambda: launching.cancel(campaign_id, now=timezone.now()),
        "Cancelled for good. What waited does not go.",
    )


@require_POST
@requires(Permission.WORKFLOWS_EDIT)
def copy(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Begin another like this one."""
    made = planning.copy(by_id(campaign_id), now=timezone.now())
    messages.success(request, "A copy, as a draft. Give it its own time.")
    return redirect("campaign-edit", made.id)


def _do(request: HttpRequest, campaign_id: UUID, act: Callable[[], Any], done: str) -> HttpResponse:
    by_id(campaign_id)
    try:
        act()
    except CampaignRefused as refused:
        for problem in refused.problems:
            messages.error(request, problem.message)
    else:
        messages.success(request, done)
    return redirect("campaign", campaign_id)
