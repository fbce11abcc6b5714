"""The same meaning as `semantics`, over whole blocks at once. Pure.

A definition is planned once for a `now` (bounds become numbers, words are folded), then run over
each block. Answers for words are kept by the block's word list, which most blocks share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from functools import partial
from typing import Any, Final

import numpy as np

from contacts.fields import Field, FieldType
from contacts.segments import list_plans, moments, patterns
from contacts.segments.arrays import FloatColumn, IntColumn, Mask
from contacts.segments.building import has_codings, minutes
from contacts.segments.nodes import (
    Age,
    All,
    Anniversary,
    Any_,
    Been,
    Between,
    Clause,
    Count,
    Definition,
    Everyone,
    Exists,
    Happened,
    HasWords,
    Household,
    InSegment,
    Latest,
    Matches,
    MonthIs,
    Not,
    OneHappened,
    OneOf,
    OnList,
    Registered,
    Several,
    Share,
    Size,
    TextIs,
    Totalled,
    Where,
    Window,
    walk_own,
)
from contacts.segments.planning import (
    Block,
    Plan,
    Run,
    Watch,
    Words,
    contains,
    first_number,
    floats,
    in_floats,
)
from contacts.segments.semantics import fold

_ELSEWHERE: Final = (
    Happened, Totalled, OneHappened, Been, OnList, Registered, Household, Share,
)  # fmt: skip
"""Clauses that rows in the clear answer, or a contact's place, not columns."""


def plan(
    definition: Definition,
    *,
    now: datetime,
    outside: Mapping[Clause, Mask],
    watch: Watch | None = None,
) -> Run:
    """Return what to run over each block. `watch` is told each clause's own answer."""
    return Plan(now, outside, _PLANS, watch, definition.fields).run_of(definition.root)


def answered_outside(definition: Definition) -> Iterator[Clause]:
    """The clauses for which a mask must be given."""
    return (clause for clause in walk_own(definition.root) if isinstance(clause, _ELSEWHERE))


def columns_read(definition: Definition) -> frozenset[str]:
    """The columns that a run opens, `present` apart."""
    clauses = walk_own(definition.root)
    return frozenset(name for c in clauses for name in _columns_of(c, definition.fields))


def _columns_of(clause: Clause, fields: Mapping[str, Field]) -> Iterator[str]:
    key = getattr(clause, "field", "")
    if not key:
        return
    yield key
    if fields[key].type is FieldType.CHOICES and not isinstance(clause, Exists | Size):
        yield f"{key}.word"
    if not has_codings(fields[key].type):
        return
    yield f"{key}.code"
    where = getattr(clause, "where", Where())
    asked = {"status": where.statuses, "text": where.texts, "kind": where.kinds, "unit": where.unit}
    yield from (f"{key}.{part}" for part, given in asked.items() if given)
    if where.window != Window() or isinstance(clause, Latest):
        yield f"{key}.at"
    if isinstance(clause, Latest) and clause.answers:
        yield f"{key}.answer"
    elif isinstance(clause, Latest) or where.low is not None or where.high is not None:
        yield f"{key}.value"


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


def _several(clause: Several, plan: Plan) -> Run:
    runs = [plan.run_of(part) for part in clause.parts]

    def run(block: Block) -> Mask:
        found = np.sum([each(block) for each in runs], axis=0)
        return list_plans.in_range(found, clause.low, clause.high)

    return run


def _everyone(clause: Everyone, plan: Plan) -> Run:
    return lambda block: np.ones(block.size, np.bool_)


def _exists(clause: Exists, plan: Plan) -> Run:
    kind = plan.fields[clause.field].type
    if kind is FieldType.CHOICES:
        return lambda block: block.column(clause.field).counts > 0
    if has_codings(kind):
        return list_plans.count(Count(clause.field, Where(), low=1), plan)

    def run(block: Block) -> Mask:
        known: Mask = block.column(clause.field).known
        return known

    return run


