"""Segments over HTTP: made, and changed with their version."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts.segments import catalogue
from contacts.segments.definition import DefinitionInvalid
from contacts.segments.models import Segment
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid
from marketing.api.segment_forms import SegmentForm, SegmentRow, SegmentRows
from marketing.api.segment_rows import EXAMPLE, find, opened, pointer, row_of, rows_of
from marketing.campaigns import usage as campaigns
from workflows import usage

_IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description='The version that you read, in quotes: `"3"`. Another means 409.',
)


class Segments(MachineView):
    """The organisation's segments."""

    scopes: ClassVar[Scopes] = {"GET": Permission.SEGMENTS_VIEW, "POST": Permission.SEGMENTS_EDIT}

    @extend_schema(operation_id="read_segments", summary="Read the segments", responses=SegmentRows)
    def get(self, request: Request) -> Response:
        """Names and definitions of segments with a sensitivity label are hidden from keys that do
        not see clinical facts."""
        rows = Segment.objects.filter(archived_at=None).order_by("created_at")
        return Response({"segments": rows_of(list(rows), self.key(), now=self.now)})

    @extend_schema(
        operation_id="create_segment",
        summary="Make a segment",
        request=SegmentForm,
        responses={201: SegmentRow},
        examples=[
            OpenApiExample("Diabetes", value={"name": "Diabetes", **EXAMPLE}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        saved = _saved(request, self)
        return _with_version(Response(row_of(saved, self.key(), now=self.now), status=201), saved)


class OneSegment(MachineView):
    """One segment. Its version is the ETag."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.SEGMENTS_VIEW,
        "PUT": Permission.SEGMENTS_EDIT,
        "DELETE": Permission.SEGMENTS_EDIT,
    }

    @extend_schema(operation_id="read_segment", summary="Read a segment", responses=SegmentRow)
    def get(self, request: Request, segment_id: UUID) -> Response:
        found = find(segment_id)
        return _with_version(Response(row_of(found, self.key(), now=self.now)), found)

    @extend_schema(
        operation_id="update_segment",
        summary="Change a segment",
        parameters=[_IF_MATCH],
        request=SegmentForm,
        responses=SegmentRow,
        examples=[
            OpenApiExample("Diabetes", value={"name": "Diabetes", **EXAMPLE}, request_only=True)
        ],
    )
    def put(self, request: Request, segment_id: UUID) -> Response:
        found = opened(find(segment_id), self.key())
        saved = _saved(request, self, segment_id=found.id, version=_asked_version(request))
        return _with_version(Response(row_of(saved, self.key(), now=self.now)), saved)

    @extend_schema(
        operation_id="archive_segment",
        summary="Take a segment out of use",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, segment_id: UUID) -> Response:
        found = opened(find(segment_id), self.key())
        if catalogue.used_by(found.id) or usage.of_segment(found.id):
            detail = "Other segments or live workflows ask for it: change those first."
            raise Problem(409, "conflict", detail)
        if campaigns.of_segment(found.id):
            detail = "Campaigns go to it: cancel or change those first."
            raise Problem(409, "conflict", detail)
        catalogue.archive(found, now=self.now)
        return Response(status=204)


def _saved(
    request: Request,
    view: MachineView,
    *,
    segment_id: UUID | None = None,
    version: int | None = None,
) -> Segment:
    form = SegmentForm(data=request.data)
    form.is_valid(raise_exception=True)
    try:
        return catalogue.save(
            name=form.validated_data["name"],
            tree=form.validated_data["definition"],
            now=view.now,
            segment_id=segment_id,
            version=version,
        )
    except DefinitionInvalid as refused:
        raise invalid([Fault(pointer(p.path), p.message) for p in refused.problems]) from None
    except catalogue.ChangedMeanwhile:
        raise Problem(409, "conflict", "It was changed since: read it again.") from None


def _asked_version(request: Request) -> int:
    given = request.headers.get("If-Match", "").strip().strip('"')
    if not given.isdecimal() or len(given) > 9:
        detail = 'Send the version that you read as the header If-Match: "3".'
        raise Problem(422, "invalid", detail, faults=[Fault("/If-Match", "is missing")])
    return int(given)


def _with_version(response: Response, segment: Segment) -> Response:
    response["ETag"] = f'"{segment.version}"'
    return response
