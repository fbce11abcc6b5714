"""A definition as a sentence that the person who built it would say. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final
from uuid import UUID

from contacts.declared import starters
from contacts.fields import Field
from contacts.segments import kinds
from contacts.segments.moments import Relative, Span
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
    Property,
    Registered,
    Several,
    Share,
    Size,
    TextIs,
    Total,
    Totalled,
    Where,
)
from contacts.segments.phrases import (
    PERIODS_IN_WORDS,
    bounds_in_words,
    joined,
    span_in_words,
    times_in_words,
    value_in_words,
    window_in_words,
)

Names = Mapping[UUID, str]
_MONTHS: Final = calendar.month_name


def in_words(definition: Definition, *, names: Names | None = None) -> str:
    """Return the sentence. `names` gives lists, segments and campaigns their names."""
    if isinstance(definition.root, Everyone):
        return "Everyone"
    return "People whose " + clause_in_words(definition.root, names=names, fields=definition.fields)


def clause_in_words(
    clause: Clause, *, fields: Mapping[str, Field], names: Names | None = None
) -> str:
    """Return one clause of a definition; `fields` are the definition's, an organisation's own
    among them."""
    return _said(clause, Told(names or {}, fields))


@dataclass(frozen=True, slots=True)
class Told:
    """The names that the sentence may use."""

    names: Names
    fields: Mapping[str, Field]

    def get(self, named: UUID, unnamed: str) -> str:
        return self.names.get(named, unnamed)


def _said(clause: Clause, names: Told) -> str:
    return _WORDS[type(clause)](clause, names)


def _inner(part: Clause, names: Told) -> str:
    said = _said(part, names)
    joins = isinstance(part, All | Any_ | Several) and not getattr(part, "said", "")
    return f"({said})" if joins else said


def _all(clause: All, names: Told) -> str:
    return clause.said or joined([_inner(part, names) for part in clause.parts], "and")


def _any(clause: Any_, names: Told) -> str:
    return joined([_inner(part, names) for part in clause.parts], "or")


def _not(clause: Not, names: Told) -> str:
    return f"not ({_said(clause.part, names)})"


def _label(key: str, names: Told) -> str:
    field = names.fields.get(key)
    return field.label.lower() if field else key


def _several(clause: Several, names: Told) -> str:
    said = "; ".join(_inner(part, names) for part in clause.parts)
    return f"answers to {times_in_words(clause.low, clause.high)} of these are yes: {said}"


def _everyone(clause: Everyone, names: Told) -> str:
    return "record is kept here"


def _share(clause: Share, names: Told) -> str:
    low, high = clause.low / 100, clause.high / 100
    among = f"among the first {high:g} %" if low == 0 else f"from {low:g} to {high:g} %"
    return f"lot by “{clause.name}” is {among}"


def _exists(clause: Exists, names: Told) -> str:
    return f"{_label(clause.field, names)} is known"


def _one_of(clause: OneOf, names: Told) -> str:
    said = [value_in_words(value) for value in clause.values]
    exact = " (exact case)" if clause.exact else ""
    return f"{_label(clause.field, names)} is {joined(said, 'or')}{exact}"


def _text_is(clause: TextIs, names: Told) -> str:
    how = clause.how.replace("_", " ")
    exact = " (exact case)" if clause.exact else ""
    said = joined([value_in_words(value) for value in clause.values], "or")
    return f"{_label(clause.field, names)} {how} {said}{exact}"


def _matches(clause: Matches, names: Told) -> str:
    exact = " (exact case)" if clause.exact else ""
    return f"{_label(clause.field, names)} matches the pattern “{clause.pattern}”{exact}"


def _has_words(clause: HasWords, names: Told) -> str:
    exact = " (exact case)" if clause.exact else ""
    said = joined(
        [value_in_words(value) for value in clause.values], "and" if clause.every else "or"
    )
    every = "all of " if clause.every and len(clause.values) > 1 else ""
    return f"{_label(clause.field, names)} include {every}{said}{exact}"


def _size(clause: Size, names: Told) -> str:
    return f"number of {_label(clause.field, names)} is {times_in_words(clause.low, clause.high)}"


def _between(clause: Between, names: Told) -> str:
    label, low, high = _label(clause.field, names), clause.low, clause.high
    if (low, high) in PERIODS_IN_WORDS:
        return f"{label} is {PERIODS_IN_WORDS[low, high]}"
    if isinstance(low, Relative) and isinstance(high, Relative):
        if high.count == 0 and low.count < 0:
            return f"{label} is within the last {span_in_words(low)}"
        if low.count == 0 and high.count > 0:
            return f"{label} is within the next {span_in_words(high)}"
    if isinstance(high, Relative) and low is None and clause.high_open and high.count < 0:
        return f"{label} is more than {span_in_words(high)} ago"
    dated = any(isinstance(side, date | time | Relative) for side in (low, high))
    return f"{label} is {bounds_in_words(clause, dated=dated)}"


def _age(clause: Age, names: Told) -> str:
    on = f" on {clause.on.isoformat()}" if clause.on else ""
    what = "age" if clause.field == "birth_date" else f"years since {_label(clause.field, names)}"
    if clause.low is not None and clause.high is not None:
        return f"{what} is {clause.low} to {clause.high}{on}"
    if clause.low is not None:
        return f"{what} is {clause.low} or more{on}"
    return f"{what} is {clause.high} or less{on}"


def _month_is(clause: MonthIs, names: Told) -> str:
    said = joined([_MONTHS[month] for month in clause.months], "or")
    return f"{_label(clause.field, names)} falls in {said}"


def _anniversary(clause: Anniversary, names: Told) -> str:
    when = (
        "today"
        if clause.days == 0
        else f"within the next {span_in_words(Span(clause.days, 'days'))}"
    )
    what = (
        "birthday"
        if clause.field == "birth_date"
        else f"anniversary of {_label(clause.field, names)}"
    )
    return f"{what} is {when}"


def _count(clause: Count, names: Told) -> str:
    label, what = _label(clause.field, names), _where(clause.where, names)
    if (clause.low, clause.high) == (1, None):
        return f"{label} include {what or 'any'}"
    return f"{label} include {times_in_words(clause.low, clause.high)}{what and ' ' + what}"


def _where(where: Where, names: Told) -> str:
    said = []
    coded = [
        *(_code(code, where.system) for code in where.codes),
        *(names.get(group, "a code group") for group in where.groups),
    ]
    if coded:
        said.append(f"code {joined(coded, 'or')}")
    if where.kinds:
        said.append(f"class {joined(list(where.kinds), 'or')}")
    if where.texts:
        said.append(f"text with {joined([value_in_words(text) for text in where.texts], 'or')}")
    if where.statuses:
        said.append(f"status {joined(list(where.statuses), 'or')}")
    if where.unit:
        said.append(f"in {where.unit}")
    if where.low is not None or where.high is not None:
        said.append(f"a value {bounds_in_words(where, dated=False)}")
    if where.system and not where.codes:
        said.append(f"system {where.system}")
    return " ".join([", ".join(said), *window_in_words(where.window)]).strip()


def _code(code: str, system: str) -> str:
    """Name a code by what it means, where the shipped groups know it."""
    means = starters.displays().get((system, code)) if system else None
    return f"{code} ({means})" if means else code


def _latest(clause: Latest, names: Told) -> str:
    if clause.answers:
        asked = f"is {joined([value_in_words(answer) for answer in clause.answers], 'or')}"
    else:
        asked = f"is {bounds_in_words(clause, dated=False)}"
    return f"latest result of {_where(clause.where, names)} {asked}"


def _happened(clause: Happened, names: Told) -> str:
    return f"events include {times_in_words(clause.low, clause.high)} {_such(clause, names)}"


def _kind(name: str) -> str:
    return f"beginning with “{name[:-1]}”" if kinds.is_beginning(name) else f"“{name}”"


def _such(such: Happened, names: Told, *, windowed: bool = True) -> str:
    parts = [_kind(such.kind)]
    if such.campaign:
        parts.append(f"of {names.get(such.campaign, 'one campaign')}")
    if such.link:
        parts.append(f"on the link “{such.link}”")
    if such.where is not None:
        parts.append(f"where {_said(such.where, names)}")
    if windowed:
        parts += window_in_words(such.window)
    if such.machine:
        parts.append("(machines counted too)")
    return " ".join(parts)


_TOTALS: Final[Mapping[Total, str]] = {
    "sum": "sum", "avg": "average", "min": "least", "max": "greatest",
    "count_distinct": "number of different values",
}  # fmt: skip


def _totalled(clause: Totalled, names: Told) -> str:
    what = f"{_TOTALS[clause.how]} of {clause.name} over events {_such(clause.such, names)}"
    return f"{what} is {bounds_in_words(clause, dated=False)}"


def _one_happened(clause: OneHappened, names: Told) -> str:
    asked = window_in_words(clause.such.window)
    if clause.such.where is not None:
        asked.append(f"where {_said(clause.such.where, names)}")
    what = f"{clause.which} event {_such(clause.of, names)}"
    return f"{what} is {' '.join(asked)}" if asked else f"{what} is known"


def _been(clause: Been, names: Told) -> str:
    such = clause.entered
    named = names.get(such.campaign, "another segment") if such.campaign else "another segment"
    when = " ".join(window_in_words(such.window))
    return f"segments include {named}, entered {when}"


def _property(clause: Property, names: Told) -> str:
    return _said(clause.test, names)


def _household(clause: Household, names: Told) -> str:
    return f"household includes someone else whose {_inner(clause.part, names)}"


def _on_list(clause: OnList, names: Told) -> str:
    return f"lists include {names.get(clause.list_id, 'a list')}"


def _in_segment(clause: InSegment, names: Told) -> str:
    return f"segments include {names.get(clause.segment_id, 'another segment')}"


def _registered(clause: Registered, names: Told) -> str:
    return str(clause.question.in_words())


_WORDS: Final[dict[type, Callable[[Any, Told], str]]] = {
    All: _all,
    Any_: _any,
    Not: _not,
    Several: _several,
    Everyone: _everyone,
    Share: _share,
    Exists: _exists,
    OneOf: _one_of,
    TextIs: _text_is,
    Matches: _matches,
    HasWords: _has_words,
    Size: _size,
    Between: _between,
    Age: _age,
    MonthIs: _month_is,
    Anniversary: _anniversary,
    Count: _count,
    Latest: _latest,
    Happened: _happened,
    Totalled: _totalled,
    OneHappened: _one_happened,
    Been: _been,
    Property: _property,
    Household: _household,
    OnList: _on_list,
    InSegment: _in_segment,
    Registered: _registered,
}
