"""Segments over HTTP: made, changed with their version, counted, explained, compared, approved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttle
from accounts.models import ApiKey
from accounts.roles import Permission
from audit import trail
from contacts.models import Contact
from contacts.segments import (
    approvals,
    asking,
    catalogue,
    evaluate,
    growth,
    previewed,
    references,
    told,
)
from contacts.segments.counting import Preview
from contacts.segments.definition import Definition, DefinitionInvalid, in_words
from contacts.segments.explain import explain
from contacts.segments.models import Segment
from contacts.segments.told import Reader
from marketing.api import contacts
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found
from marketing.api.segment_forms import (
    ApprovalAnswer,
    CountAnswer,
    ExplainAnswer,
    ExplainForm,
    GrowthAnswer,
    OverlapAnswer,
    OverlapForm,
    PreviewAnswer,
    PreviewForm,
    SegmentForm,
    SegmentRow,
    SegmentRows,
)
from marketing.web import segment_sight
from marketing.web.segment_panels import overlap_of
from workflows import usage

_EXAMPLE = {
    "definition": {
        "all": [
            {"field": "birth_date", "op": "age_gte", "value": 50},
            {
                "field": "conditions",
                "op": "has_code",
                "system": "http://snomed.info/sct",
                "codes": ["44054006"],
                "where": {"status": "active"},
            },
        ]
    }
}
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
            OpenApiExample("Diabetes", value={"name": "Diabetes", **_EXAMPLE}, request_only=True)
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
        found = _found(segment_id)
        return _with_version(Response(row_of(found, self.key(), now=self.now)), found)

    @extend_schema(
        operation_id="update_segment",
        summary="Change a segment",
        parameters=[_IF_MATCH],
        request=SegmentForm,
        responses=SegmentRow,
        examples=[
            OpenApiExample("Diabetes", value={"name": "Diabetes", **_EXAMPLE}, request_only=True)
        ],
    )
    def put(self, request: Request, segment_id: UUID) -> Response:
        found = _open(_found(segment_id), self.key())
        saved = _saved(request, self, segment_id=found.id, version=_asked_version(request))
        return _with_version(Response(row_of(saved, self.key(), now=self.now)), saved)

    @extend_schema(
        operation_id="archive_segment",
        summary="Take a segment out of use",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, segment_id: UUID) -> Response:
        found = _found(segment_id)
        if catalogue.used_by(found.id) or usage.of_segment(found.id):
            detail = "Other segments or live workflows ask for it: change those first."
            raise Problem(409, "conflict", detail)
        catalogue.archive(found, now=self.now)
        return Response(status=204)


class SegmentPreviews(MachineView):
    """How many people a definition finds now."""

    scopes: ClassVar[Scopes] = {"POST": Permission.SEGMENTS_VIEW}

    @extend_schema(
        operation_id="preview_segment",
        summary="Count a definition",
        request=PreviewForm,
        responses=PreviewAnswer,
        examples=[OpenApiExample("Diabetes, 50 and over", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Rationed and limited in time; small counts are null unless the key sees why."""
        form = PreviewForm(data=request.data)
        form.is_valid(raise_exception=True)
        definition = _read(form.validated_data["definition"])
        return Response(_counted(definition, self))


class SegmentCounts(MachineView):
    """How many a saved segment finds now."""

    scopes: ClassVar[Scopes] = {"POST": Permission.SEGMENTS_VIEW}

    @extend_schema(
        operation_id="count_segment",
        summary="Count a segment now",
        request=None,
        responses=CountAnswer,
    )
    def post(self, request: Request, segment_id: UUID) -> Response:
        """Members stay as they are: they follow changes by themselves."""
        found = _open(_found(segment_id), self.key())
        told = _counted(_meaning(found), self)
        return Response({key: told[key] for key in ("total", "exact", "funnel", "as_of")})


