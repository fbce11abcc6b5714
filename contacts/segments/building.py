"""From the values of records to packed columns and to facts. Pure.

A column's name is the field's key; a list field has the column of its `Spans` under its key, and
parts named `conditions.code`, `conditions.status` and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

import numpy as np

from contacts.facts import codings
from contacts.fields import FIELDS, Field, FieldType
from contacts.segments.arrays import Column, FloatColumn, IntColumn, Spans, TextColumn
from contacts.segments.facts import Entry, Value
from contacts.segments.semantics import RETRACTED

Values = Mapping[str, Any]
"""The canonical values of one person (`contacts.canonical`), `last_visit` included."""

PRESENT: Final = "present"
"""The column that says which places of the block are people: the others are gaps and erased."""

PLACES: Final = "places"
"""The column of a side block that says whose values stand there: their ordinals, ascending."""

RETRACTED_MARK: Final = "\x1d"
_PAIR, _BETWEEN = "\x1f", "\x1e"
_PARTS: Final[Mapping[FieldType, tuple[str, ...]]] = {
    FieldType.CODES: ("code", "status", "text", "at"),
    FieldType.OCCURRENCES: ("code", "status", "text", "at", "kind"),
    FieldType.RESULTS: ("code", "status", "text", "at", "value", "answer", "unit"),
    FieldType.CODED: ("code", "status", "text"),
    FieldType.CHOICES: ("word",),
}
"""The parts of what is kept entry by entry; a coded value is a list of one."""


def has_codings(type_: FieldType) -> bool:
    """Whether values of the type are coded entries."""
    return "code" in _PARTS.get(type_, ())


def minutes(at: time) -> int:
    """A time of day as it is kept in columns."""
    return at.hour * 60 + at.minute


def parts_of(field: Field) -> tuple[str, ...]:
    """The columns of a field."""
    if field.type not in _PARTS:
        return (field.key,)
    return (field.key, *(f"{field.key}.{part}" for part in _PARTS[field.type]))


def all_columns(fields: Mapping[str, Field] = FIELDS) -> tuple[str, ...]:
    """Every column of a block but `present`."""
    return tuple(name for field in fields.values() if field.segmentable for name in parts_of(field))


def coded_word(entry_codings: Iterable[tuple[str, str]], status: str) -> str:
    """All codings of an entry as one word of the code part, marked if it was taken back."""
    mark = RETRACTED_MARK if status in RETRACTED else ""
    return mark + _BETWEEN.join(f"{system}{_PAIR}{code}" for system, code in entry_codings)


def codings_in(word: str) -> tuple[bool, list[tuple[str, str]]]:
    """Whether the entry was taken back, and its codings."""
    retracted = word.startswith(RETRACTED_MARK)
    pairs = word[len(RETRACTED_MARK) :] if retracted else word
    found = (pair.partition(_PAIR) for pair in pairs.split(_BETWEEN))
    return retracted, [(system, code) for system, _, code in found]


def build(
    people: Sequence[Values], names: Collection[str], *, fields: Mapping[str, Field] = FIELDS
) -> dict[str, Column]:
    """Return the named columns over these people, one place each, in order."""
    keys = dict.fromkeys(name.partition(".")[0] for name in names)
    return of_values({key: [one.get(key) for one in people] for key in keys}, names, fields=fields)


def of_values(
    values: Mapping[str, Sequence[Any]],
    names: Collection[str],
    *,
    fields: Mapping[str, Field] = FIELDS,
) -> dict[str, Column]:
    """Return the same from each field's values, one for each person, in order."""
    built: dict[str, Column] = {}
    for key in dict.fromkeys(name.partition(".")[0] for name in names):
        field = fields[key]
        if field.type in _PARTS:
            built |= _lists(field, values[key], names)
        else:
            built[key] = _SCALARS[field.type](values[key])
    return built


def nobody(name: str, size: int, fields: Mapping[str, Field]) -> Column:
    """The column of so many people of whom nothing is known."""
    column = build([{}], [name.partition(".")[0], name], fields=fields)[name]
    return column if "." in name else column.take(np.zeros(size, np.int64))


def present(flags: Sequence[bool]) -> IntColumn:
    held = np.array(flags, np.bool_)
    return IntColumn.of(held.astype(np.int64), np.ones(len(held), np.bool_), least=0)


def places(ordinals: Sequence[int]) -> IntColumn:
    """As wide for a few contacts as for many, so that the width says nothing."""
    held = np.array(ordinals, np.int64)
    return IntColumn.of(held, np.ones(len(held), np.bool_), least=8)


def _texts(values: Sequence[Any]) -> Column:
    return TextColumn.of(values)


