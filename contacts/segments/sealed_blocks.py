"""A block of sealed columns: which versions belong to it, and opening what is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from struct import Struct
from types import MappingProxyType
from typing import Any, ClassVar, Final

import msgpack

from contacts.fields import CUSTOM, FIELDS, Field
from contacts.models import BLOCK_SIZE
from contacts.segments import arrays, building
from contacts.segments.arrays import IntColumn, Ints
from contacts.segments.building import PLACES, PRESENT
from crypto import columns as sealing

_VERSION: Final = Struct(">I")


class ColumnsBroken(RuntimeError):
    """A segment column is not the one that belongs there: run `manage.py segment rebuild`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Which version of each column belongs to a block, and a digest of what it holds."""

    places: Mapping[str, int]
    versions: bytes
    digests: bytes

    SIZE: ClassVar[int] = 8

    def version(self, name: str) -> int:
        """The version of the column, or 0."""
        place = self.places.get(name)
        if place is None:
            return 0
        found: int = _VERSION.unpack_from(self.versions, place * _VERSION.size)[0]
        return found

    def digest(self, name: str) -> bytes:
        at = self.places[name] * self.SIZE
        return self.digests[at : at + self.SIZE]

    @classmethod
    def of(cls, listed: Sequence[tuple[str, int, bytes]]) -> Listed:
        names = {name: place for place, (name, _, _) in enumerate(listed)}
        digests = b"".join(digest for _, _, digest in listed)
        return cls(names, b"".join(_VERSION.pack(version) for _, version, _ in listed), digests)

    def packed(self) -> list[Any]:
        return ["\n".join(self.places), self.versions, self.digests]

    @classmethod
    def read(cls, names: str, versions: bytes, digests: bytes) -> Listed:
        return cls(_places(names), versions, digests)


@lru_cache(maxsize=256)
def _places(names: str) -> Mapping[str, int]:
    """The same names head most blocks."""
    return MappingProxyType({name: place for place, name in enumerate(names.split("\n")) if name})


NOTHING_LISTED: Final = Listed({}, b"", b"")


@dataclass(slots=True)
class SealedBlock:
    """A block as it is stored. Columns are opened when first asked for."""

    opener: sealing.Opener
    number: int
    rows: Mapping[str, tuple[int, bytes]]
    fields: Mapping[str, Field] = field(default_factory=lambda: FIELDS)
    listed: Listed = NOTHING_LISTED
    _opened: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open `present` and the list of versions that is sealed with it.

        A block that another release wrote answers nothing: records do, until it is made anew.
        """
        if PRESENT not in self.rows:
            return
        form, *listed, payload = msgpack.unpackb(self._open(PRESENT))
        if form == arrays.FORMAT:
            self.listed = Listed.read(*listed)
            self._opened[PRESENT] = arrays.unpack(payload)

    @property
    def size(self) -> int:
        return len(self._opened[PRESENT]) if PRESENT in self._opened else 0

    @property
    def aside(self) -> bool:
        """Whether it is a side block: of contacts that changed, wherever they stand."""
        return self.number < 0

    @property
    def ordinals(self) -> Ints | slice:
        if self.aside:
            places: IntColumn = self.column(PLACES)
            return places.values
        start = self.number * BLOCK_SIZE
        return slice(start, start + self.size)

    def people(self) -> arrays.Mask:
        flags: IntColumn = self._opened[PRESENT]
        return flags.between(1, 2)

    def covers(self, names: Iterable[str]) -> bool:
        """Whether the block can answer from these columns."""
        return PRESENT in self._opened and all(
            (name in self.rows and self.listed.version(name)) or self._is_newer(name)
            for name in names
        )

    def _is_newer(self, name: str) -> bool:
        """Whether an organisation added the field after the block was written.

        Whoever has a value of it since is marked as changed, and keys are never used again: so for
        all others the column would be empty.
        """
        return name.startswith(CUSTOM) and name not in self.rows and not self.listed.version(name)

    def column(self, name: str) -> Any:
        found = self._opened.get(name)
        if found is not None:
            return found
        if self._is_newer(name):
            found = building.nobody(name, self.size, self.fields)
        elif self.rows[name][0] != self.listed.version(name):
            raise ColumnsBroken(ColumnsBroken.__doc__)
        else:
            found = arrays.unpack(self._open(name))
        self._opened[name] = found
        return found

    def _open(self, name: str) -> bytes:
        version, payload = self.rows[name]
        return self.opener.open(payload, field=name, block=self.number, version=version)
