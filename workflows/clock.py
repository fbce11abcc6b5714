"""Moments on the wall clock: time of day, weekdays, windows, offsets from a date. Pure.

A wall time that a clock change skips is read by the offset from before the change, so it comes as
much later as the clocks jump (02:30 at 03:30); one that comes twice means the first (RFC 5545,
3.3.5). So each wall time is one moment, and whoever waits for it waits once.

A person may live by one of several clocks, where only the State is known. Then the moment must suit
all of them: a time of day has come on the last of them, and a window is open on each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from workflows.steps import Hours, Until

DAY = timedelta(days=1)
FURTHEST = timedelta(days=8)
"""Windows that are not open together within a week never are."""


def moment(wall: datetime, zone: tzinfo) -> datetime:
    """Return the moment at which the clock of the zone shows this."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def due(
    step: Until,
    *,
    arrived_at: datetime,
    zones: Sequence[tzinfo],
    known: date | datetime | None,
) -> datetime | None:
    """Return when the wait is over; None where the date it waits for is not known."""
    base = step.on or known
    if step.dated and base is None:
        return None
    found = max(_due(step, arrived_at, base, zone) for zone in zones)
    return found if step.hours.at is not None else _in_all(found, step.hours, zones)


def _due(step: Until, arrived_at: datetime, base: date | datetime | None, zone: tzinfo) -> datetime:
    if not step.dated or base is None:
        return settled(arrived_at, step.hours, zone)
    there = shifted(_wall(base, zone), step.offset, zone)
    if step.hours.at is None:
        return settled(there, step.hours, zone)
    wall = datetime.combine(there.astimezone(zone).date(), step.hours.at)
    return _on_weekday(wall, step.hours, zone)


def _in_all(at: datetime, hours: Hours, zones: Sequence[tzinfo]) -> datetime:
    """Return the first moment from `at` on that the hours allow by every clock; `at` where they
    never do, since a wait without an end serves nobody."""
    there = at
    while there - at <= FURTHEST:
        later = max(settled(there, hours, zone) for zone in zones)
        if later <= there:
            return there
        there = later
    return at


def shifted(wall: datetime, offset: timedelta, zone: tzinfo) -> datetime:
    """Whole days keep the time of day; the rest of the offset is counted in real time."""
    days = timedelta(days=int(offset / DAY))
    return moment(wall + days, zone) + (offset - days)


def settled(at: datetime, hours: Hours, zone: tzinfo) -> datetime:
    """Return the first moment from `at` on that the hours allow."""
    wall = at.astimezone(zone).replace(tzinfo=None)
    if hours.at is not None:
        found = _on_weekday(datetime.combine(wall.date(), hours.at), hours, zone)
        if found < at:
            later = datetime.combine(wall.date() + DAY, hours.at)
            found = _on_weekday(later, hours, zone)
        return found
    if hours.opens is not None and hours.closes is not None:
        return _in_window(at, wall, hours.opens, hours.closes, hours, zone)
    return at if _allowed(wall, hours) else _on_weekday(wall, hours, zone)


def _in_window(
    at: datetime, wall: datetime, opens: time, closes: time, hours: Hours, zone: tzinfo
) -> datetime:
    """A window over midnight belongs to the weekday on which it opens."""
    now = wall.time()
    if opens < closes:
        inside, day = opens <= now < closes, wall.date()
    else:
        inside = now >= opens or now < closes
        day = wall.date() - DAY if now < closes else wall.date()
    if inside and _allowed(datetime.combine(day, opens), hours):
        return at
    start = datetime.combine(wall.date(), opens)
    if start <= wall:
        start += DAY
    return _on_weekday(start, hours, zone)


def _on_weekday(wall: datetime, hours: Hours, zone: tzinfo) -> datetime:
    while not _allowed(wall, hours):
        wall += DAY
    return moment(wall, zone)


def _allowed(wall: datetime, hours: Hours) -> bool:
    return not hours.weekdays or wall.weekday() in hours.weekdays


def _wall(base: date | datetime, zone: tzinfo) -> datetime:
    """A day begins at midnight there; a moment is what the clock there shows then."""
    if not isinstance(base, datetime):
        return datetime.combine(base, time())
    return base if base.tzinfo is None else base.astimezone(zone).replace(tzinfo=None)
