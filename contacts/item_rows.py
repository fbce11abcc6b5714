"""Items of list fields as rows of their parts by position, as a sealed record keeps them.

A position never changes its meaning: rows that were sealed long ago are read by it. A system that
is known is its number; parts at the end of a row that say nothing are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from contacts.codes import KNOWN_SYSTEMS
from contacts.fields import FIELDS, FieldType

Item = dict[str, Any]
Row = tuple[Any, ...]

_POSITIONS: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.CODES: (
        "system", "code", "display", "status", "date", "end", "also", "ref", "as_of",
    ),
    FieldType.RESULTS: (
        "system", "code", "display", "value", "unit", "at", "also", "ref", "as_of",
    ),
    FieldType.OCCURRENCES: (
        "system", "code", "display", "status", "class", "at", "also", "ref", "as_of",
    ),
    FieldType.NUMBERS: ("source", "value", "as_of"),
}  # fmt: skip
LISTS = {key: _POSITIONS[field.type] for key, field in FIELDS.items() if field.is_list}
"""The positions of each list field."""
_SYSTEM_NUMBER = {system: number for number, system in enumerate(KNOWN_SYSTEMS)}
_NO_NUMBERS: Mapping[str, int] = {}
_MOST_SHAPES = 200


class _Shape(NamedTuple):
    """How items with the same parts in the same order become rows.

    `rest` takes the parts after the first from an item's values with None behind them;
    `rest_timed` takes the time too.
    """

    first: int
    rest: Callable[[Row], Row]
    rest_timed: Callable[[Row], Row]


_shapes: dict[str, dict[tuple[str, ...], _Shape]] = {key: {} for key in LISTS}


def packed(key: str, items: list[Item], stamp: int) -> list[Row]:
    """Return the items' rows; one as old as its field says so by saying nothing."""
    shapes, rows = _shapes[key], []
    numbers = _SYSTEM_NUMBER if LISTS[key][0] == "system" else _NO_NUMBERS
    for item in items:
        names = tuple(item)
        first, rest, rest_timed = shapes.get(names) or _shape(key, names)
        if "as_of" in item and item["as_of"] != stamp:
            rest = rest_timed
        values = (*item.values(), None)
        start = values[first]
        rows.append((numbers.get(start, start), *rest(values)))
    return rows


def _shape(key: str, names: tuple[str, ...]) -> _Shape:
    places = {name: place for place, name in enumerate(names)}
    first, *others = [places.get(name, len(names)) for name in LISTS[key]]
    shape = _Shape(first, _taker(others[:-1], len(names)), _taker(others, len(names)))
    if len(_shapes[key]) < _MOST_SHAPES:
        _shapes[key][names] = shape
    return shape


def _taker(places: list[int], nothing: int) -> Callable[[Row], Row]:
    """Return what takes the values at these places, up to the last that has something."""
    while places and places[-1] == nothing:
        places = places[:-1]
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)


def unpacked(key: str, rows: list[list[Any]], stamp: int) -> list[Item]:
    """Return the items with the time of each."""
    items = read(key, rows, keep_stamp=True)
    for item in items:
        item.setdefault("as_of", stamp)
    return items


def read(key: str, rows: list[list[Any]], *, keep_stamp: bool = False) -> list[Item]:
    """Return the items as readers want them."""
    positions = LISTS[key] if keep_stamp else LISTS[key][:-1]
    items = []
    for row in rows:
        item = dict(zip(positions, row, strict=False))
        if None in row:
            item = {name: part for name, part in item.items() if part is not None}
        system = item.get("system")
        if type(system) is int:
            item["system"] = KNOWN_SYSTEMS[system]
        items.append(item)
    return items
