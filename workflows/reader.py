"""One JSON object being read: typed access by key, and the problems met on the way. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from workflows.problems import Problem

ID = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
EVENT = re.compile(r"[a-z0-9_.]{1,60}\Z")
UNITS = ("minutes", "hours", "days", "weeks")
LONGEST = timedelta(days=400)
UNUSABLE = timedelta(0)
NOTHING = timedelta(0)
FIELD = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")
PROPERTY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}\Z")
NOBODY = UUID(int=0)


class Reader:
    """One JSON object being read: typed access by key, and the problems met on the way."""

    def __init__(self, raw: Mapping[str, Any], *, node: str, problems: list[Problem]) -> None:
        self.raw, self.node, self.problems = raw, node, problems
        self.read: set[str] = set()

    def problem(self, code: str, message: str) -> None:
        self.problems.append(Problem(self.node, code, message))

    def has(self, key: str) -> bool:
        return key in self.raw

    def take(self, key: str) -> Any:
        self.read.add(key)
        return self.raw.get(key)

    def text(self, key: str, *, pattern: re.Pattern[str], optional: bool = False) -> str:
        value = self.take(key)
        if value is None and optional:
            return ""
        if isinstance(value, str) and pattern.match(value):
            return value
        self.missing(
            key, value, f"a name such as {'message.clicked' if key == 'event' else 'welcome'}"
        )
        return ""

    def id(self, key: str, *, optional: bool = False) -> UUID:
        value = self.take(key)
        if value is None and optional:
            return NOBODY
        try:
            return UUID(value if isinstance(value, str) else "")
        except ValueError:
            self.missing(key, value, "the id it has in its own page's address")
            return NOBODY

    def duration(self, key: str, *, default: timedelta | None = None) -> timedelta:
        value = self.take(key)
        if value is None and default is not None:
            return default
        amount = _duration(value)
        if amount is None:
            self.missing(key, value, 'a time such as {"days": 3} (minutes, hours, days, weeks)')
            return UNUSABLE
        if not timedelta(0) < amount <= LONGEST:
            self.problem("bad_duration", f"{key}: must be more than nothing and at most 400 days")
        return amount

    def wall_time(self, key: str) -> datetime | None:
        value = self.take(key)
        if value is None:
            return None
        try:
            given = datetime.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            given = None
        if given is None or given.tzinfo is not None or not 2000 <= given.year <= 2200:
            self.missing(key, value, "a date and time of day such as 2027-03-01T09:00")
            return None
        return given

    def time_of_day(self, key: str) -> time | None:
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, str) and CLOCK.match(value):
            return time.fromisoformat(value)
        self.missing(key, value, "a time of day such as 09:00")
        return None

    def flag(self, key: str) -> bool:
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.problem("bad_value", f"{key} is not usable: say true or false")
        return value is True

    def count(self, key: str, *, most: int, optional: bool = False) -> int:
        value = self.take(key)
        if value is None and optional:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            self.missing(key, value, f"a whole number from 1 to {most:,}")
            return 1
        return int(value)

    def way(self, key: str, *, optional: bool = False) -> str:
        """Return the step that a way leads to; empty where it is missing."""
        value = self.take(key)
        if value is None and optional:
            return ""
        if isinstance(value, str) and value:
            return value
        self.problem("missing_next", f"{key} is missing: name the step that follows, or an exit")
        return ""

    def names(self, key: str, *, pattern: re.Pattern[str], wanted: str) -> tuple[str, ...]:
        """Return a list of names, each once; empty where the key is not there."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(
            isinstance(one, str) and pattern.match(one) for one in value
        ):
            self.missing(key, value, wanted)
            return ()
        return tuple(dict.fromkeys(value))

    def missing(self, key: str, value: Any, wanted: str) -> None:
        code, said = ("missing", "is missing") if value is None else ("bad_value", "is not usable")
        self.problem(code, f"{key} {said}: give {wanted}")

    def leftover(self) -> None:
        for key in sorted(set(self.raw) - self.read):
            self.problem("unknown_key", f"{key} is not known here; remove it or mend its spelling")


def _duration(value: Any) -> timedelta | None:
    if not isinstance(value, dict) or not value or set(value) - set(UNITS):
        return None
    if any(isinstance(one, bool) or not isinstance(one, int) for one in value.values()):
        return None
    try:
        return timedelta(**value)
    except OverflowError:
        return LONGEST + timedelta(days=1)
