"""The columns of a block as packed arrays, and their bytes. Pure.

A value column has one place for each contact of the block; 0 (or NaN) means missing. A list column
is kept in parts of one place for each entry, so that a question fetches only the parts it names;
`Spans` says which entries are whose. Integers are stored above the smallest of their block; texts
as numbers into the block's own sorted words, so that nobody's word outlives the block's people.

The bytes are padded: whoever sees only how long a sealed column is must not learn from it how its
values are spread. Widths follow the field's type rather than its values, yes and no take two bits,
and the whole is filled up to the next of a few sizes (docs/decisions/lengths-say-little.md).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol, TypeVar

import msgpack
import numpy as np
from numpy.typing import NDArray

FORMAT: Final = 3
SMALLEST: Final = 1_024
"""Bytes of the shortest column, its head apart."""
_HEAD: Final = 512
_WIDTHS: Final = (np.uint8, np.uint16, np.uint32, np.uint64)
_PAD: Final = struct.Struct(">cI")
Ints = NDArray[Any]
Mask = NDArray[np.bool_]


class Column(Protocol):
    def __len__(self) -> int: ...

    def take(self, places: Ints) -> Column:
        """The same column in another order, or some places of it."""

    def joined(self, other: Any) -> Column:
        """This column followed by the other."""

    def packed(self) -> list[Any]:
        """What msgpack stores."""


C = TypeVar("C", bound="Column")


def _narrow(values: Ints, least: int = 1) -> Ints:
    """The same non-negative numbers in the fewest bytes, but not fewer than `least`."""
    top = int(values.max()) if len(values) else 0
    for width in _WIDTHS:
        if np.dtype(width).itemsize >= least and top <= np.iinfo(width).max:
            return values.astype(width)
    raise OverflowError("a column holds a number that does not fit")


class Chosen:
    """Which of a block's words were meant; sorted words that are meant stand mostly together."""

    FEW: Final = 4

    def __init__(self, answers: Mask) -> None:
        self.answers = answers
        edges = np.flatnonzero(np.diff(np.concatenate([[False], answers, [False]])))
        self.runs = edges.reshape(-1, 2).tolist()

    def among(self, codes: Ints) -> Mask:
        """Compare numbers where the words form a few runs; look each one up otherwise."""
        if len(self.runs) > self.FEW:
            return self.answers[codes]
        found = np.zeros(len(codes), np.bool_)
        for first, after in self.runs:
            if after == first + 1:
                found |= codes == first
            else:
                found |= (codes >= first) & (codes < after)
        return found


@dataclass(frozen=True, eq=False)
class IntColumn:
    """Whole numbers: days, seconds, flags. `stored` is value - base + 1; 0 is missing.

    `least` is the fewest bytes for one, whatever the values are; 0 is two bits, for yes and no.
    """

    stored: Ints
    base: int
    least: int = 1

    @classmethod
    def of(cls, values: Ints, known: Mask, *, least: int = 1) -> IntColumn:
        held = values[known]
        base = int(held.min()) if len(held) and least else 0
        stored = np.zeros(len(values), np.uint64)
        stored[known] = (held - base + 1).astype(np.uint64)
        return cls(_narrow(stored, least), base, least)

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def known(self) -> Mask:
        held: Mask = self.stored != 0
        return held

    @property
    def values(self) -> Ints:
        """As 64-bit numbers; what is missing reads as base - 1."""
        return self.stored.astype(np.int64) + (self.base - 1)

    def between(self, low: int | None, high: int | None) -> Mask:
        """Known and low <= value < high, without widening the array."""
        first = 1 if low is None else max(1, low - self.base + 1)
        top = (1 << 8 * self.stored.dtype.itemsize) - 1  # np.iinfo takes a microsecond
        if first > top:
            return np.zeros(len(self.stored), np.bool_)
        found = self.stored >= first
        if high is not None:
            after = high - self.base + 1
            if after <= 1:
                return np.zeros(len(self.stored), np.bool_)
            if after <= top:
                found &= self.stored < after
        return found

    def take(self, places: Ints) -> IntColumn:
        return IntColumn(self.stored[places], self.base, self.least)

    def joined(self, other: IntColumn) -> IntColumn:
        values = np.concatenate([self.values, other.values])
        known = np.concatenate([self.known, other.known])
        return IntColumn.of(values, known, least=self.least)

    def packed(self) -> list[Any]:
        if not self.least:
            return ["flags", len(self.stored), _in_planes(self.stored)]
        again = IntColumn.of(self.values, self.known, least=self.least)
        return ["int", again.stored.dtype.str, again.base, again.least, again.stored.tobytes()]


def _in_planes(stored: Ints) -> bytes:
    """Numbers below three: a bit for each whether it is known, then whether it is yes."""
    return np.packbits(stored >= 1).tobytes() + np.packbits(stored >= 2).tobytes()


def _from_planes(packed: bytes, size: int) -> Ints:
    planes = np.unpackbits(np.frombuffer(packed, np.uint8).reshape(2, -1), axis=1)
    found: Ints = planes[0, :size] + planes[1, :size]
    return found


