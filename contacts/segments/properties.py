"""The properties of an event: plain JSON without declared types. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from contacts.fields import FieldType
from contacts.segments import moments
from contacts.segments.facts import Happening
from contacts.segments.nodes import Total


def found(event: Happening, name: str) -> list[Any]:
    """Return the values under a name: none, one, or those of a list.

    Dots lead into nested objects, unless the name with its dots is a key itself. What is null or
    the empty text is missing.
    """
    parts = (name,) if name in event.properties else tuple(name.split("."))
    return [value for value in _under(event.properties, parts) if value not in (None, "")]


def _under(value: Any, parts: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _under(one, parts)
    elif not parts:
        yield value
    elif isinstance(value, dict) and parts[0] in value:
        yield from _under(value[parts[0]], parts[1:])


def typed(values: Any, type_: FieldType, now: datetime) -> tuple[Any, ...]:
    """Return those of the values that can be read as this type."""
    read = (_READ[type_](value, now) for value in values)
    return tuple(value for value in read if value is not None)


def total(values: Sequence[Any], how: Total) -> float | None:
    """Return what the values come to; None where there is no number to add or compare."""
    if how == "count_distinct":
        return float(len({_alike(value) for value in values}))
    numbers = [number for number in (_number(value) for value in values) if number is not None]
    if not numbers:
        return None
    if how in ("sum", "avg"):
        return math.fsum(numbers) / (len(numbers) if how == "avg" else 1)
    return min(numbers) if how == "min" else max(numbers)


def _alike(value: Any) -> tuple[bool, str]:
    """1 and 1.0 are alike; 1, "1" and true are not."""
    number = _number(value)
    return (True, repr(number)) if number is not None else (False, repr(value))


def _number(value: Any, now: datetime | None = None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _text(value: Any, now: datetime) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: Any, now: datetime) -> bool | None:
    return value if isinstance(value, bool) else None


def _word(value: Any, now: datetime) -> str | None:
    """Numbers in a list of words count as their digits, objects as an entry nobody names."""
    return value if isinstance(value, str) else repr(value)


def _moment(value: Any, now: datetime) -> datetime | None:
    """ISO 8601; a day is its beginning in the organisation's zone, a time without offset is UTC."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10:
            return moments.start_of(date.fromisoformat(value), now)
        if value[10:11] not in ("T", " "):  # Python would take any letter here
            return None
        given = datetime.fromisoformat(value)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_READ: Mapping[FieldType, Callable[[Any, datetime], Any]] = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _flag,
    FieldType.DATETIME: _moment,
    FieldType.CHOICES: _word,
}
