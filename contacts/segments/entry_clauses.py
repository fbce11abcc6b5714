"""What may be asked of lists: of coded entries and of choices. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from contacts.fields import Field, FieldType
from contacts.segments import reading
from contacts.segments.moments import EXACT, PERIODS, UNITS, Span
from contacts.segments.nodes import All, Clause, Count, HasWords, Latest, Not, Size, Where, Window
from contacts.segments.reading import Reader

Read = Callable[[Reader, Field], Clause | None]


def window(at: Reader, *, dated: bool) -> Window:
    """`since`, `before`, `during`, `within_<unit>` and `next_<unit>`, all optional."""
    expected = "a date, a time with its offset, or an ago"
    since = at.maybe("since", reading.point, expected)
    before = at.maybe("before", reading.point, expected)
    last, ahead = _spans(at, "within"), _spans(at, "next")
    for key, given in (("since", since), ("before", before)):
        if dated and (isinstance(given, datetime) or getattr(given, "unit", "") in EXACT):
            at.wrong(key, "these entries carry a date only: use a date")
    for span in (last, ahead):
        if dated and span and span.unit in EXACT:
            at.wrong("", "these entries carry a date only: use days")
    during = at.maybe("during", reading.period, f"one of {', '.join(PERIODS)}")
    if during and (since is not None or before is not None):
        at.wrong("during", "names both ends: leave since and before out")
    return Window(*(during or (since, before)), last, ahead)


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
    sides: dict[str, Any] = {}
    if field.type is FieldType.OCCURRENCES:
        kinds = at.maybe("class", texts, "a class such as EMER") or ()
    if field.type is FieldType.RESULTS:
        unit = at.maybe("unit", reading.text, "a unit such as %") or ""
        sides = _sides(at)
    return Where(
        codes=(*codes, one) if one else codes,
        system=at.maybe("system", reading.text, "the address of a code system") or "",
        kinds=kinds,
        statuses=at.maybe("status", texts, "a status such as active") or (),
        texts=at.maybe("text", texts, "text or a list of texts") or (),
        unit=unit,
        window=window(at, dated=field.type is FieldType.CODES),
        groups=at.maybe("group", reading.one_or_several(reading.uuid), "the id of a code group")
        or (),
        **sides,
    )


def _sides(at: Reader) -> dict[str, Any]:
    """Bounds of a result's own number: `gt` or `gte`, `lt` or `lte`."""
    found: dict[str, Any] = {}
    for side, keys in (("low", ("gt", "gte")), ("high", ("lt", "lte"))):
        given = [key for key in keys if at.has(key)]
        if len(given) > 1:
            at.wrong(given[1], f"give one of {keys[0]} and {keys[1]} only")
        for key in given:
            found[side] = at.maybe(key, reading.number, "a number")
            found[f"{side}_open"] = key in ("gt", "lt")
    return found


def _has_code(at: Reader, field: Field) -> Clause | None:
    asked = where(at, field)
    if not (asked.codes or asked.texts or asked.groups):
        at.wrong("codes", "is missing: a list of codes, a group, or a text")
        return None
    return Count(field.key, asked, low=1, path=at.path)


def _has_none(at: Reader, field: Field) -> Clause | None:
    """Meant as `not` around `has_any`: it holds where nothing is known."""
    inner = _has_code(at, field)
    return None if inner is None else Not(replace(inner, path=f"{at.path}.value"), path=at.path)


def _has_all(at: Reader, field: Field) -> Clause | None:
    """For each code and each group an entry of its own or the same one."""
    asked = where(at, field)
    each = [replace(asked, codes=(code,), groups=()) for code in asked.codes]
    each += [replace(asked, codes=(), groups=(group,)) for group in asked.groups]
    if not each:
        at.wrong("codes", "is missing: a list of codes, or groups")
        return None
    parts = [
        Count(field.key, one, low=1, path=f"{at.path}.codes[{place}]")
        for place, one in enumerate(each)
    ]
    return All(tuple(parts), path=at.path)


def _count_between(at: Reader, field: Field) -> Clause | None:
    both = at.take("value", reading.pair(reading.whole), "[low, high], two whole numbers")
    asked = where(at, field)
    return both and Count(field.key, asked, both[0], both[1], path=at.path)


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
    if asked.codes or asked.groups:
        return asked
    at.wrong("code", "is missing: the code of the result, or a group")
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


def chosen_of(at: Reader, field: Field, values: tuple[Any, ...]) -> bool:
    """Whether these are choices of the field, where it has a fixed set."""
    if field.choices and not set(values) <= set(field.choices):
        at.wrong("value", f"must be one of {', '.join(field.choices)}")
        return False
    return True


def _words(at: Reader, field: Field, *, every: bool) -> Clause | None:
    values = at.take("value", reading.one_or_several(reading.text), "a choice or a list of them")
    case = at.maybe("case", ("exact", "fold").index, "exact or fold")
    if values is None or not chosen_of(at, field, values):
        return None
    return HasWords(field.key, values, every, case == 0, path=at.path)


def _has_any_word(at: Reader, field: Field) -> Clause | None:
    return _words(at, field, every=False)


def _has_every_word(at: Reader, field: Field) -> Clause | None:
    return _words(at, field, every=True)


def _has_no_word(at: Reader, field: Field) -> Clause | None:
    """Meant as `not` around `has_any`: it holds for an empty list."""
    inner = _words(at, field, every=False)
    return None if inner is None else Not(replace(inner, path=f"{at.path}.value"), path=at.path)


def _size(low: int | None, high: int | None) -> Read:
    """`low` and `high` are added to the number given; None leaves that side open."""

    def read(at: Reader, field: Field) -> Clause | None:
        number = at.take("value", reading.whole, "a whole number")
        if number is None:
            return None
        bottom = 0 if low is None else number + low
        top = None if high is None else number + high
        return Size(field.key, bottom, top, path=at.path)

    return read


def _size_between(at: Reader, field: Field) -> Clause | None:
    both = at.take("value", reading.pair(reading.whole), "[low, high], two whole numbers")
    return both and Size(field.key, both[0], both[1], path=at.path)


WORDS: Final[Mapping[str, Read]] = {
    "has_any": _has_any_word,
    "has_all": _has_every_word,
    "has_none": _has_no_word,
    "size_eq": _size(0, 0),
    "size_gte": _size(0, None),
    "size_lte": _size(None, 0),
    "size_between": _size_between,
}
CODED: Final[Mapping[str, Read]] = {
    "has_code": _has_code,
    "has_any": _has_code,
    "has_none": _has_none,
}
ENTRIES: Final[Mapping[str, Read]] = {
    **CODED,
    "has_all": _has_all,
    "count_gte": _count(0, None),
    "count_lte": _count(None, 0),
    "count_eq": _count(0, 0),
    "count_between": _count_between,
    "size_eq": _count(0, 0),
    "size_gte": _count(0, None),
    "size_lte": _count(None, 0),
    "size_between": _count_between,
}
RESULTS: Final[Mapping[str, Read]] = {
    **ENTRIES,
    "latest_gt": _latest(True, None),
    "latest_gte": _latest(False, None),
    "latest_lt": _latest(None, True),
    "latest_lte": _latest(None, False),
    "latest_equals": _latest(False, False),
    "latest_between": _latest_between,
    "latest_is": _latest_is,
}
