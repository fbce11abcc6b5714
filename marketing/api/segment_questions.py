"""What a segment says: how many, why, in common with another, day by day."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttle
from accounts.models import ApiKey
from accounts.roles import Permission
from audit import trail
from contacts.models import Contact
from contacts.segments import (
    asking,
    catalogue,
    evaluate,
    growth,
    previewed,
    references,
    told,
)
from contacts.segments.counting import Preview
from contacts.segments.definition import Definition, in_words
from contacts.segments.explain import ClauseVerdict, explain
from contacts.segments.models import Segment
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found
from marketing.api.segment_forms import (
    CountAnswer,
    ExplainAnswer,
    ExplainForm,
    GrowthAnswer,
    OverlapAnswer,
    OverlapForm,
    PreviewAnswer,
    PreviewForm,
)
from marketing.api.segment_rows import (
    EXAMPLE,
    classes_of,
    find,
    granted_to,
    meaning_of,
    opened,
    read,
    reader_for,
)
from marketing.web.segment_panels import overlap_of


class SegmentPreviews(MachineView):
    """How many people a definition finds now."""

    scopes: ClassVar[Scopes] = {"POST": Permission.SEGMENTS_VIEW}

    @extend_schema(
        operation_id="preview_segment",
        summary="Count a definition",
        request=PreviewForm,
        responses=PreviewAnswer,
        examples=[OpenApiExample("Diabetes, 50 and over", value=EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Rationed and limited in time; small counts are null unless the key sees why."""
        form = PreviewForm(data=request.data)
        form.is_valid(raise_exception=True)
        definition = read(form.validated_data["definition"])
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
        found = opened(find(segment_id), self.key())
        told = _counted(meaning_of(found), self)
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
        found = opened(find(segment_id), self.key())
        form = ExplainForm(data=request.data)
        form.is_valid(raise_exception=True)
        contact = _contact(form.validated_data["contact"])
        lines = _explained(meaning_of(found), contact, granted_to(self.key()), now=self.now)
        clauses = [_clause(line) for line in lines]
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
        first = find(segment_id)
        form = OverlapForm(data=request.data)
        form.is_valid(raise_exception=True)
        second = find(form.validated_data["with"])
        readers = [reader_for(one, self.key(), now=self.now) for one in (first, second)]
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
        found = find(segment_id)
        reader = reader_for(found, self.key(), now=self.now)
        today = self.now.astimezone(found.organisation.zone).date()
        rows = growth.days(found, today=today, back=90, reader=reader)
        days = [{"day": one.day, "count": one.count} for one in rows]
        return Response({"days": days, "exact": reader.exact})


def _contact(public_id: UUID) -> Contact:
    found = Contact.objects.filter(public_id=public_id, erased_at=None).first()
    if found is None:
        raise not_found("contact")
    return found


def _explained(
    definition: Definition, contact: Contact, granted: frozenset[str], *, now: datetime
) -> list[ClauseVerdict]:
    clinical = "clinical" in granted
    names = catalogue.names_in(definition, clinical=clinical)
    worded = catalogue.worded(definition, clinical=clinical)
    lines = explain(worded, contact.pk, now=now, names=names, granted=granted)
    detail: dict[str, str | list[str]] = {
        "classes": sorted(classes_of(definition) & granted),
        "verdict": {True: "in", False: "out", None: "hidden"}[lines[0].holds],
    }
    trail.record("segment.explained", subject=f"contact:{contact.pk}", detail=detail)
    return lines


def _clause(line: ClauseVerdict) -> dict[str, Any]:
    return {
        "path": line.path,
        "words": line.words,
        "holds": line.holds,
        "value": None if line.holds is None else line.value,
        "depth": line.depth,
    }


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
        "classes": sorted(classes_of(definition)),
        "clauses": len(seen.clause_counts),
    }
    trail.record("segment.previewed", detail=detail)


def _shown(definition: Definition, seen: Preview, key: ApiKey, *, now: datetime) -> dict[str, Any]:
    classes, granted = classes_of(definition), granted_to(key)
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
    clinical = "clinical" in granted
    names = catalogue.names_in(definition, clinical=clinical)
    return {
        "total": said.total.number,
        "exact": reader.exact,
        "sentence": in_words(catalogue.worded(definition, clinical=clinical), names=names),
        "clauses": [{"path": path, "count": count.number} for path, count in said.clauses],
        "funnel": [{"path": path, "count": left.number} for path, left in said.funnel],
        "classes": sorted(classes),
        "labels": references.label_names(references.labels(definition)),
        "as_of": seen.as_of,
    }


def _older(first: Segment, second: Segment) -> datetime | None:
    known = [one.counted_at for one in (first, second) if one.counted_at]
    return min(known) if len(known) == 2 else None
