"""The properties of an event: plain JSON without declared types. Pure."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, localcontext
from typing import Any, Final

from contacts.fields import FieldType
from contacts.segments import moments
from contacts.segments.facts import Happening
from contacts.segments.nodes import Total


def found(event: Happening, name: str) -> list[Any]:
    """Return the values under a name: none, one, or those of a list.

    Dots lead into nested objects, unless the name with its dots is a key itself. What is null or
    blank text is missing.
    """
    parts = (name,) if name in event.properties else tuple(name.split("."))
    values: list[Any] = [event.properties]
    for part in parts:
        holding = (one[part] for one in values if isinstance(one, Mapping) and part in one)
        values = [entry for one in holding for entry in _entries(one)]
    return [value for value in values if not _is_blank(value)]


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _entries(value: Any) -> Iterator[Any]:
    """The value itself, or the entries of a list in their order, also of lists within it.

    Without recursion: whoever sends an event decides how deep it is nested.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(reversed(one))
        else:
            yield one


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
        return _added(numbers, among=len(numbers) if how == "avg" else 1)
    return min(numbers) if how == "min" else max(numbers)


def _added(numbers: Sequence[float], *, among: int) -> float:
    """Add up as people do, in decimals: 0.1 and 0.2 come to 0.3, and 0.1, 0.2 and 0.3 to 0.2 each.

    Exact, so that the order does not matter. What no float holds is infinite.
    """
    with localcontext(_EXACT):
        total = sum((Decimal(repr(number)) for number in numbers), Decimal(0))
        return float(total / among)


_EXACT: Final = Context(prec=700)
"""Digits enough for the greatest float and the least together."""


def _alike(value: Any) -> tuple[str, str]:
    """1, 1.0 and -0.0, 0 are alike; 1, "1" and true are not, nor are two long whole numbers."""
    if isinstance(value, str):
        return "text", _form(value)
    number = _number(value)
    if number is None:
        return "other", _as_json(value)
    whole = isinstance(value, int) or number.is_integer()
    return "number", str(int(value)) if whole else repr(number)


def _number(value: Any, now: datetime | None = None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _text(value: Any, now: datetime) -> str | None:
    return _form(value) if isinstance(value, str) else None


def _form(text: str) -> str:
    """Text in the form that fields store: composed, and without spaces at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def _flag(value: Any, now: datetime) -> bool | None:
    return value if isinstance(value, bool) else None


def _word(value: Any, now: datetime) -> str | None:
    """What is no text in a list of words counts as it is written in JSON: 5, true, {"a":1}."""
    return _text(value, now) or _as_json(value)


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError:  # too deep to be compared with anything
        return "{...}"


def _moment(value: Any, now: datetime) -> datetime | None:
    """ISO 8601; a day is its beginning in the organisation's zone, a time without offset is UTC."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10 and value[7] == "-":
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
