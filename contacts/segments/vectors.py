"""The same meaning as `semantics`, over whole blocks at once. Pure.

A definition is planned once for a `now` (bounds become numbers, words are folded), then run over
each block. Answers for words are kept by the block's word list, which most blocks share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol

import numpy as np

from contacts.fields import FIELDS, FieldType
from contacts.segments import bounds, moments
from contacts.segments.arrays import FloatColumn, IntColumn, Ints, Mask, Spans, TextColumn
from contacts.segments.building import codings_in
from contacts.segments.nodes import (
    Age,
    All,
    Anniversary,
    Any_,
    Between,
    Clause,
    Count,
    Definition,
    Exists,
    Happened,
    InSegment,
    Latest,
    MonthIs,
    Not,
    OneOf,
    OnList,
    Registered,
    TextIs,
    Where,
    Window,
    walk,
)
from contacts.segments.semantics import RETRACTED, fold


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
SECOND: Final = 1_000_000


@dataclass(slots=True)
class Plan:
    """A definition ready to run. `outside` has a mask over all ordinals for each clause that is
    answered elsewhere: events, lists, registered questions."""

    now: datetime
    outside: Mapping[Clause, Mask]
    watch: Watch | None = None

    def run_of(self, clause: Clause) -> Run:
        run = _PLANS[type(clause)](clause, self)
        return run if self.watch is None else _watched(clause, run, self.watch)


def plan(
    definition: Definition,
    *,
    now: datetime,
    outside: Mapping[Clause, Mask],
    watch: Watch | None = None,
) -> Run:
    """Return what to run over each block. `watch` is told each clause's own answer."""
    return Plan(now, outside, watch).run_of(definition.root)


def _watched(clause: Clause, run: Run, watch: Watch) -> Run:
    def told(block: Block) -> Mask:
        found = run(block)
        watch(clause, found)
        return found

    return told


def answered_outside(definition: Definition) -> Iterator[Clause]:
    """The clauses for which a mask must be given."""
    return (c for c in walk(definition.root) if isinstance(c, Happened | OnList | Registered))


def columns_read(definition: Definition) -> frozenset[str]:
    """The columns that a run opens, `present` apart."""
    return frozenset(name for clause in walk(definition.root) for name in _columns_of(clause))


def _columns_of(clause: Clause) -> Iterator[str]:
    key = getattr(clause, "field", "")
    if not key:
        return
    yield key
    if not FIELDS[key].is_list:
        return
    yield f"{key}.code"
    where = getattr(clause, "where", Where())
    asked = {"status": where.statuses, "text": where.texts, "kind": where.kinds, "unit": where.unit}
    yield from (f"{key}.{part}" for part, given in asked.items() if given)
    if where.window != Window() or isinstance(clause, Latest):
        yield f"{key}.at"
    if isinstance(clause, Latest):
        yield f"{key}.answer" if clause.answers else f"{key}.value"


def _all(clause: All, plan: Plan) -> Run:
    runs = [plan.run_of(part) for part in clause.parts]

    def run(block: Block) -> Mask:
        found = runs[0](block)
        for each in runs[1:]:
            found = found & each(block)
        return found

    return run


def _any(clause: Any_, plan: Plan) -> Run:
    runs = [plan.run_of(part) for part in clause.parts]

    def run(block: Block) -> Mask:
        found = runs[0](block)
        for each in runs[1:]:
            found = found | each(block)
        return found

    return run


def _not(clause: Not, plan: Plan) -> Run:
    inner = plan.run_of(clause.part)
    return lambda block: ~inner(block)


def _exists(clause: Exists, plan: Plan) -> Run:
    if FIELDS[clause.field].is_list:
        return _count(Count(clause.field, Where(), low=1), plan)

    def run(block: Block) -> Mask:
        known: Mask = block.column(clause.field).known
        return known

    return run


class _Words:
    """A test of words, asked once for each word and once for each list of words."""

    def __init__(self, test: Callable[[str], bool]) -> None:
        self.test = test
        self.words: dict[str, bool] = {"": False}
        self.tables: dict[bytes, Mask] = {}

    def __call__(self, column: TextColumn) -> Mask:
        table = self.tables.get(column.blob)
        if table is None:
            table = np.array([False, *map(self._answer, column.words)], np.bool_)
            if len(self.tables) < 64:
                self.tables[column.blob] = table
        return table[column.codes]

    def _answer(self, word: str) -> bool:
        known = self.words.get(word)
        if known is None:
            known = self.words[word] = self.test(word)
        return known


