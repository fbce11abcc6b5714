"""Segments over HTTP: which there are, and how many a definition would find."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.roles import Permission
from audit import trail
from contacts.segments import catalogue, counts, evaluate, references
from contacts.segments.definition import DefinitionInvalid, in_words, parse
from contacts.segments.models import Segment
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid

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


class PreviewForm(serializers.Serializer[Any]):
    definition = serializers.JSONField(help_text="See docs/segments.md for the language.")


class ClauseCount(serializers.Serializer[Any]):
    path = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)


class PreviewAnswer(serializers.Serializer[Any]):
    total = serializers.IntegerField(allow_null=True, help_text="Null: fewer than 11.")
    exact = serializers.BooleanField(help_text="False: rounded down to tens, small ones hidden.")
    sentence = serializers.CharField()
    clauses = ClauseCount(many=True)
    funnel = ClauseCount(many=True)
    classes = serializers.ListField(child=serializers.CharField())
    labels = serializers.ListField(child=serializers.CharField())
    as_of = serializers.DateTimeField()


class SegmentRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.CharField()
    version = serializers.IntegerField()
    count = serializers.IntegerField(allow_null=True)
    counted_at = serializers.DateTimeField(allow_null=True)


class SegmentRows(serializers.Serializer[Any]):
    segments = SegmentRow(many=True)


class Segments(MachineView):
    """The organisation's segments."""

    scopes: ClassVar[Scopes] = {"GET": Permission.SEGMENTS_VIEW}

    @extend_schema(operation_id="read_segments", summary="Read the segments", responses=SegmentRows)
    def get(self, request: Request) -> Response:
        """The names of segments with a sensitivity label are hidden unless the key sees people."""
        exact = _sees_people(self.key())
        rows = Segment.objects.filter(archived_at=None).order_by("created_at")
        return Response({"segments": [_row(row, exact=exact) for row in rows]})


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
        form = PreviewForm(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            definition = catalogue.expanded(parse(form.validated_data["definition"]))
        except DefinitionInvalid as refused:
            raise invalid([Fault(pointer(p.path), p.message) for p in refused.problems]) from None
        seen = evaluate.preview(definition, now=self.now)
        classes = sorted(kind.value for kind in references.data_classes(definition))
        detail: dict[str, int | list[str]] = {
            "count": seen.total,
            "fields": sorted(references.fields_read(definition)),
            "classes": classes,
            "clauses": len(seen.clause_counts),
        }
        trail.record("segment.previewed", detail=detail)
        exact = _sees_people(self.key())
        names = catalogue.names_in(definition, clinical=exact)
        answer = {
            "total": _number(seen.total, exact=exact),
            "exact": exact,
            "sentence": in_words(definition, names=names),
            "clauses": _counts(seen.clause_counts.items(), exact=exact),
            "funnel": _counts(seen.funnel, exact=exact),
            "classes": classes,
            "labels": references.label_names(references.labels(definition)),
            "as_of": seen.as_of,
        }
        return Response(answer)


def pointer(path: str) -> str:
    """Return the JSON pointer into the body for a place such as `$.all[0].value`."""
    parts = re.findall(r"\.([^.\[]+)|\[(\d+)\]", path)
    return "/definition" + "".join(f"/{name or place}" for name, place in parts)


def _sees_people(key: ApiKey) -> bool:
    """A key that may read contacts could count them itself; others get rounded counts."""
    return key.allows(Permission.CONTACTS_VIEW)


def _number(count: int, *, exact: bool) -> int | None:
    return count if exact else counts.rounded(count)


def _counts(found: Any, *, exact: bool) -> list[dict[str, Any]]:
    return [{"path": path, "count": _number(count, exact=exact)} for path, count in found]


def _row(segment: Segment, *, exact: bool) -> dict[str, Any]:
    return {
        "id": segment.id,
        "name": catalogue.titled(segment, clinical=exact),
        "status": segment.status,
        "version": segment.version,
        "count": None if segment.count is None else _number(segment.count, exact=exact),
        "counted_at": segment.counted_at,
    }
