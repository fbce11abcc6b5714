"""When a campaign goes out: wall times, zones, and rules of repetition (RFC 5545). Pure.

Staff think in clocks on walls. A wall time that the clocks skip is taken as the moment at which
they jump over it; one that they show twice, as the first of the two: either way it comes once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_INTERVAL: Final = 99
MOST_TIMES: Final = 1_000
_PARTS: Final = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL"})
_BYDAY: Final = re.compile(r"(?:-1|[1-4])?(?:MO|TU|WE|TH|FR|SA|SU)")
_LOOKED_AT: Final = 5_000
_WORDS: Final = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_NAMES: Final = dict(
    zip(
        DAYS,
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)


class RuleRefused(ValueError):
    """The rule of repetition cannot be followed; the message says why."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """A rule of repetition as it was read. `count` and `until` are never both set."""

    frequency: str
    interval: int = 1
    days: tuple[str, ...] = ()
    month_day: int | None = None
    count: int | None = None
    until: date | None = None

    def text(self) -> str:
        """Return the rule as RFC 5545 writes it."""
        parts = [f"FREQ={self.frequency}"]
        parts += [f"INTERVAL={self.interval}"] if self.interval > 1 else []
        parts += [f"BYDAY={','.join(self.days)}"] if self.days else []
        parts += [f"BYMONTHDAY={self.month_day}"] if self.month_day else []
        parts += [f"COUNT={self.count}"] if self.count else []
        parts += [f"UNTIL={self.until:%Y%m%d}"] if self.until else []
        return ";".join(parts)

    def words(self) -> str:
        unit = _WORDS[self.frequency]
        said = f"every {unit}" if self.interval == 1 else f"every {self.interval} {unit}s"
        if self.days:
            said += " on " + ", ".join(_day_words(one) for one in self.days)
        if self.month_day:
            said += " on the last day" if self.month_day == -1 else f" on day {self.month_day}"
        if self.count:
            said += f", {self.count} times"
        return said + (f", until {self.until:%Y-%m-%d}" if self.until else "")


def _day_words(day: str) -> str:
    place, name = day[:-2], _NAMES[day[-2:]]
    told = {"": "", "1": "the first ", "2": "the second ", "3": "the third ", "4": "the fourth "}
    return f"{told.get(place, 'the last ')}{name}"


def read(text: str) -> Repeats | None:
    """Return the rule; None where the text is empty. Raises `RuleRefused`."""
    if not text.strip():
        return None
    given = _given(text)
    frequency = given.get("FREQ", "")
    if frequency not in FREQUENCIES:
        raise RuleRefused(f"FREQ must be one of {', '.join(FREQUENCIES)}.")
    if "COUNT" in given and "UNTIL" in given:
        raise RuleRefused("Give either COUNT or UNTIL, not both.")
    return Repeats(
        frequency,
        _number(given, "INTERVAL", MOST_INTERVAL) or 1,
        _days(given.get("BYDAY", ""), frequency),
        _month_day(given.get("BYMONTHDAY", ""), frequency),
        _number(given, "COUNT", MOST_TIMES),
        _until(given.get("UNTIL", "")),
    )


def _given(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or name not in _PARTS or name in given:
            raise RuleRefused(f"The rule may hold each of {', '.join(sorted(_PARTS))} once.")
        given[name] = value
    return given


def _number(given: dict[str, str], name: str, most: int) -> int | None:
    if name not in given:
        return None
    value = given[name]
    if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:6]) <= most:
        raise RuleRefused(f"{name} must be a whole number from 1 to {most}.")
    return int(value)


def _days(value: str, frequency: str) -> tuple[str, ...]:
    days = tuple(value.split(",")) if value else ()
    if any(not _BYDAY.fullmatch(one) for one in days):
        raise RuleRefused("BYDAY holds days such as MO,WE or, by month, 1MO (the first Monday).")
    if any(len(one) > 2 for one in days) and frequency != "MONTHLY":
        raise RuleRefused("Only a monthly rule can name the first or the last weekday.")
    return days


def _month_day(value: str, frequency: str) -> int | None:
    if not value:
        return None
    if not re.fullmatch(r"-1|[1-9]|[12]\d|3[01]", value):
        raise RuleRefused("BYMONTHDAY must be 1 to 31, or -1 for the last day of the month.")
    if frequency not in ("MONTHLY", "YEARLY"):
        raise RuleRefused("BYMONTHDAY goes with FREQ=MONTHLY or FREQ=YEARLY.")
    return int(value)


def _until(value: str) -> date | None:
    if not value:
        return None
    try:
        return datetime.strptime(value[:8], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise RuleRefused("UNTIL must be a day such as 20271231.") from None


def walls(first: datetime, repeats: Repeats | None) -> Iterator[datetime]:
    """Yield the wall times, `first` (naive) at the earliest, in order."""
    if repeats is None:
        yield first
        return
    ends = f";UNTIL={repeats.until:%Y%m%d}T235959" if repeats.until else ""
    rule = ";".join(part for part in repeats.text().split(";") if not part.startswith("UNTIL="))
    found = rrulestr(f"RRULE:{rule}{ends}", dtstart=first)
    assert isinstance(found, rrule)
    yield from islice(found, _LOOKED_AT)


def next_wall(first: datetime, repeats: Repeats | None, *, after: datetime) -> datetime | None:
    """Return the first wall time later than `after`; both naive, of the same clock."""
    return next((one for one in walls(first, repeats) if one > after), None)


def instant(wall: datetime, zone: str) -> datetime:
    """Return the moment at which clocks of the zone show it, or jump over it."""
    there = wall.replace(tzinfo=ZoneInfo(zone), fold=0)
    moment = there.astimezone(UTC)
    shown = moment.astimezone(there.tzinfo).replace(tzinfo=None)
    if shown == wall.replace(fold=0):
        return moment
    return _jump(wall, zone)


def _jump(wall: datetime, zone: str) -> datetime:
    """The clocks skip it: both readings lie around the jump, which is where they change."""
    there = wall.replace(tzinfo=ZoneInfo(zone))
    low, high = sorted((there.astimezone(UTC), there.replace(fold=1).astimezone(UTC)))
    before = low.astimezone(ZoneInfo(zone)).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(ZoneInfo(zone)).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def latest(wall: datetime, zones: Sequence[str]) -> datetime:
    """Return when the wall time has come in every zone that a person may live by."""
    return max(instant(wall, zone) for zone in zones)


def earliest(wall: datetime, zones: Sequence[str]) -> datetime:
    return min(instant(wall, zone) for zone in zones)


def next_times(
    first: datetime, repeats: Repeats | None, zone: str, *, now: datetime, count: int = 5
) -> list[datetime]:
    """Return the next moments at which it fires, for whoever wants to check the rule."""
    here = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    coming = (one for one in walls(first, repeats) if one > here)
    return [instant(one, zone) for one in islice(coming, count)]


def wall(day: date, at: time) -> datetime:
    """Return the naive time that a clock on the wall shows."""
    return datetime.combine(day, at)
