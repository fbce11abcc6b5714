"""What planning a clause needs: blocks, plans, tests of words, bounds as numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import numpy as np

from contacts.fields import FIELDS, Field
from contacts.segments import bounds, moments
from contacts.segments.arrays import Chosen, Ints, Mask, TextColumn
from contacts.segments.nodes import Clause, Window

SECOND: Final = 1_000_000
"""In microseconds."""


class Block(Protocol):
    """Some contacts and their columns."""

    @property
    def size(self) -> int: ...

    @property
    def ordinals(self) -> Ints | slice:
        """Where these contacts stand in masks over all ordinals."""

    def column(self, name: str) -> Any:
        """The column of this name, opened when first asked for."""


@dataclass(slots=True)
class BuiltBlock:
    """Columns made on the fly, of contacts whose sealed columns are out of date."""

    size: int
    ordinals: Ints | slice
    columns: Mapping[str, Any]

    def column(self, name: str) -> Any:
        return self.columns[name]


Run = Callable[[Block], Mask]
Watch = Callable[[Clause, Mask], None]


@dataclass(slots=True)
class Plan:
    """A definition ready to run. `outside` has a mask over all ordinals for each clause that is
    answered elsewhere: events, lists, registered questions."""

    now: datetime
    outside: Mapping[Clause, Mask]
    plans: Mapping[type, Callable[[Any, Plan], Run]]
    watch: Watch | None = None
    fields: Mapping[str, Field] = field(default_factory=lambda: FIELDS)

    def run_of(self, clause: Clause) -> Run:
        run = self.plans[type(clause)](clause, self)
        return run if self.watch is None else _watched(clause, run, self.watch)


def _watched(clause: Clause, run: Run, watch: Watch) -> Run:
    def told(block: Block) -> Mask:
        found = run(block)
        watch(clause, found)
        return found

    return told


class Words:
    """A test of words, asked once for each word and once for each list of words."""

    def __init__(self, test: Callable[[str], bool]) -> None:
        self.test = test
        self.words: dict[str, bool] = {"": False}
        self.chosen: dict[bytes, Chosen] = {}

    def __call__(self, column: TextColumn) -> Mask:
        chosen = self.chosen.get(column.blob)
        if chosen is None:
            chosen = Chosen(np.array([False, *map(self._answer, column.words)], np.bool_))
            if len(self.chosen) < 64:
                self.chosen[column.blob] = chosen
        return chosen.among(column.codes)

    def _answer(self, word: str) -> bool:
        known = self.words.get(word)
        if known is None:
            known = self.words[word] = self.test(word)
        return known


def contains(text: str, wanted: tuple[str, ...]) -> bool:
    return any(one in text for one in wanted)


Side = tuple[float, bool] | None


def floats(clause: Any) -> tuple[Side, Side]:
    return (
        None if clause.low is None else (float(clause.low), clause.low_open),
        None if clause.high is None else (float(clause.high), clause.high_open),
    )


def in_floats(values: Any, low: Side, high: Side) -> Mask:
    """NaN compares false with every bound. float64 for the comparison: 0.1 is not float32's 0.1."""
    values = values.astype(np.float64, copy=False)
    found: Mask = ~np.isnan(values)
    if low is not None:
        found &= values > low[0] if low[1] else values >= low[0]
    if high is not None:
        found &= values < high[0] if high[1] else values <= high[0]
    return found


def first_number(point: Any, plan: Plan, *, after: bool, dated: bool) -> int:
    """The first number not below the point, or the first one past it: days, or whole seconds."""
    if dated:
        return moments.days_from(bounds.first_day(point, plan.now, after=after))
    return _second(bounds.first_moment(point, plan.now, after=after))


def _second(moment: datetime) -> int:
    """The first whole second not before the moment."""
    return -(-moments.microseconds_from(moment) // SECOND)


def window_numbers(window: Window, plan: Plan, *, dated: bool) -> tuple[int | None, int | None]:
    """The window as low <= number < high."""
    if dated:
        day, past = bounds.window_days(window, plan.now)
        return (
            None if day is None else moments.days_from(day),
            None if past is None else moments.days_from(past),
        )
    first, end = bounds.window_bounds(window, plan.now)
    return None if first is None else _second(first), None if end is None else _second(end)
