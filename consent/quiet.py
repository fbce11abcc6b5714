"""When may it go? Wall time, zone and policy (pure).

Where the zone is not known, it must be outside the quiet hours in every zone that it may be.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from consent.rulebook import QuietHours

FURTHEST = timedelta(days=8)
"""Hours that leave no moment open within a week leave none at all."""

_DAY = timedelta(days=1)


There = tuple[QuietHours, tuple[str, ...]]
"""Quiet hours, and the zones by whose clocks they may be meant."""


@lru_cache(maxsize=4096)
def next_open(now: datetime, hours: tuple[There, ...]) -> datetime | None:
    """Return the first moment from now on outside all quiet hours in all zones; None if never."""
    moment = now
    while moment - now <= FURTHEST:
        later = max(
            (_over(moment, one, zone) for one, zones in hours for zone in zones), default=moment
        )
        if later <= moment:
            return moment
        moment = later
    return None


def _over(moment: datetime, window: QuietHours, zone: str) -> datetime:
    """Return the end of the quiet that the moment is in; the moment itself where it is not."""
    there = moment.astimezone(ZoneInfo(zone))
    for first in (there.date() - _DAY, there.date()):
        if first.isoweekday() not in window.days:
            continue
        crosses = window.ends <= window.begins
        last = first + _DAY if crosses else first
        begins = _moment(datetime.combine(first, window.begins), zone, latest=False)
        ends = _moment(datetime.combine(last, window.ends), zone, latest=True)
        if begins <= moment < ends:
            return ends
    return moment


def _moment(wall: datetime, zone: str, *, latest: bool) -> datetime:
    """Return when clocks there show it; of a doubled or skipped hour, what keeps quiet longest."""
    there = wall.replace(tzinfo=ZoneInfo(zone))
    shown = (there.astimezone(UTC), there.replace(fold=1).astimezone(UTC))
    return max(shown) if latest else min(shown)


def of_law(
    windows: Iterable[QuietHours], *, states: frozenset[str], now: datetime
) -> list[QuietHours]:
    """Return the windows that bind a resident of one of these States; unknown means all of them."""
    return [
        one
        for one in windows
        if (not one.state or one.state in states or not states)
        and (one.since is None or now.date() >= one.since)
    ]


def between(begins: time, ends: time) -> str:
    return f"{begins:%H:%M} to {ends:%H:%M}"
