"""A second person's yes or no to a segment that reads a sensitive label."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from contacts.segments import approvals
from contacts.segments.models import Segment, SegmentApproval
from marketing.web import segment_sight

Verdict = SegmentApproval.Verdict


@require_POST
@requires(Permission.SEGMENTS_EDIT)
def request_approval(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    found = segment_sight.found(segment_id)
    try:
        approvals.request(found, now=timezone.now())
    except approvals.ApprovalRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "A compliance officer is asked to look at it.")
    return redirect("segment", segment_id=found.id)


@require_POST
@requires(Permission.SEGMENTS_APPROVE)
def decide(request: HttpRequest, segment_id: UUID, approval_id: UUID) -> HttpResponse:
    """Approve or refuse; only who may read what the segment asks can judge it."""
    user, found = staff_of(request), segment_sight.found(segment_id)
    if not segment_sight.of(found, user).open:
        raise PermissionDenied
    if not SegmentApproval.objects.filter(pk=approval_id, segment=found).exists():
        raise Http404
    yes = request.POST.get("verdict") == "approve"
    reason = request.POST.get("reason", "")
    try:
        approvals.decide(approval_id, approve=yes, reason=reason, now=timezone.now())
    except approvals.ApprovalRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Approved." if yes else "Refused: nothing is sent to it.")
    return redirect("segment", segment_id=found.id)


def state_of(segment: Segment, user: User) -> dict[str, Any]:
    """How the approval stands, and what this person may do about it."""
    if not segment.labels:
        return {}
    latest = approvals.latest(segment)
    verdict = latest.verdict if latest else ""
    own = latest is not None and str(user.pk) in (latest.requested_by, segment.changed_by)
    return {
        "latest": latest,
        "approved": verdict == Verdict.APPROVED,
        "waiting": verdict == Verdict.WAITING,
        "refused": verdict == Verdict.REFUSED,
        "may_request": user.may(Permission.SEGMENTS_EDIT)
        and verdict not in (Verdict.WAITING, Verdict.APPROVED),
        "may_decide": user.may(Permission.SEGMENTS_APPROVE)
        and verdict == Verdict.WAITING
        and not own,
        "own": own and verdict == Verdict.WAITING and user.may(Permission.SEGMENTS_APPROVE),
    }
