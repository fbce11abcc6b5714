"""Values that have their stored form already, told at a glance.

What is not plain by these checks may still be good; `contacts.canonical` looks at it closely.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
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


def keep_word(plain: str) -> None:
    if len(WORDS) < _MOST_WORDS:
        WORDS.add(plain)


def keep_day(plain: str) -> None:
    if len(_DAYS) < _MOST_DAYS:
        _DAYS.add(plain)


def keep_moment(plain: str) -> None:
    keep_day(plain[:10])
    if len(_TIMES) < _MOST_DAYS:
        _TIMES.add(plain[10:])


def is_text(value: Any) -> bool:
    return (
        value.__class__ is str
        and value.isascii()
        and value.isprintable()
        and 0 < len(value) <= MAX_TEXT
        and value[0] != " " != value[-1]
    )


def is_moment(value: Any) -> bool:
    return len(value) == 20 and value[:10] in _DAYS and value[10:] in _TIMES


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
            pair.__class__ is list and len(pair) == 2 and pair[0] in WORDS and pair[1] in WORDS
            for pair in value
        )
    )


is_word: Callable[[Any], bool] = WORDS.__contains__
is_day: Callable[[Any], bool] = _DAYS.__contains__


def fits(value: float) -> bool:
    """Whether a whole number is one that a sealed record can hold: of 64 bits."""
    return value.__class__ is not int or -(1 << 63) <= value < 1 << 64


class _Plan(NamedTuple):
    """How to look at items of one shape."""

    words: Callable[[dict[str, Any]], Any]
    rest: tuple[tuple[str, Callable[[Any], bool]], ...]


class Items:
    """Tells which items of one list field have their stored form.

    Items with the same parts in the same order are looked at by one plan. Their words go first and
    together: the same code with the same name comes again and again.
    """

    def __init__(self, parts: Mapping[str, Callable[[Any], bool]], needed: Collection[str]) -> None:
        self._parts, self._needed = parts, frozenset(needed)
        self._plans: dict[tuple[str, ...], _Plan | None] = {}

    def are_plain(self, items: Iterable[Any]) -> bool:
        """Whether all of them have it. It runs for every item that comes in, so it calls little."""
        plans = self._plans
        try:
            for item in items:
                if item.__class__ is not dict:
                    return False
                shape = tuple(item)
                plan = plans[shape] if shape in plans else self._planned(shape)
                if plan is None:
                    return False
                words, rest = plan
                spoken = words(item)
                if spoken not in _PHRASES and not _remember(spoken):
                    return False
                for name, looks in rest:
                    if not looks(item[name]):
                        return False
        except TypeError:  # a part without a hash or a length is not plain
            return False
        return True

    def _planned(self, shape: tuple[str, ...]) -> _Plan | None:
        plan = None
        if self._parts.keys() >= set(shape) >= self._needed:
            words = [name for name in shape if self._parts[name] is is_word]
            if len(words) > 1:
                rest = ((name, self._parts[name]) for name in shape if name not in words)
                plan = _Plan(itemgetter(*words), tuple(rest))
        if len(self._plans) < _MOST_SHAPES:
            self._plans[shape] = plan
        return plan


def _remember(words: tuple[Any, ...]) -> bool:
    """Keep words that stand together, if each is plain; return whether they are."""
    if not all(map(is_word, words)):
        return False
    if len(_PHRASES) < _MOST_WORDS:
        _PHRASES.add(words)
    return True
