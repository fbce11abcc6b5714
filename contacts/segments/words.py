"""A definition as a sentence that the person who built it would say. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from contacts.fields import FIELDS, FieldType
from contacts.segments.moments import Relative, Span
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
)

Names = Mapping[UUID, str]
_MONTHS: Final = calendar.month_name


def in_words(definition: Definition, *, names: Names | None = None) -> str:
    """Return the sentence. `names` gives lists, segments and campaigns their names."""
    return "People whose " + clause_in_words(definition.root, names=names)


def clause_in_words(clause: Clause, *, names: Names | None = None) -> str:
    return _WORDS[type(clause)](clause, names or {})


def _join(parts: Sequence[str], word: str) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])}{',' if len(parts) > 2 else ''} {word} {parts[-1]}"


def _inner(part: Clause, names: Names) -> str:
    said = clause_in_words(part, names=names)
    return f"({said})" if isinstance(part, All | Any_) else said


def _all(clause: All, names: Names) -> str:
    return _join([_inner(part, names) for part in clause.parts], "and")


def _any(clause: Any_, names: Names) -> str:
    return _join([_inner(part, names) for part in clause.parts], "or")


def _not(clause: Not, names: Names) -> str:
    return f"not ({clause_in_words(clause.part, names=names)})"


def _label(key: str) -> str:
    field = FIELDS.get(key)
    return field.label.lower() if field else key


def _exists(clause: Exists, names: Names) -> str:
    return f"{_label(clause.field)} is known"


def _one_of(clause: OneOf, names: Names) -> str:
    said = [_value(value) for value in clause.values]
    exact = " (exact case)" if clause.exact else ""
    return f"{_label(clause.field)} is {_join(said, 'or')}{exact}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Relative):
        return _relative(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    return value.isoformat() if isinstance(value, date) else f"“{value}”"


def _span(span: Span | Relative) -> str:
    count = abs(span.count)
    return f"{count} {span.unit[:-1] if count == 1 else span.unit}"


def _relative(point: Relative) -> str:
    if point.count == 0:
        return "now" if point.unit == "hours" else "today"
    return f"{_span(point)} {'ago' if point.count < 0 else 'ahead'}"


def _text_is(clause: TextIs, names: Names) -> str:
    how = clause.how.replace("_", " ")
    exact = " (exact case)" if clause.exact else ""
    said = _join([_value(value) for value in clause.values], "or")
    return f"{_label(clause.field)} {how} {said}{exact}"


def _between(clause: Between, names: Names) -> str:
    label, low, high = _label(clause.field), clause.low, clause.high
    if isinstance(low, Relative) and isinstance(high, Relative):
        if high.count == 0 and low.count < 0:
            return f"{label} is within the last {_span(low)}"
        if low.count == 0 and high.count > 0:
            return f"{label} is within the next {_span(high)}"
    if isinstance(high, Relative) and low is None and clause.high_open and high.count < 0:
        return f"{label} is more than {_span(high)} ago"
    dated = FIELDS.get(clause.field) is not None and FIELDS[clause.field].type in (
        FieldType.DATE,
        FieldType.DATETIME,
    )
    return f"{label} is {_bounds(clause, dated=dated)}"


def _bounds(clause: Between | Latest, *, dated: bool) -> str:
    if clause.low is not None and clause.low == clause.high:
        return _value(clause.low)
    if clause.low is not None and clause.high is not None:
        return f"from {_value(clause.low)} to {_value(clause.high)}"
    more = ("after", "on or after") if dated else ("more than", "at least")
    less = ("before", "on or before") if dated else ("less than", "at most")
    if clause.low is not None:
        return f"{more[0] if clause.low_open else more[1]} {_value(clause.low)}"
    return f"{less[0] if clause.high_open else less[1]} {_value(clause.high)}"


def _age(clause: Age, names: Names) -> str:
    on = f" on {clause.on.isoformat()}" if clause.on else ""
    what = "age" if clause.field == "birth_date" else f"years since {_label(clause.field)}"
    if clause.low is not None and clause.high is not None:
        return f"{what} is {clause.low} to {clause.high}{on}"
    if clause.low is not None:
        return f"{what} is {clause.low} or more{on}"
    return f"{what} is {clause.high} or less{on}"


def _month_is(clause: MonthIs, names: Names) -> str:
    said = _join([_MONTHS[month] for month in clause.months], "or")
    return f"{_label(clause.field)} falls in {said}"


def _anniversary(clause: Anniversary, names: Names) -> str:
    when = "today" if clause.days == 0 else f"within the next {_span(Span(clause.days, 'days'))}"
    what = "birthday" if clause.field == "birth_date" else f"anniversary of {_label(clause.field)}"
    return f"{what} is {when}"


def _times(low: int, high: int | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"exactly {low}" if low == high else f"at most {high}"


def _count(clause: Count, names: Names) -> str:
    label, what = _label(clause.field), _where(clause.where)
    if (clause.low, clause.high) == (1, None):
        return f"{label} include {what or 'any'}"
    return f"{label} include {_times(clause.low, clause.high)}{what and ' ' + what}"


def _where(where: Where) -> str:
    said = []
    if where.codes:
        said.append(f"code {_join(list(where.codes), 'or')}")
    if where.kinds:
        said.append(f"class {_join(list(where.kinds), 'or')}")
    if where.texts:
        said.append(f"text with {_join([_value(text) for text in where.texts], 'or')}")
    if where.statuses:
        said.append(f"status {_join(list(where.statuses), 'or')}")
    if where.unit:
        said.append(f"in {where.unit}")
    if where.system and not where.codes:
        said.append(f"system {where.system}")
    return " ".join([", ".join(said), *_window(where.window)]).strip()


def _window(window: Window) -> list[str]:
    said = []
    if window.since is not None:
        said.append(f"since {_value(window.since)}")
    if window.before is not None:
        said.append(f"before {_value(window.before)}")
    if window.last:
        said.append(f"in the last {_span(window.last)}")
    if window.next:
        said.append(f"in the next {_span(window.next)}")
    return said


def _latest(clause: Latest, names: Names) -> str:
    if clause.answers:
        asked = f"is {_join([_value(answer) for answer in clause.answers], 'or')}"
    else:
        asked = f"is {_bounds(clause, dated=False)}"
    return f"latest result of {_where(clause.where)} {asked}"


def _happened(clause: Happened, names: Names) -> str:
    parts = [f"events include {_times(clause.low, clause.high)} “{clause.kind}”"]
    if clause.campaign:
        parts.append(f"of {names.get(clause.campaign, 'one campaign')}")
    if clause.link:
        parts.append(f"on the link “{clause.link}”")
    parts += _window(clause.window)
    if clause.machine:
        parts.append("(machines counted too)")
    return " ".join(parts)


def _on_list(clause: OnList, names: Names) -> str:
    return f"lists include {names.get(clause.list_id, 'a list')}"


def _in_segment(clause: InSegment, names: Names) -> str:
    return f"segments include {names.get(clause.segment_id, 'another segment')}"


def _registered(clause: Registered, names: Names) -> str:
    return str(clause.question.in_words())


_WORDS: Final[dict[type, Callable[[Any, Names], str]]] = {
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
    Happened: _happened,
    OnList: _on_list,
    InSegment: _in_segment,
    Registered: _registered,
}