@dataclass(frozen=True, eq=False)
class FloatColumn:
    """Measured numbers; NaN is missing. Kept in 32 bits where none of them loses anything."""

    values: NDArray[Any]

    @classmethod
    def of(cls, values: NDArray[Any]) -> FloatColumn:
        with np.errstate(over="ignore"):  # what 32 bits do not hold is infinite there, so wide
            narrow = values.astype(np.float32)
        same = (narrow.astype(np.float64) == values) | np.isnan(values)
        return cls(narrow if bool(same.all()) else values.astype(np.float64))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> Mask:
        held: Mask = ~np.isnan(self.values)
        return held

    def take(self, places: Ints) -> FloatColumn:
        return FloatColumn(self.values[places])

    def joined(self, other: FloatColumn) -> FloatColumn:
        wide = [self.values.astype(np.float64), other.values.astype(np.float64)]
        return FloatColumn.of(np.concatenate(wide))

    def packed(self) -> list[Any]:
        again = FloatColumn.of(self.values.astype(np.float64))
        return ["float", again.values.dtype.str, again.values.tobytes()]


@dataclass(frozen=True, eq=False)
class TextColumn:
    """Words by number: `codes` is the place in `words` plus 1; 0 is missing."""

    codes: Ints
    blob: bytes
    """The block's sorted words as msgpack: equal words give equal bytes, so answers can be kept."""

    @cached_property
    def words(self) -> list[str]:
        found: list[str] = msgpack.unpackb(self.blob)
        return found

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> TextColumn:
        words = sorted({text for text in texts if text})
        number = {word: place + 1 for place, word in enumerate(words)}
        codes = np.fromiter((number.get(text or "", 0) for text in texts), np.uint32, len(texts))
        return cls(_narrow(codes), msgpack.packb(words))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def known(self) -> Mask:
        held: Mask = self.codes != 0
        return held

    def take(self, places: Ints) -> TextColumn:
        return TextColumn(self.codes[places], self.blob)

    def joined(self, other: TextColumn) -> TextColumn:
        if self.blob == other.blob:
            return TextColumn(np.concatenate([self.codes, other.codes]), self.blob)
        words = sorted({*self.words, *other.words})
        codes = [_renumbered(self, words), _renumbered(other, words)]
        return TextColumn(np.concatenate(codes), msgpack.packb(words))

    def packed(self) -> list[Any]:
        """Words that nobody has any more are left out: an erased person's must not stay."""
        used = np.unique(self.codes)
        words = [self.words[code - 1] for code in used if code]
        codes = _renumbered(self, words)
        return ["text", _narrow(codes).dtype.str, _narrow(codes).tobytes(), msgpack.packb(words)]


def _renumbered(column: TextColumn, words: Sequence[str]) -> Ints:
    number = {word: place + 1 for place, word in enumerate(words)}
    table = np.array([0, *(number.get(word, 0) for word in column.words)], np.uint32)
    codes: Ints = table[column.codes]
    return codes


@dataclass(frozen=True, eq=False)
class Spans:
    """How many entries each contact has; the entries of all stand one after the other."""

    counts: Ints

    @cached_property
    def ends(self) -> Ints:
        return np.cumsum(self.counts, dtype=np.int64)

    @property
    def entries(self) -> int:
        return int(self.ends[-1]) if len(self.counts) else 0

    def owners(self, entries: Ints) -> Ints:
        """Whose each of these entries is."""
        owners: Ints = np.searchsorted(self.ends, entries, side="right")
        return owners

    def entries_of(self, places: Ints) -> Ints:
        """The entries of these contacts, in the order of `places`."""
        counts = self.counts[places].astype(np.int64)
        starts = self.ends[places] - counts
        shift = np.repeat(starts - (np.cumsum(counts) - counts), counts)
        found: Ints = np.arange(int(counts.sum()), dtype=np.int64) + shift
        return found

    def __len__(self) -> int:
        return len(self.counts)

    def take(self, places: Ints) -> Spans:
        return Spans(self.counts[places])

    def joined(self, other: Spans) -> Spans:
        wide = [self.counts.astype(np.uint32), other.counts.astype(np.uint32)]
        return Spans(np.concatenate(wide))

    def packed(self) -> list[Any]:
        narrow = _narrow(self.counts)
        return ["spans", narrow.dtype.str, narrow.tobytes()]


def pack(column: Column) -> bytes:
    """Return the column's bytes, filled up so that their number says little."""
    body: bytes = msgpack.packb([FORMAT, *column.packed(), None])[:-1]
    filled = filled_size(len(body) + _PAD.size)
    return (
        body
        + _PAD.pack(b"\xc6", filled - len(body) - _PAD.size)
        + bytes(filled - len(body) - _PAD.size)
    )


def filled_size(size: int) -> int:
    """The next of four sizes to each doubling, with room for what stands around a whole block.

    A block of 8,192 places takes a power of two for its numbers and a little more for its head.
    """
    wanted = max(size - _HEAD, SMALLEST)
    step = 1 << max((wanted - 1).bit_length() - 3, 0)
    return -(-wanted // step) * step + _HEAD


def unpack(payload: bytes) -> Any:
    """Return the column; the arrays look into the payload and cannot be written to."""
    form, kind, *rest, _ = msgpack.unpackb(payload)
    if form != FORMAT:
        raise ValueError("a segment column has a format this release does not know: rebuild it")
    if kind == "flags":
        return IntColumn(_from_planes(rest[1], rest[0]), 0, 0)
    if kind == "int":
        return IntColumn(np.frombuffer(rest[3], rest[0]), rest[1], rest[2])
    if kind == "text":
        return TextColumn(np.frombuffer(rest[1], rest[0]), rest[2])
    if kind == "float":
        return FloatColumn(np.frombuffer(rest[1], rest[0]))
    return Spans(np.frombuffer(rest[1], rest[0]))
