"""Values that have their stored form already, told at a glance.

What is not plain by these checks may still be good; `contacts.canonical` looks at it closely.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

MAX_TEXT = 1000
_MOST_WORDS = 20_000
_MOST_DAYS = 90_000
_MOST_SHAPES = 200

WORDS: set[str] = set()
"""Words of code systems found plain before: the same few thousand come again and again."""
_PHRASES: set[tuple[str, ...]] = set()
"""Such words as they stood together in an item."""
_DAYS: set[str] = set()
_TIMES: set[str] = set()
"""Days, and times of day with their `T` and `Z`, that were read before."""


Column = Sequence[Any]
"""The same part of many items."""


def keep_word(plain: str) -> None:
    if len(WORDS) < _MOST_WORDS:
        WORDS.add(plain)


def is_text(value: Any) -> bool:
    return (
        value.__class__ is str
        and value.isascii()
        and value.isprintable()
        and 0 < len(value) <= MAX_TEXT
        and value[0] != " " != value[-1]
    )


def is_word(value: Any) -> bool:
    if value in WORDS:
        return True
    is_new = is_text(value)
    if is_new:
        keep_word(value)
    return is_new


def is_day(value: Any) -> bool:
    """Whether it is `YYYY-MM-DD`, and a day that there was."""
    return value in _DAYS or _is_new(value, 10, "--", _DAYS, value)


def is_moment(value: Any) -> bool:
    """Whether it is `YYYY-MM-DDTHH:MM:SSZ`."""
    return value.__class__ is str and (
        (value[:10] in _DAYS and value[10:] in _TIMES)
        or (is_day(value[:10]) and _is_new(value, 20, "--T::Z", _TIMES, value[10:]))
    )


def _is_new(value: Any, length: int, marks: str, known: set[str], part: str) -> bool:
    """Whether it has this form; the part is kept, to be known again."""
    is_shaped = value.__class__ is str and len(value) == length and value[4::3] == marks
    if not (is_shaped and value.isascii()):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    if len(known) < _MOST_DAYS:
        known.add(part)
    return True


def is_result(value: Any) -> bool:
    if value.__class__ is float:
        return math.isfinite(value)
    if value.__class__ is int:
        return fits(value)
    return is_text(value)


def is_codes(value: Any) -> bool:
    """Whether these are further codes of an item: `[system, code]` each."""
    return (
        value.__class__ is list
        and value != []
        and all(
            pair.__class__ is list and len(pair) == 2 and is_word(pair[0]) and is_word(pair[1])
            for pair in value
        )
    )


def fits(value: float) -> bool:
    """Whether a whole number is one that a sealed record can hold: of 64 bits."""
    return value.__class__ is not int or -(1 << 63) <= value < 1 << 64


def are_texts(values: Column) -> bool:
    together = "".join(values)
    return (
        set(map(type, values)) == {str}
        and together.isascii()
        and together.isprintable()
        and min(map(len, values)) > 0
        and max(map(len, values)) <= MAX_TEXT
        and False not in [value[0] != " " != value[-1] for value in values]
    )


def are_days(values: Column) -> bool:
    return _DAYS.issuperset(values) or all(map(is_day, values))


def are_moments(values: Column) -> bool:
    days, times = _DAYS, _TIMES
    at_once = [value[:10] in days and value[10:] in times for value in values]
    return False not in at_once or all(map(is_moment, values))


def are_results(values: Column) -> bool:
    return all(map(is_result, values))


def are_codes(values: Column) -> bool:
    return all(map(is_codes, values))


def are_words(values: Column) -> bool:
    return all(map(is_word, values))


class _Plan(NamedTuple):
    """How to look at items of one shape."""

    words: Callable[[dict[str, Any]], Any]
    rest: tuple[tuple[Callable[[dict[str, Any]], Any], Callable[[Column], bool]], ...]


class Items:
    """Tells which items of one list field have their stored form.

    Items with the same parts in the same order are looked at together, a part of all of them at a
    time. Their words go first: the same code with the same name comes again and again.
    """

    def __init__(
        self, parts: Mapping[str, Callable[[Column], bool]], needed: Collection[str]
    ) -> None:
        self._parts, self._needed = parts, frozenset(needed)
        self._plans: dict[tuple[str, ...], _Plan | None] = {}

    def are_plain(self, items: Iterable[Any]) -> bool:
        """Whether all of them have it. It runs for every item that comes in, so it calls little."""
        alike: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        try:
            for item in items:
                if item.__class__ is not dict:
                    return False
                alike[tuple(item)].append(item)
            return all(self._of_one_shape(shape, some) for shape, some in alike.items())
        except TypeError:  # a part without a hash or a length is not plain
            return False

    def _of_one_shape(self, shape: tuple[str, ...], items: list[dict[str, Any]]) -> bool:
        plan = self._plans[shape] if shape in self._plans else self._planned(shape)
        if plan is None:
            return False
        spoken = set(map(plan.words, items))
        if not (spoken <= _PHRASES or all(map(_remember, spoken))):
            return False
        return all(look(list(map(part, items))) for part, look in plan.rest)

    def _planned(self, shape: tuple[str, ...]) -> _Plan | None:
        plan = None
        if self._parts.keys() >= set(shape) >= self._needed:
            words = [name for name in shape if self._parts[name] is are_words]
            if len(words) > 1:
                rest = ((itemgetter(name), self._parts[name]) for name in shape)
                plan = _Plan(
                    itemgetter(*words), tuple(one for one in rest if one[1] is not are_words)
                )
        if len(self._plans) < _MOST_SHAPES:
            self._plans[shape] = plan
        return plan


def _remember(words: tuple[Any, ...]) -> bool:
    """Keep words that stand together, if each is plain; return whether they are."""
    if not are_words(words):
        return False
    if len(_PHRASES) < _MOST_WORDS:
        _PHRASES.add(words)
    return True
