"""Rules of repetition (RFC 5545, 3.3.10) on the wall clock of a zone. Pure.

Workflows that come by a schedule and campaigns that repeat read their rules here, and nowhere else.
A rule names wall times; `clock.moment` says which moment each of them is, so a time that the clocks
skip or show twice comes once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Final

from dateutil.rrule import rrule, rrulestr

from workflows import clock

HORIZON: Final = timedelta(days=20 * 366)
"""A rule that brings nothing for so long brings nothing: a search without end would hang."""
FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_INTERVAL: Final = 99
MOST_TIMES: Final = 1_000
MOST_A_DAY: Final = 24
LONGEST: Final = 200
"""Characters of a rule as it is written."""
_LISTS: Final = {
    # The lowest and highest value of each list; below zero counts from the end.
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
}
_PARTS: Final = frozenset({"FREQ", "INTERVAL", "BYDAY", "COUNT", "UNTIL", "WKST", *_LISTS})
_BYDAY: Final = re.compile(r"([+-]?(?:[1-9]|[1-4][0-9]|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU)\Z")
_UNTIL: Final = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?\Z", re.ASCII)
_UNITS: Final = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_NAMES: Final = dict(
    zip(
        DAYS,
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


class RuleRefused(ValueError):
    """The rule of repetition cannot be followed; the message says why."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """A rule of repetition as it was read. `count` and `until` are never both set."""

    frequency: str
    interval: int = 1
    days: tuple[str, ...] = ()
    month_days: tuple[int, ...] = ()
    count: int | None = None
    until: str = ""
    """The last day (20271231), or a time of day on it; with a Z, in UTC."""
    others: tuple[tuple[str, str], ...] = ()
    """The rarer parts, by name: BYMONTH, BYYEARDAY, BYWEEKNO, BYSETPOS, BYHOUR, BYMINUTE, WKST."""

    def text(self) -> str:
        """Return the rule as RFC 5545 writes it."""
        parts = [self._days_told()]
        parts += [f"COUNT={self.count}"] if self.count else []
        parts += [f"UNTIL={self.until}"] if self.until else []
        return ";".join(parts)

    def _days_told(self) -> str:
        parts = [f"FREQ={self.frequency}"]
        parts += [f"INTERVAL={self.interval}"] if self.interval > 1 else []
        parts += [f"BYDAY={','.join(self.days)}"] if self.days else []
        if self.month_days:
            parts += [f"BYMONTHDAY={','.join(map(str, self.month_days))}"]
        return ";".join([*parts, *(f"{name}={value}" for name, value in self.others)])

    @property
    def plain(self) -> bool:
        """Whether it says nothing but days of the week or one day of the month."""
        return not self.others and self.count is None and len(self.month_days) < 2

    @property
    def last_day(self) -> date | None:
        return _day(self.until) if self.until else None

    def words(self) -> str:
        unit = _UNITS[self.frequency]
        said = f"every {unit}" if self.interval == 1 else f"every {self.interval} {unit}s"
        if self.days:
            said += " on " + ", ".join(_day_words(one) for one in self.days)
        if self.month_days:
            said += " on " + ", ".join(_month_day_words(one) for one in self.month_days)
        for name, value in self.others:
            said += _other_words(name, value)
        if self.count:
            said += f", {self.count} times"
        return said + (f", until {self.last_day:%Y-%m-%d}" if self.last_day else "")

    def falls(self, first: datetime, zone: tzinfo, *, up_to: datetime) -> Iterator[datetime]:
        """Yield the wall times from `first` to `up_to`, all naive; never more than the count."""
        end = min(up_to, _end(self.until, zone)) if self.until else up_to
        if end < first:
            return
        # dateutil has no rule with a count and an end, and without an end it may never come back.
        begins, rule = self._filled(first)
        found = rrulestr(f"RRULE:{rule}", dtstart=begins)
        assert isinstance(found, rrule)
        yield from islice((one for one in found.replace(until=end) if one >= first), self.count)

    def _filled(self, first: datetime) -> tuple[datetime, str]:
        """Return the rule with what it leaves to its first time, where dateutil reads otherwise."""
        named, rule, begins = dict(self.others), self._days_told(), first
        dated = self.days or self.month_days or "BYYEARDAY" in named
        if "BYWEEKNO" in named and not dated:
            rule += f";BYDAY={DAYS[first.weekday()]}"
        if self.frequency == "YEARLY" and self.month_days and "BYMONTH" not in named:
            rule += f";BYMONTH={first.month}"
        if self.frequency == "WEEKLY" and "BYSETPOS" in named:
            # Places are counted within whole weeks, the one of the first time included.
            rule += "" if self.days else f";BYDAY={DAYS[first.weekday()]}"
            since = (first.weekday() - DAYS.index(named.get("WKST", "MO"))) % 7
            begins = first - timedelta(days=since)
        return begins, rule


def _day_words(day: str) -> str:
    place, name = day[:-2].removeprefix("+"), _NAMES[day[-2:]]
    told = {"": "", "1": "the first ", "2": "the second ", "3": "the third ", "4": "the fourth ",
            "-1": "the last ", "-2": "the second to last "}  # fmt: skip
    return f"{told.get(place, f'number {place} of each ')}{name}"


def _month_day_words(day: int) -> str:
    if day == -1:
        return "the last day"
    return f"day {day}" if day > 0 else f"day {-day} from the end"


def _other_words(name: str, value: str) -> str:
    if name == "BYMONTH":
        return " in " + ", ".join(_MONTHS[int(one) - 1] for one in value.split(","))
    return f" ({name}={value})"


def read(text: str) -> Repeats | None:
    """Return the rule; None where the text is empty. Raises `RuleRefused`."""
    if not text.strip():
        return None
    if len(text) > LONGEST:
        raise RuleRefused(f"A rule has at most {LONGEST} characters.")
    given = _given(text)
    frequency = given.get("FREQ", "")
    if frequency not in FREQUENCIES:
        raise RuleRefused(f"FREQ must be one of {', '.join(FREQUENCIES)}.")
    if "COUNT" in given and "UNTIL" in given:
        raise RuleRefused("Give either COUNT or UNTIL, not both.")
    lists = {name: _list(given[name], name, frequency) for name in _LISTS if name in given}
    return Repeats(
        frequency,
        _number(given, "INTERVAL", MOST_INTERVAL) or 1,
        _days(given.get("BYDAY"), frequency),
        lists.pop("BYMONTHDAY", ()),
        _number(given, "COUNT", MOST_TIMES),
        _until(given.get("UNTIL")),
        _others(lists, given),
    )


def _given(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or name not in _PARTS or name in given:
            raise RuleRefused(f"The rule may hold each of {', '.join(sorted(_PARTS))} once.")
        given[name] = value
    return given


def _number(given: Mapping[str, str], name: str, most: int) -> int | None:
    if name not in given:
        return None
    value = given[name]
    if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:6]) <= most:
        raise RuleRefused(f"{name} must be a whole number from 1 to {most}.")
    return int(value)


def _days(value: str | None, frequency: str) -> tuple[str, ...]:
    days = tuple(value.split(",")) if value is not None else ()
    if any(not _BYDAY.match(one) for one in days):
        raise RuleRefused("BYDAY holds days such as MO,WE or, by month, 1MO (the first Monday).")
    if any(len(one) > 2 for one in days) and frequency not in ("MONTHLY", "YEARLY"):
        raise RuleRefused("Only a monthly or yearly rule can name the first or the last weekday.")
    return days


def _list(value: str, name: str, frequency: str) -> tuple[int, ...]:
    low, high = _LISTS[name]
    numbers = value.split(",")
    if not all(re.fullmatch(r"[+-]?\d{1,3}", one, re.ASCII) for one in numbers):
        raise RuleRefused(f"{name} must be a list of whole numbers from {low} to {high}.")
    found = tuple(int(one) for one in numbers)
    if not all(low <= one <= high and (one or low >= 0) for one in found):
        zero = "" if low >= 0 else ", and never 0"
        raise RuleRefused(f"{name} must lie from {low} to {high}{zero}.")
    if name in _ONLY and frequency not in _ONLY[name]:
        raise RuleRefused(f"{name} goes with FREQ={' or FREQ='.join(_ONLY[name])}.")
    return found


_ONLY: Final = {
    "BYMONTHDAY": ("DAILY", "MONTHLY", "YEARLY"),
    "BYYEARDAY": ("YEARLY",),
    "BYWEEKNO": ("YEARLY",),
}


def _others(
    lists: Mapping[str, tuple[int, ...]], given: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    if "BYWEEKNO" in given and given.get("INTERVAL", "1") != "1":
        raise RuleRefused("BYWEEKNO goes with INTERVAL=1: a week may belong to another year.")
    if len(lists.get("BYHOUR", (0,))) * len(lists.get("BYMINUTE", (0,))) > MOST_A_DAY:
        raise RuleRefused(f"A rule comes at most {MOST_A_DAY} times a day.")
    if "BYSETPOS" in given and not given.keys() & ({"BYDAY", *_LISTS} - {"BYSETPOS"}):
        raise RuleRefused("BYSETPOS picks from the days of another part, such as BYDAY.")
    found = [(name, ",".join(map(str, numbers))) for name, numbers in lists.items()]
    if "WKST" in given:
        if given["WKST"] not in DAYS:
            raise RuleRefused(f"WKST must be one of {', '.join(DAYS)}.")
        found.append(("WKST", given["WKST"]))
    return tuple(found)


def _until(value: str | None) -> str:
    if value is None:
        return ""
    try:
        if not _UNTIL.match(value):
            raise ValueError(value)
        _end(value, UTC)
    except ValueError:
        raise RuleRefused("UNTIL must be a day such as 20271231.") from None
    return value


def _day(until: str) -> date:
    return date(int(until[:4]), int(until[4:6]), int(until[6:8]))


def _end(until: str, zone: tzinfo) -> datetime:
    """Return the last wall time that may still come; a day alone counts to its end."""
    if len(until) == len("20271231"):
        return datetime.combine(_day(until), time.max)
    at = datetime.combine(_day(until), time(int(until[9:11]), int(until[11:13]), int(until[13:15])))
    if not until.endswith("Z"):
        return at
    return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def walls(
    first: datetime, repeats: Repeats | None, zone: tzinfo, *, after: datetime | None = None
) -> Iterator[datetime]:
    """Yield the naive wall times later than `after`, `first` at the earliest, in order."""
    if repeats is None:
        if after is None or first > after:
            yield first
        return
    horizon = max(first, after or first) + HORIZON
    for one in repeats.falls(first, zone, up_to=horizon):
        if after is None or one > after:
            yield one


def moments(
    first: datetime, repeats: Repeats | None, *, zone: tzinfo, after: datetime
) -> Iterator[datetime]:
    """Yield the moments later than `after`, in order and none of them twice."""
    wall = after.astimezone(zone).replace(tzinfo=None)
    last = after
    # A wall time of the doubled hour may already lie behind, and a skipped one still lie ahead.
    for one in walls(first, repeats, zone, after=wall - timedelta(hours=2)):
        at = clock.moment(one, zone)
        if at > last:
            last = at
            yield at


def following(
    repeats: Repeats | None, first: datetime, *, zone: tzinfo, after: datetime
) -> datetime | None:
    """Return the next moment after `after`; None where the rule is over."""
    return next(moments(first, repeats, zone=zone, after=after), None)