def _one_of(clause: OneOf, plan: Plan) -> Run:
    kind = plan.fields[clause.field].type
    if kind in (FieldType.TEXT, FieldType.CHOICE):
        same = str if clause.exact else fold
        wanted = frozenset(same(value) for value in clause.values)
        words = Words(lambda word: same(word) in wanted)
        return lambda block: words(block.column(clause.field))
    if kind in (FieldType.NUMBER, FieldType.DECIMAL):
        numbers = np.array(clause.values, np.float64)
        return lambda block: _is_one_of(block.column(clause.field), numbers)
    days = [_whole(value) for value in clause.values]

    def run(block: Block) -> Mask:
        column: IntColumn = block.column(clause.field)
        found = column.between(days[0], days[0] + 1)
        for day in days[1:]:
            found = found | column.between(day, day + 1)
        return found

    return run


def _whole(value: Any) -> int:
    """A day, a time of day or a yes as it is kept in columns."""
    if isinstance(value, date):
        return moments.days_from(value)
    return minutes(value) if isinstance(value, time) else int(value)


def _is_one_of(column: FloatColumn, numbers: Any) -> Mask:
    found: Mask = np.isin(column.values.astype(np.float64), numbers)
    return found


def _text_is(clause: TextIs, plan: Plan) -> Run:
    same = str if clause.exact else fold
    wanted = tuple(same(value) for value in clause.values)
    if clause.how == "starts_with":
        return _tested(clause, plan, lambda word: same(word).startswith(wanted))
    if clause.how == "ends_with":
        return _tested(clause, plan, lambda word: same(word).endswith(wanted))
    return _tested(clause, plan, lambda word: contains(same(word), wanted))


def _matches(clause: Matches, plan: Plan) -> Run:
    return _tested(clause, plan, patterns.finder(clause.pattern, exact=clause.exact))


def _tested(clause: TextIs | Matches, plan: Plan, test: Callable[[str], bool]) -> Run:
    """The text passes; of a list, one of its words does."""
    words = Words(test)
    if plan.fields[clause.field].type is FieldType.CHOICES:
        return list_plans.any_word(clause.field, words)
    return lambda block: words(block.column(clause.field))


def _between(clause: Between, plan: Plan) -> Run:
    kind = plan.fields[clause.field].type
    if kind in (FieldType.NUMBER, FieldType.DECIMAL):
        low, high = floats(clause)
        return lambda block: in_floats(block.column(clause.field).values, low, high)
    first = partial(_first, plan=plan, kind=kind)
    bottom = None if clause.low is None else first(clause.low, after=clause.low_open)
    top = None if clause.high is None else first(clause.high, after=not clause.high_open)

    def run(block: Block) -> Mask:
        found: Mask = block.column(clause.field).between(bottom, top)
        return found

    return run


def _first(point: Any, *, plan: Plan, kind: FieldType, after: bool) -> int:
    if kind is FieldType.TIME:
        return minutes(point) + int(after)
    return first_number(point, plan, after=after, dated=kind is FieldType.DATE)


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


def _outside(clause: Clause, plan: Plan) -> Run:
    mask = plan.outside[clause]
    return lambda block: mask[block.ordinals]


def _in_segment(clause: InSegment, plan: Plan) -> Run:
    if clause.means is None:
        raise ValueError("look the referred segments up first: references.expand")
    return Plan(plan.now, plan.outside, _PLANS, None, plan.fields).run_of(clause.means)


_PLANS: Final[dict[type, Callable[[Any, Plan], Run]]] = {
    All: _all,
    Any_: _any,
    Not: _not,
    Several: _several,
    Everyone: _everyone,
    Exists: _exists,
    OneOf: _one_of,
    TextIs: _text_is,
    Matches: _matches,
    HasWords: list_plans.has_words,
    Size: list_plans.size,
    Between: _between,
    Age: _age,
    MonthIs: _month_is,
    Anniversary: _anniversary,
    Count: list_plans.count,
    Latest: list_plans.latest,
    Happened: _outside,
    Totalled: _outside,
    OneHappened: _outside,
    Been: _outside,
    Household: _outside,
    OnList: _outside,
    InSegment: _in_segment,
    Registered: _outside,
    Share: _outside,
}