class SegmentExplanations(MachineView):
    """Why a person is in a segment, or out."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_VIEW}

    @extend_schema(
        operation_id="explain_segment",
        summary="Explain a person's place",
        request=ExplainForm,
        responses=ExplainAnswer,
        examples=[
            OpenApiExample(
                "One contact",
                value={"contact": "0199f0a0-0000-7000-8000-000000000001"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, segment_id: UUID) -> Response:
        """Answers and values are null for data classes that the key does not open, and for groups
        that would give them away."""
        found = _open(_found(segment_id), self.key())
        form = ExplainForm(data=request.data)
        form.is_valid(raise_exception=True)
        contact = Contact.objects.filter(
            public_id=form.validated_data["contact"], erased_at=None
        ).first()
        if contact is None:
            raise not_found("contact")
        definition, granted = _meaning(found), _granted(self.key())
        names = catalogue.names_in(definition, clinical="clinical" in granted)
        lines = explain(definition, contact.pk, now=self.now, names=names, granted=granted)
        detail: dict[str, str | list[str]] = {
            "classes": sorted(segment_classes(definition) & granted),
            "verdict": {True: "in", False: "out", None: "hidden"}[lines[0].holds],
        }
        trail.record("segment.explained", subject=f"contact:{contact.pk}", detail=detail)
        clauses = [
            {
                "path": line.path,
                "words": line.words,
                "holds": line.holds,
                "value": None if line.holds is None else line.value,
                "depth": line.depth,
            }
            for line in lines
        ]
        return Response({"in": lines[0].holds, "clauses": clauses, "as_of": self.now})


class SegmentOverlaps(MachineView):
    """How many two segments share."""

    scopes: ClassVar[Scopes] = {"POST": Permission.SEGMENTS_VIEW}

    @extend_schema(
        operation_id="compare_segments",
        summary="Lay a segment over another",
        request=OverlapForm,
        responses=OverlapAnswer,
        examples=[
            OpenApiExample(
                "With another",
                value={"with": "0199f0a0-0000-7000-8000-000000000002"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, segment_id: UUID) -> Response:
        """Of the members as last worked out. Null: small, or gives something small away."""
        first = _found(segment_id)
        form = OverlapForm(data=request.data)
        form.is_valid(raise_exception=True)
        second = _found(form.validated_data["with"])
        readers = [_reader(one, self.key(), now=self.now) for one in (first, second)]
        reader = next((one for one in readers if not one.exact), readers[0])
        cells = overlap_of(first, second, reader=reader)
        answer = {name: getattr(cells, name) for name in cells.__slots__}
        return Response({**answer, "exact": reader.exact, "as_of": _older(first, second)})


class SegmentGrowth(MachineView):
    """How a segment moved."""

    scopes: ClassVar[Scopes] = {"GET": Permission.SEGMENTS_VIEW}

    @extend_schema(
        operation_id="read_segment_growth",
        summary="Read a segment's days",
        responses=GrowthAnswer,
    )
    def get(self, request: Request, segment_id: UUID) -> Response:
        """The last 90 days, each as it ended; small counts are null, small changes not shown."""
        found = _found(segment_id)
        reader = _reader(found, self.key(), now=self.now)
        today = self.now.astimezone(found.organisation.zone).date()
        rows = growth.days(found, today=today, back=90, reader=reader)
        days = [{"day": one.day, "count": one.count} for one in rows]
        return Response({"days": days, "exact": reader.exact})


class SegmentApprovals(MachineView):
    """A second person's answer about a sensitive segment. A person decides, in the browser."""

    scopes: ClassVar[Scopes] = {"GET": Permission.SEGMENTS_VIEW, "POST": Permission.SEGMENTS_EDIT}

    @extend_schema(
        operation_id="read_segment_approval",
        summary="Read how the approval stands",
        responses=ApprovalAnswer,
    )
    def get(self, request: Request, segment_id: UUID) -> Response:
        return Response(_approval(_found(segment_id)))

    @extend_schema(
        operation_id="request_segment_approval",
        summary="Ask for approval",
        request=None,
        responses=ApprovalAnswer,
    )
    def post(self, request: Request, segment_id: UUID) -> Response:
        """Bound to what the segment means now: an edit, of what it names too, voids it."""
        found = _found(segment_id)
        try:
            approvals.request(found, now=self.now)
        except approvals.ApprovalRefused as refused:
            raise Problem(409, "conflict", str(refused)) from None
        return Response(_approval(found))


def pointer(path: str) -> str:
    """Return the JSON pointer into the body for a place such as `$.all[0].value`."""
    if not path.startswith("$"):
        return f"/{path}"
    parts = re.findall(r"\.([^.\[]+)|\[(\d+)\]", path)
    return "/definition" + "".join(f"/{name or place}" for name, place in parts)


def row_of(segment: Segment, key: ApiKey, *, now: datetime) -> dict[str, Any]:
    """A segment as a key may see it."""
    return rows_of([segment], key, now=now)[0]


def rows_of(segments: Sequence[Segment], key: ApiKey, *, now: datetime) -> list[dict[str, Any]]:
    granted = _granted(key)
    meant = [segment_sight.meaning(one) for one in segments]
    readers = [told.reader(classes, granted, asker=key.id, now=now) for classes, _ in meant]
    asked = [
        (reader, question, one.count)
        for one, reader, (_, question) in zip(segments, readers, meant, strict=True)
    ]
    numbers = [None if shown is None else shown.number for shown in segment_sight.told_of(asked)]
    return [
        _row(one, count, clinical="clinical" in granted)
        for one, count in zip(segments, numbers, strict=True)
    ]


