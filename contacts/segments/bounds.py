"""Points and windows as numbers: low <= value < high. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from contacts.segments import moments
from contacts.segments.moments import MICROSECOND, Point, Relative, Start
from contacts.segments.nodes import Window


def first_day(point: Point, now: datetime, *, after: bool) -> date:
    """The first day not before the point, or the first one past it."""
    if isinstance(point, Relative | Start):
        point = moments.day_meant(point, now.date())
    return point + timedelta(days=int(after))


def first_moment(point: Point, now: datetime, *, after: bool) -> datetime:
    """The first moment not before the point, or the first one past it; a day is a long point."""
    if isinstance(point, Relative):
        point = moments.shift(now, point.count, point.unit)
    if isinstance(point, Start):
        point = moments.day_meant(point, now.date())
    if isinstance(point, datetime):
        return point + MICROSECOND if after else point
    return moments.day_of(point, now)[int(after)]


def window_bounds(window: Window, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The window over moments."""
    lows, highs = _points(window)
    return (
        max((first_moment(point, now, after=False) for point, _ in lows), default=None),
        min((first_moment(point, now, after=after) for point, after in highs), default=None),
    )


def window_days(window: Window, now: datetime) -> tuple[date | None, date | None]:
    """The window over dates."""
    lows, highs = _points(window)
    return (
        max((first_day(point, now, after=False) for point, _ in lows), default=None),
        min((first_day(point, now, after=after) for point, after in highs), default=None),
    )


_Bounds = list[tuple[Point, bool]]


def _points(window: Window) -> tuple[_Bounds, _Bounds]:
    """The lower points, and the upper ones with whether they themselves belong to the window."""
    lows: _Bounds = [] if window.since is None else [(window.since, False)]
    highs: _Bounds = [] if window.before is None else [(window.before, False)]
    if last := window.last:
        lows.append((Relative(-last.count, last.unit), False))
        highs.append((Relative(0, last.unit), True))
    if ahead := window.next:
        lows.append((Relative(0, ahead.unit), False))
        highs.append((Relative(ahead.count, ahead.unit), True))
    return lows, highs
