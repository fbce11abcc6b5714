"""What may be asked of each type of field, and how it is written in JSON. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from contacts.fields import Field, FieldType
from contacts.segments import entry_clauses, patterns, reading
from contacts.segments.moments import EXACT, PERIODS, UNITS, Point, Relative, Span
from contacts.segments.nodes import (
    Affix,
    Age,
    Anniversary,
    Any_,
    Between,
    Clause,
    Exists,
    Matches,
    MonthIs,
    Not,
    OneOf,
    TextIs,
)
from contacts.segments.reading import Reader

Read = Callable[[Reader, Field], Clause | None]


def _exists(at: Reader, field: Field) -> Clause:
    return Exists(field.key, path=at.path)


def _value_reader(field: Field) -> tuple[Callable[[Any], Any], str]:
    return {
        FieldType.NUMBER: (reading.number, "a number"),
        FieldType.DECIMAL: (reading.decimal, "a number, or text such as 12.50"),
        FieldType.TIME: (reading.clock, "a time of day such as 09:30"),
        FieldType.BOOLEAN: (reading.boolean, "true or false"),
        FieldType.DATE: (reading.day, "a date like 1970-12-31"),
    }.get(field.type, (reading.text, "text"))


def _exact(at: Reader) -> bool:
    case = at.maybe("case", ("exact", "fold").index, "exact or fold")
    return case == 0


def _one_of(at: Reader, field: Field, values: tuple[Any, ...] | None) -> Clause | None:
    textual = field.type in (FieldType.TEXT, FieldType.CHOICE)
    exact = _exact(at) if textual else False
    if values is None:
        return None
    if textual:  # as it would be stored: no value begins or ends with a space
        values = tuple(value.strip() for value in values)
    if not entry_clauses.chosen_of(at, field, values):
        return None
    return OneOf(field.key, values, exact, path=at.path)


def _equals(at: Reader, field: Field) -> Clause | None:
    read, expected = _value_reader(field)
    value = at.take("value", read, expected)
    return _one_of(at, field, None if value is None else (value,))


def _in(at: Reader, field: Field) -> Clause | None:
    read, expected = _value_reader(field)
    return _one_of(at, field, at.take("value", reading.several(read), f"a list, each {expected}"))


def _not_equals(at: Reader, field: Field) -> Clause | None:
    """Written as one word, meant as `not` around `equals`: it holds where the value is missing."""
    inner = _equals(at, field)
    return None if inner is None else Not(replace(inner, path=f"{at.path}.value"), path=at.path)


def _affix(how: Affix) -> Read:
    def read(at: Reader, field: Field) -> Clause | None:
        values = at.take("value", reading.one_or_several(reading.text), "text or a list of texts")
        exact = _exact(at)
        return None if values is None else TextIs(field.key, how, values, exact, path=at.path)

    return read


def _matches(at: Reader, field: Field) -> Clause | None:
    pattern = at.take("value", reading.text, "a pattern")
    exact = _exact(at)
    if pattern is None:
        return None
    if wrong := patterns.problem_with(pattern):
        at.wrong("value", wrong)
        return None
    return Matches(field.key, pattern, exact, path=at.path)


def _number_point(at: Reader, field: Field) -> tuple[Callable[[Any], Any], str]:
    """How a bound of this field is read: a number, a day, or a moment."""
    if field.type in (FieldType.NUMBER, FieldType.DECIMAL, FieldType.TIME):
        return _value_reader(field)
    if field.type is FieldType.DATETIME:
        return reading.point, 'a date, a time with its offset, or {"ago": 30, "unit": "days"}'

    def dated(value: Any) -> Point:
        found = reading.point(value)
        if isinstance(found, datetime) or (isinstance(found, Relative) and found.unit in EXACT):
            raise TypeError
        return found

    return dated, 'a date like 1970-12-31 or {"ago": 30, "unit": "days"}'


def _bound(*, low: bool, strict: bool) -> Read:
    def read(at: Reader, field: Field) -> Clause | None:
        bound = at.take("value", *_number_point(at, field))
        if bound is None:
            return None
        if low:
            return Between(field.key, low=bound, low_open=strict, path=at.path)
        return Between(field.key, high=bound, high_open=strict, path=at.path)

    return read


def _between(at: Reader, field: Field) -> Clause | None:
    read, expected = _number_point(at, field)
    both = at.take("value", reading.pair(read), f"[low, high], each {expected}")
    if both is None:
        return None
    if field.type is FieldType.TIME and both[0] > both[1]:
        # 22:00 to 06:00 goes over midnight.
        evening = Between(field.key, low=both[0], path=f"{at.path}.value[0]")
        morning = Between(field.key, high=both[1], path=f"{at.path}.value[1]")
        return Any_((evening, morning), path=at.path)
    return Between(field.key, both[0], both[1], path=at.path)


def _span(at: Reader, field: Field) -> Span | None:
    count = at.take("value", reading.whole, "a whole number")
    unit = at.take("unit", reading.unit, f"one of {', '.join(UNITS)}")
    if unit in EXACT and field.type is FieldType.DATE:
        at.wrong("unit", "a date has no hours: use days, weeks, months or years")
        return None
    return None if count is None or unit is None else Span(count, unit)


def _within_last(at: Reader, field: Field) -> Clause | None:
    if not (span := _span(at, field)):
        return None
    low = Relative(-span.count, span.unit)
    return Between(field.key, low, Relative(0, span.unit), path=at.path)


def _within_next(at: Reader, field: Field) -> Clause | None:
    if not (span := _span(at, field)):
        return None
    high = Relative(span.count, span.unit)
    return Between(field.key, Relative(0, span.unit), high, path=at.path)


def _older_than(at: Reader, field: Field) -> Clause | None:
    if not (span := _span(at, field)):
        return None
    high = Relative(-span.count, span.unit)
    return Between(field.key, high=high, high_open=True, path=at.path)


def _during(at: Reader, field: Field) -> Clause | None:
    both = at.take("value", reading.period, f"one of {', '.join(PERIODS)}")
    return both and Between(field.key, both[0], both[1], high_open=True, path=at.path)


def _age(low: int | None, high: int | None) -> Read:
    """`low` and `high` are added to the number given; None leaves that side open."""

    def read(at: Reader, field: Field) -> Clause | None:
        years = at.take("value", reading.whole, "a number of whole years")
        on = at.maybe("on", reading.day, "a date like 2019-06-01")
        if years is None:
            return None
        bottom = None if low is None else years + low
        top = None if high is None else years + high
        return Age(field.key, bottom, top, on, path=at.path)

    return read


def _age_between(at: Reader, field: Field) -> Clause | None:
    both = at.take("value", reading.pair(reading.whole), "[low, high] in whole years")
    on = at.maybe("on", reading.day, "a date like 2019-06-01")
    return both and Age(field.key, both[0], both[1], on, path=at.path)


def _month_is(at: Reader, field: Field) -> Clause | None:
    months = at.take("value", reading.one_or_several(reading.month), "months from 1 to 12")
    return MonthIs(field.key, months, path=at.path) if months else None


def _anniversary(at: Reader, field: Field) -> Clause | None:
    days = at.take("value", reading.whole, "a number of days")
    if days is not None and days > 366:
        at.wrong("value", "must be at most 366 days")
        return None
    return None if days is None else Anniversary(field.key, days, path=at.path)


_SCALAR: dict[str, Read] = {"exists": _exists, "equals": _equals, "not_equals": _not_equals}
_TEXT: dict[str, Read] = {
    **_SCALAR,
    "in": _in,
    "starts_with": _affix("starts_with"),
    "ends_with": _affix("ends_with"),
    "contains": _affix("contains"),
    "matches": _matches,
}
_NUMBER: dict[str, Read] = {
    **_SCALAR,
    "in": _in,
    "gt": _bound(low=True, strict=True),
    "gte": _bound(low=True, strict=False),
    "lt": _bound(low=False, strict=True),
    "lte": _bound(low=False, strict=False),
    "between": _between,
}
_MOMENT: dict[str, Read] = {
    "exists": _exists,
    "before": _bound(low=False, strict=True),
    "on_or_before": _bound(low=False, strict=False),
    "after": _bound(low=True, strict=True),
    "on_or_after": _bound(low=True, strict=False),
    "between": _between,
    "within_last": _within_last,
    "within_next": _within_next,
    "older_than": _older_than,
    "during": _during,
}
_DATE: dict[str, Read] = {
    **_MOMENT,
    "equals": _equals,
    "in": _in,
    "age_gte": _age(0, None),
    "age_gt": _age(1, None),
    "age_lte": _age(None, 0),
    "age_lt": _age(None, -1),
    "age_between": _age_between,
    "month_is": _month_is,
    "anniversary_within": _anniversary,
}
_TIME: dict[str, Read] = {
    **_SCALAR,
    **{key: _MOMENT[key] for key in ("before", "on_or_before", "after", "on_or_after", "between")},
    "in": _in,
}
_CHOICES: dict[str, Read] = {
    "exists": _exists,
    **entry_clauses.WORDS,
    **{key: _TEXT[key] for key in ("starts_with", "ends_with", "contains", "matches")},
}
OPERATORS: Final[Mapping[FieldType, Mapping[str, Read]]] = {
    FieldType.TEXT: _TEXT,
    FieldType.CHOICE: {key: _TEXT[key] for key in ("exists", "equals", "not_equals", "in")},
    FieldType.NUMBER: _NUMBER,
    FieldType.BOOLEAN: _SCALAR,
    FieldType.DATE: _DATE,
    FieldType.DATETIME: _MOMENT,
    FieldType.DECIMAL: _NUMBER,
    FieldType.TIME: _TIME,
    FieldType.CHOICES: _CHOICES,
    FieldType.CODED: {"exists": _exists, **entry_clauses.CODED},
    FieldType.CODES: {"exists": _exists, **entry_clauses.ENTRIES},
    FieldType.OCCURRENCES: {"exists": _exists, **entry_clauses.ENTRIES},
    FieldType.RESULTS: {"exists": _exists, **entry_clauses.RESULTS},
}
