"""Who has changed since their block was written, and which side block has each of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from contacts.segments.arrays import Ints, Mask
from crypto.rows import bigints_in

_BITS: Final = 40
_ORDINAL: Final = 2**_BITS - 1
_NEWEST: Final = 2**23 - 1
CHANGE: Final = f"(coalesce(gathered, 0)::int8 << {_BITS}) | (contact_id & {_ORDINAL})"
"""A change as one number: the side block that it names, or 0, above the contact's ordinal."""


@dataclass(slots=True)
class Changed:
    """`ordinals` of everybody who changed, ascending; `beside` names the side block of each."""

    ordinals: Ints
    beside: Ints
    _open: Mask = field(init=False)

    def __post_init__(self) -> None:
        self._open = np.ones(len(self.ordinals), np.bool_)

    @classmethod
    def read(cls, sent: bytes | None, size: int) -> Changed:
        """Read the changes as the database sent them, of ordinals below `size`.

        Of a contact's changes the newest counts: one in no side block yet, or in the newest.
        """
        changes = bigints_in(sent)
        beside = changes >> _BITS
        beside[beside == 0] = _NEWEST
        both = np.unique((changes & _ORDINAL) * 2**23 + beside)
        ordinals = both >> 23
        last = np.ones(len(both), np.bool_)
        last[:-1] = ordinals[1:] != ordinals[:-1]
        last &= ordinals < size
        return cls(ordinals[last], (both & _NEWEST)[last])

    @property
    def left(self) -> Ints:
        """Those for whom no side block has answered."""
        return self.ordinals[self._open]

    @property
    def settled(self) -> Ints:
        """Those for whom a side block has answered."""
        return self.ordinals[~self._open]

    def inside(self, block: slice) -> Ints:
        """Where in this block those stand who have changed."""
        first, after = np.searchsorted(self.ordinals, [block.start, block.stop])
        found: Ints = self.ordinals[first:after] - block.start
        return found

    def answered(self, number: int, ordinals: Ints) -> Mask:
        """For which of these contacts this side block answers; from now on it has."""
        own = np.flatnonzero(self.beside == number)
        own = own[np.isin(self.ordinals[own], ordinals)]
        self._open[own] = False
        found: Mask = np.isin(ordinals, self.ordinals[own])
        return found
