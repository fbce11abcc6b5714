"""How a segment moved: its count at the end of each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from contacts.segments.counts import Shown
from contacts.segments.live.models import SegmentCount
from contacts.segments.models import Segment
from contacts.segments.told import Reader


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `change` is the difference from the day shown before; None: one is too small."""

    day: date
    shown: Shown
    change: int | None

    @property
    def count(self) -> int | None:
        return self.shown.number


def days(segment: Segment, *, today: date, back: int = 30, reader: Reader) -> list[Day]:
    """Return the days that were counted, as the reader is told (PR-40).

    Told from the first day on: a window that moves must not draw the same days anew.
    """
    rows = SegmentCount.objects.filter(segment=segment, day__lte=today, count__isnull=False)
    found = list(rows.order_by("day").values_list("day", "count"))
    said = reader.series(("days", str(segment.id)), [count or 0 for _, count in found])
    since = today - timedelta(days=back)
    start = sum(day < since for day, _ in found)
    return [
        Day(day, said[place], _change(said[start:], place - start))
        for place, (day, _) in enumerate(found)
        if place >= start
    ]


def _change(said: list[Shown], place: int) -> int | None:
    here, before = said[place].number, said[place - 1].number if place else None
    return None if here is None or before is None else here - before