def _row(segment: Segment, count: int | None, *, clinical: bool) -> dict[str, Any]:
    hidden = bool(segment.labels) and not clinical
    return {
        "id": segment.id,
        "name": catalogue.titled(segment, clinical=clinical),
        "definition": None if hidden else segment.definition,
        "labels": list(segment.labels),
        "status": segment.status,
        "problem": segment.problem,
        "sendable": not approvals.why_not(segment),
        "version": segment.version,
        "count": count,
        "counted_at": segment.counted_at,
    }


def segment_classes(definition: Definition) -> set[str]:
    """The data classes that membership betrays."""
    return {kind.value for kind in references.data_classes(definition)}


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


def _found(segment_id: UUID) -> Segment:
    found = Segment.objects.filter(pk=segment_id, archived_at=None).first()
    if found is None:
        raise not_found("segment")
    return found


def _open(segment: Segment, key: ApiKey) -> Segment:
    """Refuse a key that may not read what the segment asks (PR-30)."""
    if segment.labels and "clinical" not in _granted(key):
        detail = "It reads a sensitive label: it needs the scope contacts.reveal_clinical."
        raise Problem(403, "scope-missing", detail)
    return segment


def _read(tree: object) -> Definition:
    try:
        return catalogue.expanded(catalogue.read(tree))
    except DefinitionInvalid as refused:
        raise invalid([Fault(pointer(p.path), p.message) for p in refused.problems]) from None


def _meaning(segment: Segment) -> Definition:
    try:
        return catalogue.definition_of(segment)
    except DefinitionInvalid:
        raise Problem(409, "conflict", "The segment is broken: mend its definition.") from None


def _counted(definition: Definition, view: MachineView) -> dict[str, Any]:
    key, turn = view.key(), asking.Turn.of(str(view.key().id), "api", 0)
    if not throttle.spend(catalogue.PREVIEWS, str(key.id), now=view.now):
        raise Problem(
            429, "too-many", "Wait a moment between counts.", headers={"Retry-After": "1"}
        )
    try:
        with asking.giving_way(turn):
            seen = evaluate.preview(definition, now=view.now, turn=turn)
    except (asking.TooSlow, asking.Overtaken):
        detail = "It takes too long to count while you wait: save it, and read its count later."
        raise Problem(503, "too-slow", detail) from None
    _record(definition, seen)
    return _shown(definition, seen, key, now=view.now)


def _record(definition: Definition, seen: Preview) -> None:
    detail: dict[str, int | list[str]] = {
        "count": seen.total,
        "fields": sorted(references.fields_read(definition)),
        "classes": sorted(segment_classes(definition)),
        "clauses": len(seen.clause_counts),
    }
    trail.record("segment.previewed", detail=detail)


def _shown(definition: Definition, seen: Preview, key: ApiKey, *, now: datetime) -> dict[str, Any]:
    classes, granted = segment_classes(definition), _granted(key)
    reader = told.reader(classes, granted, asker=key.id, now=now)
    try:
        said = previewed.tell(definition, seen, reader, granted=granted)
    except told.Rationed:
        detail = (
            f"A key may ask {told.RATION.burst} new counts a day that rest on data classes it "
            "does not open. What was asked before still has its answer."
        )
        wait = str(int(told.RATION.every.total_seconds()))
        raise Problem(429, "too-many", detail, headers={"Retry-After": wait}) from None
    names = catalogue.names_in(definition, clinical="clinical" in granted)
    return {
        "total": said.total.number,
        "exact": reader.exact,
        "sentence": in_words(definition, names=names),
        "clauses": [{"path": path, "count": count.number} for path, count in said.clauses],
        "funnel": [{"path": path, "count": left.number} for path, left in said.funnel],
        "classes": sorted(classes),
        "labels": references.label_names(references.labels(definition)),
        "as_of": seen.as_of,
    }


def _granted(key: ApiKey) -> frozenset[str]:
    return frozenset(kind.value for kind in contacts.classes_of(key))


def _reader(segment: Segment, key: ApiKey, *, now: datetime) -> Reader:
    classes = segment_sight.classes_of(segment)
    return told.reader(classes, _granted(key), asker=key.id, now=now)


def _older(first: Segment, second: Segment) -> Any:
    known = [one.counted_at for one in (first, second) if one.counted_at]
    return min(known) if len(known) == 2 else None


def _approval(segment: Segment) -> dict[str, Any]:
    latest = approvals.latest(segment)
    return {
        "needed": bool(segment.labels),
        "state": latest.verdict if latest else "none",
        "requested_at": latest.requested_at if latest else None,
        "decided_at": latest.decided_at if latest else None,
    }
