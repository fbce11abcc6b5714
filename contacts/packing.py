"""How the values of one data class become the bytes that are sealed, and back.

A record is msgpack of `[format, as_of, values, as_ofs, filler]`. `as_of` says when its source knew
the values, in microseconds since 1970; `as_ofs` holds it for fields that differ. Declared fields
and known code systems are stored as numbers, list items as positions; fields that an organisation
added are stored under their keys. Reading keeps working for every number ever given: never reuse
one. The filler brings a record to the next power of two, so that how long it is does not say what
it holds (docs/decisions/lengths-say-little.md).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgpack
import msgspec

from contacts import item_rows
from contacts.fields import CUSTOM
from contacts.item_rows import LISTS

FORMAT = 1
_COMMON = 2048
_FILLERS: dict[int, bytes] = {}
"""The fillers of records up to that size."""
SHORTEST = 128
"""Bytes of the shortest record: one with nothing in it is as long as most."""
_BIN = struct.Struct(">cI")
_NO_OTHER: dict[Any, int] = {}


_packed = msgspec.msgpack.Encoder().encode
"""The same bytes as msgpack's own packer, in a third of its time; made once."""


class _Names(dict[Any, Any]):
    """Names for names: a key that an organisation added stands for itself."""

    def __missing__(self, name: object) -> str:
        if isinstance(name, str) and name.startswith(CUSTOM):
            return name
        raise KeyError(name)


NUMBERS: Mapping[str, int] = {
    "given_name": 1,
    "family_name": 2,
    "prefix": 3,
    "birth_date": 4,
    "deceased": 5,
    "deceased_at": 6,
    "record_numbers": 7,
    "email": 10,
    "phone": 11,
    "address_line": 12,
    "city": 13,
    "state": 14,
    "postal_code": 15,
    "country": 16,
    "time_zone": 17,
    "gender": 20,
    "language": 21,
    "race": 22,
    "ethnicity": 23,
    "marital_status": 24,
    "family_status": 25,
    "household_size": 26,
    "education": 27,
    "employment": 28,
    "income": 29,
    "religion": 46,
    "conditions": 30,
    "medications": 31,
    "results": 32,
    "encounters": 33,
    "immunizations": 34,
    "procedures": 35,
    "appointments": 36,
    "care_plans": 37,
    "hospital_stays": 38,
    "insurance": 40,
    "plan": 41,
    "coverage_type": 42,
    "coverage_start": 43,
    "coverage_end": 44,
    "coverages": 45,
}

_NAMES = _Names(NUMBERS)
_KEYS = _Names({number: key for key, number in NUMBERS.items()})


class Record(NamedTuple):
    """The values of one class, and for each field when its source knew it.

    In a record, an item of a list may carry `as_of` too: the time of what was last said of it.
    """

    values: dict[str, Any]
    as_of: dict[str, int]


def pack(record: Record) -> bytes:
    """Return the bytes of a record."""
    stamps = record.as_of
    times = set(stamps.values())
    common = max(times, default=0)
    exceptions = {}
    if len(times) > 1:
        exceptions = {_NAMES[key]: at for key, at in stamps.items() if at != common}
    values = {
        _NAMES[key]: (
            item_rows.packed(key, value, stamps.get(key, common)) if key in LISTS else value
        )
        for key, value in record.values.items()
    }
    return whole(common, values, exceptions)


def whole(as_of: int, stored: dict[Any, Any], exceptions: dict[Any, int] = _NO_OTHER) -> bytes:
    """Return the bytes of a record from values in their stored form: by number, lists as rows."""
    return _filled(_packed([FORMAT, as_of, stored, exceptions, None])[:-1])


def _filled(packed: bytes) -> bytes:
    """Put the filler in the place of the last element: zeros, as msgpack's `bin 32`."""
    size = len(packed)
    filler = _FILLERS.get(size)
    if filler is None:
        length = max(SHORTEST, 1 << (size + _BIN.size - 1).bit_length()) - size - _BIN.size
        filler = _BIN.pack(b"\xc6", length) + bytes(length)
        if size <= _COMMON:
            _FILLERS[size] = filler
    return packed + filler


def unpack(packed: bytes) -> Record:
    """Return the record as it was packed, with the `as_of` of fields and items."""
    form, common, stored, exceptions, *_ = msgpack.unpackb(packed, strict_map_key=False)
    if form != FORMAT:
        raise ValueError("a contact's record has a format that this release does not know")
    stamps = {_KEYS[number]: common for number in stored}
    stamps |= {_KEYS[number]: at for number, at in exceptions.items()}
    values = {
        (key := _KEYS[number]): (
            item_rows.unpacked(key, value, stamps[key]) if key in LISTS else value
        )
        for number, value in stored.items()
    }
    return Record(values, stamps)


def read(packed: bytes, keys: Collection[str] | None = None) -> dict[str, Any]:
    """Return only the values, as readers want them: without any `as_of`; of these fields only."""
    form, _, stored, *_ = msgpack.unpackb(packed, strict_map_key=False)
    if form != FORMAT:
        raise ValueError("a contact's record has a format that this release does not know")
    return {
        (key := _KEYS[number]): (item_rows.read(key, value) if key in LISTS else value)
        for number, value in stored.items()
        if keys is None or _KEYS[number] in keys
    }


def columns(packed: Iterable[bytes | None], keys: Collection[str]) -> dict[str, list[Any]]:
    """Return for each of these fields its value in each record, as `read` gives it, or None.

    For many records of one class: no dictionary is made for each of them.
    """
    unpackb = msgpack.unpackb
    nothing: Sequence[Any] = (FORMAT, 0, {})
    records = [nothing if one is None else unpackb(one, strict_map_key=False) for one in packed]
    if {record[0] for record in records} - {FORMAT}:
        raise ValueError("a contact's record has a format that this release does not know")
    return {key: _column(key, records) for key in keys}


def _column(key: str, records: Sequence[Sequence[Any]]) -> list[Any]:
    number = _NAMES[key]
    held = [record[2].get(number) for record in records]
    if key not in LISTS:
        return held
    return [None if rows is None else item_rows.read(key, rows) for rows in held]
