"""Give segments the labels that what they ask about carries now, and have them worked out again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from contacts.segments import approvals, catalogue, references
from contacts.segments.models import Segment


def run(segment_ids: Iterable[UUID], *, now: datetime) -> int:
    """Check and label these segments and those that refer to them; return how many there were."""
    waiting, seen = list(segment_ids), set[UUID]()
    while waiting:
        segment_id = waiting.pop()
        if segment_id not in seen:
            seen.add(segment_id)
            waiting += [other.id for other in catalogue.used_by(segment_id)]
    for segment in Segment.objects.filter(pk__in=seen, archived_at=None):
        _relabel(segment, now)
    return len(seen)


def _relabel(segment: Segment, now: datetime) -> None:
    definition = catalogue.check(segment)
    if definition is None:
        return
    segment.labels = references.label_names(references.labels(definition))
    segment.updated_at, segment.refreshed_at = now, None
    segment.save(update_fields=["labels", "updated_at", "refreshed_at"])
    approvals.settle(segment)
