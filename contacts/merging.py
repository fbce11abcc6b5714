"""How a change meets what is known. Pure.

A single value gives way to what its source knew later; of two from the same moment, the one that
arrived last stays. A list merges item by item: an item is known by its name in the source (`ref`)
or by its code and date; of the results of one code only the newest is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from contacts.facts import CLEAR
from contacts.fields import FIELDS, STORED_CLASS, DataClass, Field, FieldType
from contacts.packing import Record

Item = dict[str, Any]

_LISTS = frozenset(key for key, field in FIELDS.items() if field.is_list)


class Merged(NamedTuple):
    """The records of the classes that changed; `fields` names what differs for a reader."""

    records: dict[DataClass, Record]
    fields: frozenset[str]


def by_class(
    values: Mapping[str, Any], *, fields: Mapping[str, Field] = FIELDS
) -> dict[DataClass, dict[str, Any]]:
    """Return values grouped by the sealed record that holds them."""
    grouped: dict[DataClass, dict[str, Any]] = {}
    for key, value in values.items():
        kind = STORED_CLASS[key] if key in STORED_CLASS else fields[key].data_class
        grouped.setdefault(kind, {})[key] = value
    return grouped


def fresh(
    values: Mapping[str, Any], *, as_of: int, fields: Mapping[str, Field] = FIELDS
) -> dict[DataClass, Record]:
    """Return the records of a person of whom nothing was known."""
    records: dict[DataClass, Record] = {}
    for key, value in values.items():
        kind = STORED_CLASS[key] if key in STORED_CLASS else fields[key].data_class
        record = records.get(kind)
        if record is None:
            record = records[kind] = Record({}, {})
        if value is not None and value is not CLEAR:
            record.values[key] = each_once(key, value, as_of) if key in _LISTS else value
            record.as_of[key] = as_of
    return records


def merge(
    known: Mapping[DataClass, Record],
    values: Mapping[str, Any],
    *,
    as_of: int,
    retracted: frozenset[str] = frozenset(),
    fields: Mapping[str, Field] = FIELDS,
) -> Merged:
    """Return what a change makes of the records of its classes.

    `fields` says where custom values belong (`contacts.registry`). Stored values of a field that
    it does not name stay as they are.
    """
    records, differing = {}, set()
    for kind, part in _touched(by_class(values, fields=fields), known, retracted).items():
        before = known.get(kind, Record({}, {}))
        after = Record(dict(before.values), dict(before.as_of))
        for key, value in part.items():
            if _apply(after, key, value, as_of, retracted):
                differing.add(key)
        if after != before:
            records[kind] = after
    return Merged(records, frozenset(differing))


def _touched(
    grouped: dict[DataClass, dict[str, Any]],
    known: Mapping[DataClass, Record],
    retracted: frozenset[str],
) -> dict[DataClass, dict[str, Any]]:
    """Add to the values every list from which the source may have taken an item back."""
    for kind in known if retracted else ():
        for key in _LISTS & known[kind].values.keys():
            grouped.setdefault(kind, {}).setdefault(key, [])
    return grouped


def _apply(record: Record, key: str, value: Any, as_of: int, retracted: frozenset[str]) -> bool:
    """Put one value into the record; return whether a reader would see a difference."""
    if value is None:
        return False
    stamp = record.as_of.get(key, -1)
    if key in _LISTS and value is not CLEAR:
        return _apply_items(record, key, value, as_of, retracted)
    if as_of < stamp:
        return False
    record.as_of[key] = as_of
    before = record.values.get(key)
    if value is CLEAR:
        record.values.pop(key, None)
        return before is not None
    record.values[key] = value
    return bool(before != value)


def _apply_items(
    record: Record, key: str, items: list[Item], as_of: int, retracted: frozenset[str]
) -> bool:
    before = record.values.get(key, [])
    after = _distinct(key, items, as_of, onto=before)
    if retracted:
        after = [item for item in after if item.get("ref") not in retracted]
    if after == before:
        return False
    record.as_of[key] = max(record.as_of.get(key, -1), as_of)
    if after:
        record.values[key] = after
    else:
        record.values.pop(key, None)
    return _seen(after) != _seen(before)


def _seen(items: Iterable[Item]) -> list[Item]:
    return [{name: part for name, part in item.items() if name != "as_of"} for item in items]


def each_once(key: str, items: list[Item], as_of: int) -> list[Item]:
    """Return the items as they are where no two are the same; an item as old as its field says so
    by saying nothing.
    """
    if len(items) == 1 or len(set(_names(key, items))) == len(items):
        return items
    return _distinct(key, items, as_of)


def _names(key: str, items: list[Item]) -> Iterable[object]:
    """Return by what each item is known again."""
    name = _NAME_BY_KEY[key]
    if name is _by_ref:
        try:
            return list(map(_REF, items))
        except KeyError:  # not every item has one
            pass
    return map(name, items)


def _distinct(
    key: str, items: Iterable[Item], as_of: int, *, onto: Iterable[Item] = ()
) -> list[Item]:
    """Return the items of both, each once: the later word on each wins."""
    kind = FIELDS[key].type
    name, newer = _NAME_OF[kind], _NEWER[kind]
    kept = {name(item): item for item in onto}
    for given in items:
        item = {**given, "as_of": as_of}
        before = kept.get(name(item))
        if before is None or newer(item, before):
            kept[name(item)] = item
    return list(kept.values())


_REF = itemgetter("ref")


def _by_ref(item: Item) -> object:
    if "ref" in item:
        return item["ref"]
    return item["system"], item["code"], item.get("date") or item.get("at"), item["display"]


def _by_code(item: Item) -> object:
    return item["system"], item["code"] or item["display"]


def _by_number(item: Item) -> object:
    return item["source"], item["value"]


def _said_later(item: Item, before: Item) -> bool:
    """The same words said again change nothing, not even when they were said."""
    if item["as_of"] == before["as_of"]:
        return item != before
    return bool(item["as_of"] > before["as_of"])


def _happened_later(item: Item, before: Item) -> bool:
    mine, theirs = item.get("at", ""), before.get("at", "")
    return bool(mine > theirs) or (mine == theirs and _said_later(item, before))


def _never(item: Item, before: Item) -> bool:
    return False


_NAME_OF: Mapping[FieldType, Callable[[Item], object]] = {
    FieldType.CODES: _by_ref,
    FieldType.OCCURRENCES: _by_ref,
    FieldType.RESULTS: _by_code,
    FieldType.NUMBERS: _by_number,
}
_NEWER: Mapping[FieldType, Callable[[Item, Item], bool]] = {
    FieldType.CODES: _said_later,
    FieldType.OCCURRENCES: _said_later,
    FieldType.RESULTS: _happened_later,
    FieldType.NUMBERS: _never,
}
_NAME_BY_KEY = {key: _NAME_OF[FIELDS[key].type] for key in _LISTS}


def is_list(key: str) -> bool:
    """Whether the field's value is a list that merges item by item."""
    return key in _LISTS


def together(key: str, mine: list[Item], theirs: list[Item]) -> list[Item]:
    """Return the items of two people's lists, each once; both carry their own `as_of`."""
    kind = FIELDS[key].type
    name, newer = _NAME_OF[kind], _NEWER[kind]
    kept = {name(item): item for item in mine}
    for item in theirs:
        before = kept.get(name(item))
        if before is None or newer(item, before):
            kept[name(item)] = item
    return list(kept.values())
