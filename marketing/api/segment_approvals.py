"""The second person that a sensitive segment needs."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts.segments import approvals
from contacts.segments.models import Segment
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem
from marketing.api.segment_forms import ApprovalAnswer
from marketing.api.segment_rows import find


class SegmentApprovals(MachineView):
    """A second person's answer about a sensitive segment. A person decides, in the browser."""

    scopes: ClassVar[Scopes] = {"GET": Permission.SEGMENTS_VIEW, "POST": Permission.SEGMENTS_EDIT}

    @extend_schema(
        operation_id="read_segment_approval",
        summary="Read how the approval stands",
        responses=ApprovalAnswer,
    )
    def get(self, request: Request, segment_id: UUID) -> Response:
        return Response(_approval(find(segment_id)))

    @extend_schema(
        operation_id="request_segment_approval",
        summary="Ask for approval",
        request=None,
        responses=ApprovalAnswer,
    )
    def post(self, request: Request, segment_id: UUID) -> Response:
        """Bound to what the segment means now: an edit, of what it names too, voids it."""
        found = find(segment_id)
        try:
            approvals.request(found, now=self.now)
        except approvals.ApprovalRefused as refused:
            raise Problem(409, "conflict", str(refused)) from None
        return Response(_approval(found))


def _approval(segment: Segment) -> dict[str, Any]:
    latest = approvals.latest(segment)
    return {
        "needed": bool(segment.labels),
        "state": latest.verdict if latest else "none",
        "requested_at": latest.requested_at if latest else None,
        "decided_at": latest.decided_at if latest else None,
    }
