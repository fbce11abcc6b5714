"""A lot for everybody, drawn by a name: the same each time, and another for each name. Pure.

Lots part people at random: a pilot of a tenth, a fifth that is left alone. Nothing is kept: a lot
is worked out from the place of the person in the organisation and the name that it is drawn by.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

from contacts.segments.arrays import Ints

LOTS: Final = 10_000
"""A lot is a whole number from 0 to below this: a hundredth of a percent."""
_ADD, _ONE, _TWO = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_ALL: Final = 2**64 - 1


def of(ordinal: int, name: str) -> int:
    """Return one person's lot: the splitmix64 of the place and the name's hash."""
    mixed = (ordinal * _ADD + _seed(name)) & _ALL
    mixed = ((mixed ^ (mixed >> 30)) * _ONE) & _ALL
    mixed = ((mixed ^ (mixed >> 27)) * _TWO) & _ALL
    return (mixed ^ (mixed >> 31)) % LOTS


def of_each(ordinals: Ints, name: str) -> Ints:
    """Return the lots of many, in their order."""
    mixed = ordinals.astype(np.uint64) * np.uint64(_ADD) + np.uint64(_seed(name))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_ONE)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_TWO)
    found: Ints = (mixed ^ (mixed >> np.uint64(31))) % np.uint64(LOTS)
    return found.astype(np.int64)


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
