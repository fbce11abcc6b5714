"""The shapes of segments over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

_LANGUAGE = "See docs/segments.md for the language."


class PreviewForm(serializers.Serializer[Any]):
    definition = serializers.JSONField(help_text=_LANGUAGE)


class SegmentForm(serializers.Serializer[Any]):
    name = serializers.CharField(
        max_length=120, help_text="Sealed, as it may say what people have."
    )
    definition = serializers.JSONField(help_text=_LANGUAGE)


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


class CountAnswer(serializers.Serializer[Any]):
    total = serializers.IntegerField(allow_null=True)
    exact = serializers.BooleanField()
    funnel = ClauseCount(many=True)
    as_of = serializers.DateTimeField()


class SegmentRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    definition = serializers.JSONField(allow_null=True, help_text="Null: hidden by a label.")
    labels = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    problem = serializers.CharField()
    sendable = serializers.BooleanField(help_text="Valid, in use, and approved if it must be.")
    version = serializers.IntegerField(help_text="Also the ETag; send it back as If-Match.")
    count = serializers.IntegerField(allow_null=True)
    counted_at = serializers.DateTimeField(allow_null=True)


class SegmentRows(serializers.Serializer[Any]):
    segments = SegmentRow(many=True)


class ExplainForm(serializers.Serializer[Any]):
    contact = serializers.UUIDField()


class ExplainedClause(serializers.Serializer[Any]):
    path = serializers.CharField()
    words = serializers.CharField()
    holds = serializers.BooleanField(allow_null=True)
    value = serializers.CharField(allow_null=True)
    depth = serializers.IntegerField()


class ExplainAnswer(serializers.Serializer[Any]):
    clauses = ExplainedClause(many=True)
    as_of = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Any]:
        """`in` is a word of Python's own."""
        return {"in": serializers.BooleanField(allow_null=True), **super().get_fields()}


class OverlapForm(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        """`with` is a word of Python's own."""
        return {"with": serializers.UUIDField()}


class OverlapAnswer(serializers.Serializer[Any]):
    first = serializers.IntegerField(allow_null=True)
    second = serializers.IntegerField(allow_null=True)
    both = serializers.IntegerField(allow_null=True)
    only_first = serializers.IntegerField(allow_null=True)
    only_second = serializers.IntegerField(allow_null=True)
    exact = serializers.BooleanField()
    as_of = serializers.DateTimeField(allow_null=True)


class GrowthDay(serializers.Serializer[Any]):
    day = serializers.DateField()
    count = serializers.IntegerField(allow_null=True)


class GrowthAnswer(serializers.Serializer[Any]):
    days = GrowthDay(many=True)
    exact = serializers.BooleanField()


class ApprovalAnswer(serializers.Serializer[Any]):
    needed = serializers.BooleanField()
    state = serializers.ChoiceField(choices=["none", "waiting", "approved", "refused"])
    requested_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