def _one_of(clause: OneOf, plan: Plan) -> Run:
    kind = FIELDS[clause.field].type
    if kind in (FieldType.TEXT, FieldType.CHOICE):
        same = str if clause.exact else fold
        wanted = frozenset(same(value) for value in clause.values)
        words = _Words(lambda word: same(word) in wanted)
        return lambda block: words(block.column(clause.field))
    if kind is FieldType.NUMBER:
        numbers = np.array(clause.values, np.float64)
        return lambda block: _is_one_of(block.column(clause.field), numbers)
    days = [moments.days_from(v) if isinstance(v, date) else int(v) for v in clause.values]

    def run(block: Block) -> Mask:
        column: IntColumn = block.column(clause.field)
        found = column.between(days[0], days[0] + 1)
        for day in days[1:]:
            found = found | column.between(day, day + 1)
        return found

    return run


def _is_one_of(column: FloatColumn, numbers: Any) -> Mask:
    found: Mask = np.isin(column.values.astype(np.float64), numbers)
    return found


def _text_is(clause: TextIs, plan: Plan) -> Run:
    same = str if clause.exact else fold
    wanted = tuple(same(value) for value in clause.values)
    if clause.how == "starts_with":
        words = _Words(lambda word: same(word).startswith(wanted))
    elif clause.how == "ends_with":
        words = _Words(lambda word: same(word).endswith(wanted))
    else:
        words = _Words(lambda word: _contains(same(word), wanted))
    return lambda block: words(block.column(clause.field))


def _contains(text: str, wanted: tuple[str, ...]) -> bool:
    return any(one in text for one in wanted)


def _between(clause: Between, plan: Plan) -> Run:
    kind = FIELDS[clause.field].type
    if kind is FieldType.NUMBER:
        low, high = _floats(clause)
        return lambda block: _in_floats(block.column(clause.field).values, low, high)
    dated = kind is FieldType.DATE
    bottom = (
        None if clause.low is None else _first(clause.low, plan, after=clause.low_open, dated=dated)
    )
    top = (
        None
        if clause.high is None
        else _first(clause.high, plan, after=not clause.high_open, dated=dated)
    )

    def run(block: Block) -> Mask:
        found: Mask = block.column(clause.field).between(bottom, top)
        return found

    return run


_Side = tuple[float, bool] | None


def _floats(clause: Any) -> tuple[_Side, _Side]:
    return (
        None if clause.low is None else (float(clause.low), clause.low_open),
        None if clause.high is None else (float(clause.high), clause.high_open),
    )


def _in_floats(values: Any, low: _Side, high: _Side) -> Mask:
    """NaN compares false with every bound. float64 for the comparison: 0.1 is not float32's 0.1."""
    values = values.astype(np.float64, copy=False)
    found: Mask = ~np.isnan(values)
    if low is not None:
        found &= values > low[0] if low[1] else values >= low[0]
    if high is not None:
        found &= values < high[0] if high[1] else values <= high[0]
    return found


def _first(point: Any, plan: Plan, *, after: bool, dated: bool) -> int:
    """The first number not below the point, or the first one past it: days, or whole seconds."""
    if dated:
        return moments.days_from(bounds.first_day(point, plan.now, after=after))
    return _second(bounds.first_moment(point, plan.now, after=after))


