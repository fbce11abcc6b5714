"""A segment as a key may see it, and found by one that may."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import ApiKey
from contacts.segments import approvals, catalogue, references, told
from contacts.segments.definition import Definition, DefinitionInvalid
from contacts.segments.models import Segment
from contacts.segments.told import Reader
from marketing.api import contacts
from marketing.api.problems import Fault, Problem, invalid, not_found
from marketing.web import segment_sight

EXAMPLE = {
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


def row_of(segment: Segment, key: ApiKey, *, now: datetime) -> dict[str, Any]:
    """A segment as a key may see it."""
    return rows_of([segment], key, now=now)[0]


def rows_of(segments: Sequence[Segment], key: ApiKey, *, now: datetime) -> list[dict[str, Any]]:
    """The same for many, with their counts told at once."""
    granted = granted_to(key)
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


def find(segment_id: UUID) -> Segment:
    """Return a segment in use, or raise 404 as Problem."""
    found = Segment.objects.filter(pk=segment_id, archived_at=None).first()
    if found is None:
        raise not_found("segment")
    return found


def opened(segment: Segment, key: ApiKey) -> Segment:
    """Return the segment to a key that may read what it asks, or raise 403 as Problem (PR-30)."""
    if segment.labels and "clinical" not in granted_to(key):
        detail = "It reads a sensitive label: it needs the scope contacts.reveal_clinical."
        raise Problem(403, "scope-missing", detail)
    return segment


def read(tree: object) -> Definition:
    """Return a sent definition with what it names put in; raise Problem naming each fault."""
    try:
        return catalogue.expanded(catalogue.read(tree))
    except DefinitionInvalid as refused:
        raise invalid([Fault(pointer(p.path), p.message) for p in refused.problems]) from None


def meaning_of(segment: Segment) -> Definition:
    """Return what a segment asks now; raise 409 as Problem where a reference is broken."""
    try:
        return catalogue.definition_of(segment)
    except DefinitionInvalid:
        raise Problem(409, "conflict", "The segment is broken: mend its definition.") from None


def granted_to(key: ApiKey) -> frozenset[str]:
    """The data classes that a key opens."""
    return frozenset(kind.value for kind in contacts.classes_of(key))


def reader_for(segment: Segment, key: ApiKey, *, now: datetime) -> Reader:
    """The one to whom a segment's counts are told: exactly, or blurred."""
    classes = segment_sight.classes_of(segment)
    return told.reader(classes, granted_to(key), asker=key.id, now=now)


def classes_of(definition: Definition) -> set[str]:
    """The data classes that membership betrays."""
    return {kind.value for kind in references.data_classes(definition)}


def pointer(path: str) -> str:
    """Return the JSON pointer into the body for a place such as `$.all[0].value`."""
    if not path.startswith("$"):
        return f"/{path}"
    parts = re.findall(r"\.([^.\[]+)|\[(\d+)\]", path)
    return "/definition" + "".join(f"/{name or place}" for name, place in parts)
