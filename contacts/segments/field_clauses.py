"""What may be asked of each type of field, and how it is written in JSON. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from contacts.fields import Field, FieldType
from contacts.segments import reading
from contacts.segments.moments import UNITS, Point, Relative, Span
from contacts.segments.nodes import (
    Affix,
    Age,
    Anniversary,
    Between,
    Clause,
    Count,
    Exists,
    Latest,
    MonthIs,
    Not,
    OneOf,
    TextIs,
    Where,
    Window,
)
from contacts.segments.reading import Reader

Read = Callable[[Reader, Field], Clause | None]


def _exists(at: Reader, field: Field) -> Clause:
    return Exists(field.key, path=at.path)


def _value_reader(field: Field) -> tuple[Callable[[Any], Any], str]:
    return {
        FieldType.NUMBER: (reading.number, "a number"),
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
    if field.choices and (unknown := set(values) - set(field.choices)):
        at.wrong("value", f"must be one of {', '.join(field.choices)}" if unknown else "")
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
    return None if inner is None else Not(inner, path=at.path)


def _affix(how: Affix) -> Read:
    def read(at: Reader, field: Field) -> Clause | None:
        values = at.take("value", reading.one_or_several(reading.text), "text or a list of texts")
        exact = _exact(at)
        return None if values is None else TextIs(field.key, how, values, exact, path=at.path)

    return read


def _number_point(at: Reader, field: Field) -> tuple[Callable[[Any], Any], str]:
    """How a bound of this field is read: a number, a day, or a moment."""
    if field.type is FieldType.NUMBER:
        return reading.number, "a number"
    if field.type is FieldType.DATETIME:
        return reading.point, 'a date, a time with its offset, or {"ago": 30, "unit": "days"}'

    def dated(value: Any) -> Point:
        found = reading.point(value)
        if isinstance(found, datetime) or (isinstance(found, Relative) and found.unit == "hours"):
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
    return both and Between(field.key, both[0], both[1], path=at.path)


def _span(at: Reader, field: Field) -> Span | None:
    count = at.take("value", reading.whole, "a whole number")
    unit = at.take("unit", reading.unit, "hours, days, weeks, months or years")
    if unit == "hours" and field.type is FieldType.DATE:
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


def window(at: Reader, *, dated: bool) -> Window:
    """`since`, `before`, `within_<unit>` and `next_<unit>`, all optional."""
    expected = "a date, a time with its offset, or an ago"
    since = at.maybe("since", reading.point, expected)
    before = at.maybe("before", reading.point, expected)
    last, ahead = _spans(at, "within"), _spans(at, "next")
    for key, given in (("since", since), ("before", before)):
        if dated and (isinstance(given, datetime) or getattr(given, "unit", "") == "hours"):
            at.wrong(key, "these entries carry a date only: use a date")
    for span in (last, ahead):
        if dated and span and span.unit == "hours":
            at.wrong("", "these entries carry a date only: use days")
    return Window(since, before, last, ahead)


def _spans(at: Reader, prefix: str) -> Span | None:
    found = [
        Span(count, unit)
        for unit in UNITS
        if (count := at.maybe(f"{prefix}_{unit}", reading.whole, "a whole number")) is not None
    ]
    if len(found) > 1:
        at.wrong("", f"give one {prefix}_... only")
    return found[0] if found else None


def where(at: Reader, field: Field) -> Where:
    """The conditions on an entry; they stand in the clause itself, or together under `where`."""
    if not at.has("where"):
        return _conditions(at, field)
    inner = at.tree["where"]
    if not isinstance(inner, Mapping) or inner.keys() & at.tree.keys():
        at.wrong("where", "must be an object whose keys are not given outside it too")
        return Where()
    both = Reader({**at.tree, **inner}, at.path, at.problems)
    found = _conditions(both, field)
    at.known |= both.known
    for key in inner.keys() - both.known:
        at.wrong(f"where.{str(key)[:40]}", "is not known here")
    return found


def _conditions(at: Reader, field: Field) -> Where:
    texts = reading.one_or_several(reading.text)
    codes = at.maybe("codes", texts, "a list of codes") or ()
    one = at.maybe("code", reading.text, "a code")
    kinds: tuple[str, ...] = ()
    unit = ""
    if field.type is FieldType.OCCURRENCES:
        kinds = at.maybe("class", texts, "a class such as EMER") or ()
    if field.type is FieldType.RESULTS:
        unit = at.maybe("unit", reading.text, "a unit such as %") or ""
    return Where(
        codes=(*codes, one) if one else codes,
        system=at.maybe("system", reading.text, "the address of a code system") or "",
        kinds=kinds,
        statuses=at.maybe("status", texts, "a status such as active") or (),
        texts=at.maybe("text", texts, "text or a list of texts") or (),
        unit=unit,
        window=window(at, dated=field.type is FieldType.CODES),
    )


def _has_code(at: Reader, field: Field) -> Clause | None:
    asked = where(at, field)
    if not (asked.codes or asked.texts):
        at.wrong("codes", "is missing: a list of codes, or a text")
        return None
    return Count(field.key, asked, low=1, path=at.path)


def _count(low: int | None, high: int | None) -> Read:
    """`low` and `high` are added to the number given; None leaves that side open."""

    def read(at: Reader, field: Field) -> Clause | None:
        number = at.take("value", reading.whole, "a whole number")
        asked = where(at, field)
        if number is None:
            return None
        bottom = 0 if low is None else number + low
        top = None if high is None else number + high
        return Count(field.key, asked, bottom, top, path=at.path)

    return read


def _latest(low_open: bool | None, high_open: bool | None) -> Read:  # noqa: FBT001 - a table below
    """None leaves that side without a bound."""

    def read(at: Reader, field: Field) -> Clause | None:
        asked = _latest_where(at, field)
        value = at.take("value", reading.number, "a number")
        if asked is None or value is None:
            return None
        return Latest(
            field.key,
            asked,
            low=None if low_open is None else value,
            high=None if high_open is None else value,
            low_open=bool(low_open),
            high_open=bool(high_open),
            path=at.path,
        )

    return read


def _latest_where(at: Reader, field: Field) -> Where | None:
    asked = where(at, field)
    if asked.codes:
        return asked
    at.wrong("code", "is missing: the code of the result")
    return None


def _latest_between(at: Reader, field: Field) -> Clause | None:
    asked = _latest_where(at, field)
    both = at.take("value", reading.pair(reading.number), "[low, high], two numbers")
    if asked is None or both is None:
        return None
    return Latest(field.key, asked, (), both[0], both[1], path=at.path)


def _latest_is(at: Reader, field: Field) -> Clause | None:
    asked = _latest_where(at, field)
    answers = at.take("value", reading.one_or_several(reading.text), "text or a list of texts")
    return Latest(field.key, asked, answers, path=at.path) if asked and answers else None


_SCALAR: dict[str, Read] = {"exists": _exists, "equals": _equals, "not_equals": _not_equals}
_TEXT: dict[str, Read] = {
    **_SCALAR,
    "in": _in,
    "starts_with": _affix("starts_with"),
    "ends_with": _affix("ends_with"),
    "contains": _affix("contains"),
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
_ENTRIES: dict[str, Read] = {
    "exists": _exists,
    "has_code": _has_code,
    "count_gte": _count(0, None),
    "count_lte": _count(None, 0),
    "count_eq": _count(0, 0),
}
_RESULTS: dict[str, Read] = {
    **_ENTRIES,
    "latest_gt": _latest(True, None),
    "latest_gte": _latest(False, None),
    "latest_lt": _latest(None, True),
    "latest_lte": _latest(None, False),
    "latest_equals": _latest(False, False),
    "latest_between": _latest_between,
    "latest_is": _latest_is,
}

OPERATORS: Final[Mapping[FieldType, Mapping[str, Read]]] = {
    FieldType.TEXT: _TEXT,
    FieldType.CHOICE: {key: _TEXT[key] for key in ("exists", "equals", "not_equals", "in")},
    FieldType.NUMBER: _NUMBER,
    FieldType.BOOLEAN: _SCALAR,
    FieldType.DATE: _DATE,
    FieldType.DATETIME: _MOMENT,
    FieldType.CODES: _ENTRIES,
    FieldType.OCCURRENCES: _ENTRIES,
    FieldType.RESULTS: _RESULTS,
}