def _second(moment: datetime) -> int:
    """The first whole second not before the moment."""
    return -(-moments.microseconds_from(moment) // SECOND)


def _window(window: Window, plan: Plan, *, dated: bool) -> tuple[int | None, int | None]:
    """The window as low <= number < high."""
    if dated:
        day, past = bounds.window_days(window, plan.now)
        return (
            None if day is None else moments.days_from(day),
            None if past is None else moments.days_from(past),
        )
    first, end = bounds.window_bounds(window, plan.now)
    return None if first is None else _second(first), None if end is None else _second(end)


def _age(clause: Age, plan: Plan) -> Run:
    on = clause.on or plan.now.date()
    youngest = on.max if clause.low is None else moments.born_by(on, clause.low)
    oldest = None if clause.high is None else moments.born_by(on, clause.high + 1)
    top = None if youngest is None else moments.days_from(youngest) + 1
    bottom = None if oldest is None else moments.days_from(oldest) + 1

    def run(block: Block) -> Mask:
        column: IntColumn = block.column(clause.field)
        if top is None:
            return np.zeros(block.size, np.bool_)
        return column.between(bottom, top)

    return run


def _by_calendar(clause: Any, wanted: set[int], read: Callable[[Any], Any]) -> Run:
    def run(block: Block) -> Mask:
        column: IntColumn = block.column(clause.field)
        days = column.values.astype("datetime64[D]")
        return np.isin(read(days), list(wanted)) & column.known

    return run


def _months(days: Any) -> Any:
    return days.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _month_days(days: Any) -> Any:
    start = days.astype("datetime64[M]")
    return _months(days) * 32 + (days - start).astype(np.int64) + 1


def _month_is(clause: MonthIs, plan: Plan) -> Run:
    return _by_calendar(clause, set(clause.months), _months)


def _anniversary(clause: Anniversary, plan: Plan) -> Run:
    wanted = moments.anniversaries(plan.now.date(), clause.days)
    return _by_calendar(clause, {month * 32 + day for month, day in wanted}, _month_days)


def _entries(key: str, where: Where, plan: Plan) -> Run:
    """A test of each entry of a list field."""
    tests: list[tuple[str, Callable[[Any], Mask]]] = [(f"{key}.code", _Words(_code_test(where)))]
    for part, wanted in (("status", where.statuses), ("kind", where.kinds)):
        if wanted:
            tests.append((f"{key}.{part}", _Words(frozenset(wanted).__contains__)))
    if where.unit:
        tests.append((f"{key}.unit", _Words(where.unit.__eq__)))
    if where.texts:
        folded = tuple(fold(text) for text in where.texts)
        tests.append((f"{key}.text", _Words(lambda word: _contains(fold(word), folded))))
    if where.window != Window():
        low, high = _window(where.window, plan, dated=FIELDS[key].type is FieldType.CODES)
        tests.append((f"{key}.at", lambda column: column.between(low, high)))

    def run(block: Block) -> Mask:
        found = tests[0][1](block.column(tests[0][0]))
        for name, test in tests[1:]:
            found = found & test(block.column(name))
        return found

    return run


def _code_test(where: Where) -> Callable[[str], bool]:
    codes, system = frozenset(where.codes), where.system
    retracted_too = not RETRACTED.isdisjoint(where.statuses)

    def test(word: str) -> bool:
        retracted, pairs = codings_in(word)
        if retracted and not retracted_too:
            return False
        if not (codes or system):
            return True
        return any(
            (not codes or code in codes) and (not system or of == system) for of, code in pairs
        )

    return test


def _count(clause: Count, plan: Plan) -> Run:
    entries = _entries(clause.field, clause.where, plan)
    low, high = clause.low, clause.high

    def run(block: Block) -> Mask:
        spans: Spans = block.column(clause.field)
        owners = spans.owners(np.flatnonzero(entries(block)))
        if (low, high) == (1, None):
            found = np.zeros(block.size, np.bool_)
            found[owners] = True
            return found
        counts = np.bincount(owners, minlength=block.size)
        return (counts >= low) if high is None else (counts >= low) & (counts <= high)

    return run


def _latest(clause: Latest, plan: Plan) -> Run:
    entries = _entries(clause.field, clause.where, plan)
    answers = frozenset(fold(answer) for answer in clause.answers)
    words = _Words(lambda word: fold(word) in answers)
    low, high = _floats(clause)

    def run(block: Block) -> Mask:
        matching = np.flatnonzero(entries(block))
        owners, newest = _newest(block, clause.field, matching)
        if clause.answers:
            holds = words(block.column(f"{clause.field}.answer"))[newest]
        else:
            holds = _in_floats(block.column(f"{clause.field}.value").values[newest], low, high)
        found = np.zeros(block.size, np.bool_)
        found[owners[holds]] = True
        return found

    return run


def _newest(block: Block, key: str, entries: Ints) -> tuple[Ints, Ints]:
    """The newest of these entries for each contact that has one; undated is oldest, later wins."""
    owners = block.column(key).owners(entries)
    at = block.column(f"{key}.at").stored[entries]
    order = np.lexsort((entries, at, owners))
    last = np.ones(len(order), np.bool_)
    last[:-1] = owners[order][1:] != owners[order][:-1]
    return owners[order][last], entries[order][last]


def _outside(clause: Clause, plan: Plan) -> Run:
    mask = plan.outside[clause]
    return lambda block: mask[block.ordinals]


def _in_segment(clause: InSegment, plan: Plan) -> Run:
    if clause.means is None:
        raise ValueError("look the referred segments up first: references.expand")
    return Plan(plan.now, plan.outside).run_of(clause.means)


_PLANS: Final[dict[type, Callable[[Any, Plan], Run]]] = {
    All: _all,
    Any_: _any,
    Not: _not,
    Exists: _exists,
    OneOf: _one_of,
    TextIs: _text_is,
    Between: _between,
    Age: _age,
    MonthIs: _month_is,
    Anniversary: _anniversary,
    Count: _count,
    Latest: _latest,
    Happened: _outside,
    OnList: _outside,
    InSegment: _in_segment,
    Registered: _outside,
}
