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
_MOST_SHAPES = 200


class _Shape(NamedTuple):
    """How items with the same parts become rows. `blanks` are the parts that they lack;
    `by_system` the same with the number of a known system. `take` leaves the time out.
    """

    blanks: Item
    by_system: Mapping[str, Item]
    take: Callable[[Item], Row]
    take_timed: Callable[[Item], Row]


_shapes: dict[str, dict[tuple[str, ...], _Shape]] = {key: {} for key in LISTS}


def packed(key: str, items: list[Item], stamp: int) -> list[Row]:
    """Return the items' rows; one as old as its field says so by saying nothing."""
    shapes, rows = _shapes[key], []
    for item in items:
        names = tuple(item)
        blanks, by_system, take, take_timed = shapes.get(names) or _shape(key, names)
        if item.get("as_of", stamp) != stamp:
            take = take_timed
        rows.append(take(item | by_system.get(item.get("system"), blanks)))  # type: ignore[arg-type]
    return rows


def _shape(key: str, names: tuple[str, ...]) -> _Shape:
    positions = LISTS[key]
    untimed = [name for name in names if name != "as_of"]
    blanks = dict.fromkeys(name for name in positions if name not in names)
    numbers = _SYSTEM_NUMBER if "system" in names else {}
    by_system = {system: {**blanks, "system": number} for system, number in numbers.items()}
    shape = _Shape(blanks, by_system, _taker(positions, untimed), _taker(positions, names))
    if len(_shapes[key]) < _MOST_SHAPES:
        _shapes[key][names] = shape
    return shape


def _taker(positions: tuple[str, ...], names: list[str] | tuple[str, ...]) -> Callable[[Item], Row]:
    """Return what takes an item's parts up to the last position that it has."""
    wanted = positions[: 1 + max(map(positions.index, names), default=-1)]
    if len(wanted) > 1:
        return itemgetter(*wanted)
    return lambda item: tuple(item[name] for name in wanted)


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
