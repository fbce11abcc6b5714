"""Reading JSON values of a definition, noting what is wrong with each and where. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from contacts.segments.moments import PERIODS, UNITS, Point, Relative, Span, Start, Unit

MAX_VALUES: Final = 1000
MAX_TEXT: Final = 1000
MAX_COUNT: Final = 100_000
MAX_DIGITS: Final = 15
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_CLOCK = re.compile(r"\d{2}:\d{2}", re.ASCII)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of the JSON, such as `$.all[2].value`."""

    path: str
    message: str


class DefinitionInvalid(ValueError):
    """A definition cannot be used. Names places and rules, never values."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems


@dataclass(slots=True)
class Reader:
    """One JSON object being read. Each key asked for counts as known; `close` refuses the rest."""

    tree: Mapping[str, Any]
    path: str
    problems: list[Problem]
    known: set[str] = field(default_factory=set)

    def wrong(self, key: str, message: str) -> None:
        self.problems.append(Problem(f"{self.path}.{key}" if key else self.path, message))

    def has(self, key: str) -> bool:
        self.known.add(key)
        return key in self.tree

    def take(self, key: str, read: Callable[[Any], T], expected: str) -> T | None:
        """Read a key that must be there."""
        if not self.has(key):
            self.wrong(key, f"is missing: {expected}")
            return None
        return self._read(key, read, expected)

    def maybe(self, key: str, read: Callable[[Any], T], expected: str) -> T | None:
        return self._read(key, read, expected) if self.has(key) else None

    def _read(self, key: str, read: Callable[[Any], T], expected: str) -> T | None:
        try:
            return read(self.tree[key])
        except (TypeError, ValueError, OverflowError):
            self.wrong(key, f"must be {expected}")
            return None

    def close(self) -> None:
        for key in self.tree.keys() - self.known:
            self.wrong(str(key)[:40], "is not known here")


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise TypeError
    if "\0" in value:
        raise ValueError
    value.encode()  # half a surrogate pair is legal JSON, but no text
    return unicodedata.normalize("NFC", value)


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return float(value)


def decimal(value: Any) -> float:
    """A number, or its text. Decimals have at most 15 digits, which a float tells apart."""
    if not isinstance(value, str):
        return number(value)
    if not _DECIMAL.fullmatch(value) or len(Decimal(value).as_tuple().digits) > MAX_DIGITS:
        raise ValueError
    return float(value)


def clock(value: Any) -> time:
    """A time of day, HH:MM."""
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise TypeError
    return time.fromisoformat(value)


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if not 0 <= value <= MAX_COUNT:
        raise ValueError
    return int(value)


def positive(value: Any) -> int:
    if whole(value) == 0:
        raise ValueError
    return whole(value)


def percent(value: Any) -> int:
    """A percentage above 0 and at most 100, as hundredths of a percent."""
    hundredths = round(number(value) * 100, 6)
    if not 0 < hundredths <= 10_000 or hundredths != int(hundredths):
        raise ValueError
    return int(hundredths)


def month(value: Any) -> int:
    if not 1 <= whole(value) <= 12:
        raise ValueError
    return whole(value)


def day(value: Any) -> date:
    if not isinstance(value, str) or len(value) != 10 or value[7] != "-":  # no ISO week
        raise TypeError
    found = date.fromisoformat(value)
    if not 1800 <= found.year <= 2200:
        raise ValueError
    return found


def uuid(value: Any) -> UUID:
    if not isinstance(value, str):
        raise TypeError
    return UUID(value)


def unit(value: Any) -> Unit:
    return UNITS[UNITS.index(value)]


def point(value: Any) -> Point:
    """A date, a moment with its offset, or {"ago": n, "unit": u} / {"ahead": n, "unit": u}."""
    if isinstance(value, str):
        return day(value) if len(value) == 10 else moment(value)
    if not isinstance(value, Mapping) or len(value) != 2:
        raise TypeError
    if "ago" in value:
        return Relative(-whole(value["ago"]), unit(value["unit"]))
    return Relative(whole(value["ahead"]), unit(value["unit"]))


def moment(value: str) -> datetime:
    if value[10:11] not in ("T", " "):  # Python would take any letter here
        raise ValueError
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError
    if not 1800 <= parsed.year <= 2200:
        raise ValueError
    return parsed.astimezone(UTC)


def period(value: Any) -> tuple[Start, Start]:
    """A named stretch of the calendar, such as `last_month`."""
    if not isinstance(value, str):
        raise TypeError
    if value not in PERIODS:
        raise ValueError
    return PERIODS[value]


def pair(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, T]]:
    def both(value: Any) -> tuple[T, T]:
        if not isinstance(value, list) or len(value) != 2:
            raise TypeError
        return read(value[0]), read(value[1])

    return both


def several(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """A list with at least one value."""

    def each(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_VALUES:
            raise TypeError
        return tuple(read(one) for one in value)

    return each


def one_or_several(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda value: several(read)(value if isinstance(value, list) else [value])


def span(count: int, of: str) -> Span:
    return Span(count, unit(of))
