"""How a segment moved: its count at the end of each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from contacts.segments import counts
from contacts.segments.live.models import SegmentCount
from contacts.segments.models import Segment


@dataclass(frozen=True, slots=True)
class Day:
    """One day; None: too small to say. `change` is the difference from the day shown before."""

    day: date
    count: int | None
    change: int | None


def days(segment: Segment, *, today: date, back: int = 30, exact: bool) -> list[Day]:
    """Return the days that were counted, small counts and small changes held back (PR-40)."""
    since = today - timedelta(days=back)
    rows = SegmentCount.objects.filter(segment=segment, day__gte=since, count__isnull=False)
    found = list(rows.order_by("day").values_list("day", "count"))
    steps = counts.held([count or 0 for _, count in found], exact=exact)
    said = [counts.shown(count, exact=exact) for count in steps]
    return [
        Day(day, count, _change(said, place))
        for place, ((day, _), count) in enumerate(zip(found, said, strict=True))
    ]


def _change(said: list[int | None], place: int) -> int | None:
    here, before = said[place], said[place - 1] if place else None
    return None if here is None or before is None else here - before
