"""Dates and moments as segments mean them. Pure.

`now` carries the organisation's zone: "today" is its date there, and a date compared with a moment
means that day in that zone.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, get_args

Unit = Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years"]
UNITS: Final[tuple[Unit, ...]] = (
    "seconds", "minutes", "hours", "days", "weeks", "months", "years",
)  # fmt: skip
EXACT: Final[Mapping[str, timedelta]] = {
    "seconds": timedelta(seconds=1),
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
}
"""Units that are so many seconds; the others follow the calendar and the wall clock."""
EARLIEST, LATEST = 1000, 3000
"""Years beyond which a relative point is cut off, far from the ends of the calendar."""
EPOCH_DAY: Final = date(1970, 1, 1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time in calendar units: three months, not ninety days."""

    count: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Relative:
    """A point seen from now: `ago` when negative, ahead when positive."""

    count: int
    unit: Unit


Stretch = Literal["day", "week", "month", "quarter", "year"]
STRETCHES: Final[tuple[Stretch, ...]] = get_args(Stretch)


@dataclass(frozen=True, slots=True)
class Start:
    """The day on which a stretch of the calendar begins, counted from today's: -1 is the last."""

    count: int
    stretch: Stretch


Point = date | datetime | Relative | Start
PERIODS: Final[Mapping[str, tuple[Start, Start]]] = {
    **{
        name: (Start(count, "day"), Start(count + 1, "day"))
        for name, count in (("today", 0), ("yesterday", -1), ("tomorrow", 1))
    },
    **{
        f"{which}_{stretch}": (Start(count, stretch), Start(count + 1, stretch))
        for stretch in STRETCHES[1:]
        for which, count in (("this", 0), ("last", -1), ("next", 1))
    },
}
"""Named stretches of the calendar: the day each begins on, and the first day past it."""


def add_months(day: date, months: int) -> date:
    """The same day of another month; the last day where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    year = min(max(year, EARLIEST), LATEST)
    last = calendar.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def start_day(day: date, count: int, stretch: Stretch) -> date:
    """The first day of the stretch that lies so many from the one `day` is in.

    Weeks begin on Monday (ISO 8601), quarters in January, April, July and October.
    """
    if stretch == "day":
        return day + timedelta(days=count)
    if stretch == "week":
        return day + timedelta(days=7 * count - day.weekday())
    months = {"month": 1, "quarter": 3, "year": 12}[stretch]
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    return add_months(first, count * months)


def day_meant(point: Relative | Start, today: date) -> date:
    """The day that a moving point names today."""
    if isinstance(point, Start):
        return start_day(today, point.count, point.stretch)
    return shift_day(today, point.count, point.unit)


def shift_day(day: date, count: int, unit: Unit) -> date:
    if unit in ("months", "years"):
        return add_months(day, count * (12 if unit == "years" else 1))
    return day + timedelta(days=count * (7 if unit == "weeks" else 1))


def shift(now: datetime, count: int, unit: Unit) -> datetime:
    """Move by wall time in the zone of `now`, exact units by exact time; the result is in UTC.

    UTC, because Python compares two moments of one zone by wall time, wrongly at a clock change.
    """
    if unit in EXACT:
        return now.astimezone(UTC) + count * EXACT[unit]
    day = shift_day(now.date(), count, unit)
    return now.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)


def start_of(day: date, now: datetime) -> datetime:
    """The moment, in UTC, at which `day` begins in the zone of `now`."""
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo).astimezone(UTC)


def day_of(day: date, now: datetime) -> tuple[datetime, datetime]:
    """The moments at which `day` and the next day begin."""
    return start_of(day, now), start_of(day + timedelta(days=1), now)


def age_on(birth: date, day: date) -> int:
    """Age in whole years, below 0 before birth. Someone born on 29 February turns on 1 March."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def born_by(day: date, years: int) -> date | None:
    """The last birth date that makes someone at least `years` old on `day`; None before year 1."""
    if day.year - years < date.min.year:
        return None
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def days_from(day: date) -> int:
    return (day - EPOCH_DAY).days


def microseconds_from(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def anniversaries(today: date, days: int) -> frozenset[tuple[int, int]]:
    """Each (month, day) whose anniversary falls from today to `days` days ahead.

    In a common year, 29 February is kept on 1 March.
    """
    window = [today + timedelta(days=ahead) for ahead in range(min(days, 366) + 1)]
    found = {(day.month, day.day) for day in window}
    if any((d.month, d.day) == (3, 1) and not calendar.isleap(d.year) for d in window):
        found.add((2, 29))
    return frozenset(found)