def _days(values: Sequence[Any]) -> IntColumn:
    return _times(values, "datetime64[D]", least=2)


def _seconds(values: Sequence[Any]) -> IntColumn:
    return _times([value and value[:-1] for value in values], "datetime64[s]", least=4)


def _times(values: Sequence[Any], unit: str, *, least: int) -> IntColumn:
    texts = np.array([value or "NaT" for value in values], unit)
    known = ~np.isnat(texts)
    return IntColumn.of(texts.astype(np.int64), known, least=least)


def _flags(values: Sequence[Any]) -> Column:
    known = np.array([value is not None for value in values], np.bool_)
    return IntColumn.of(np.array([bool(value) for value in values], np.int64), known, least=0)


def _numbers(values: Sequence[Any]) -> FloatColumn:
    return FloatColumn.of(
        np.array([np.nan if value is None else value for value in values], np.float64)
    )


def _decimals(values: Sequence[Any]) -> FloatColumn:
    return _numbers([None if value is None else float(value) for value in values])


def _clocks(values: Sequence[Any]) -> IntColumn:
    known = np.array([value is not None for value in values], np.bool_)
    kept = [minutes(time.fromisoformat(value or "00:00")) for value in values]
    return IntColumn.of(np.array(kept, np.int64), known, least=2)


_SCALARS: Final[Mapping[FieldType, Callable[[Sequence[Any]], Column]]] = {
    FieldType.TEXT: _texts,
    FieldType.CHOICE: _texts,
    FieldType.NUMBER: _numbers,
    FieldType.BOOLEAN: _flags,
    FieldType.DATE: _days,
    FieldType.DATETIME: _seconds,
    FieldType.DECIMAL: _decimals,
    FieldType.TIME: _clocks,
}


def _lists(field: Field, values: Sequence[Any], names: Collection[str]) -> dict[str, Column]:
    values = [[one] if isinstance(one, Mapping) else one or () for one in values]
    counts = np.array([len(items) for items in values], np.int64)
    items = [item for items in values for item in items]
    built: dict[str, Column] = {field.key: Spans(counts)}
    for part in _PARTS[field.type]:
        name = f"{field.key}.{part}"
        if name in names:
            built[name] = _part(field, part, items)
    return built


def _part(field: Field, part: str, items: Sequence[Any]) -> Column:
    if part == "word":
        return TextColumn.of(items)
    if part == "at":
        if field.type is FieldType.CODES:
            return _days([item.get("date") for item in items])
        return _seconds([item.get("at") for item in items])
    if part == "value":
        return _numbers([_number(item) for item in items])
    if part == "answer":
        return TextColumn.of([_answer(item) for item in items])
    if part == "code":
        return TextColumn.of([coded_word(codings(i), i.get("status", "")) for i in items])
    key = {"text": "display", "kind": "class"}.get(part, part)
    return TextColumn.of([item.get(key) for item in items])


def _number(item: Mapping[str, Any]) -> float | None:
    value = item.get("value")
    return value if isinstance(value, int | float) else None


def _answer(item: Mapping[str, Any]) -> str:
    value = item.get("value")
    return value if isinstance(value, str) else ""


def facts_values(values: Values, fields: Mapping[str, Field] = FIELDS) -> dict[str, Value]:
    """The same values as the reference semantics reads them."""
    return {
        key: _fact(fields[key], value)
        for key, value in values.items()
        if value is not None and key in fields and fields[key].segmentable
    }


def _fact(field: Field, value: Any) -> Value:
    if has_codings(field.type):
        items = [value] if isinstance(value, Mapping) else value
        return tuple(_entry(field, item) for item in items)
    found: Value = _FACTS.get(field.type, _as_is)(value)
    return found


def _as_is(value: Any) -> Any:
    return value


_FACTS: Final[Mapping[FieldType, Callable[[Any], Any]]] = {
    FieldType.DATE: date.fromisoformat,
    FieldType.DATETIME: datetime.fromisoformat,
    FieldType.TIME: time.fromisoformat,
    FieldType.NUMBER: float,
    FieldType.DECIMAL: float,
    FieldType.CHOICES: tuple,
}


def _entry(field: Field, item: Mapping[str, Any]) -> Entry:
    dated = item.get("date") if field.type is FieldType.CODES else item.get("at")
    read = date.fromisoformat if field.type is FieldType.CODES else datetime.fromisoformat
    return Entry(
        codings=tuple(codings(item)),
        kind=item.get("class", ""),
        status=item.get("status", ""),
        text=item.get("display", ""),
        at=read(dated) if dated else None,
        value=_number(item),
        answer=_answer(item),
        unit=item.get("unit", ""),
    )
