"""New values for some contacts of a block, without touching the others' values one by one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from contacts.segments.arrays import Column, Ints, Spans


def patched(
    old: Mapping[str, Any], new: Mapping[str, Any], *, places: Sequence[int], size: int
) -> dict[str, Column]:
    """Return the columns with `new` at `places`, grown to `size` places.

    Both hold whole fields: a list's `Spans` and all its parts. The last place of `new` is nobody's
    and has no values: it fills the gaps between the old end and the new places.
    """
    spans = {name for name, column in new.items() if isinstance(column, Spans)}
    result: dict[str, Column] = {}
    for name, column in new.items():
        key = name.partition(".")[0]
        if name in spans:
            result[name], entries = _patched_list(old[name], column, places, size)
            for part in [part for part in new if part.startswith(f"{name}.")]:
                result[part] = old[part].joined(new[part]).take(entries)
        elif key not in spans:
            order = _order(len(old[name]), len(column) - 1, places, size)
            result[name] = old[name].joined(column).take(order)
    return result


def _order(held: int, gap: int, places: Sequence[int], size: int) -> Ints:
    """Where each place's value stands in the old column followed by the new one."""
    order = np.full(size, held + gap, np.int64)
    order[:held] = np.arange(held)
    order[np.asarray(places, np.int64)] = held + np.arange(len(places))
    return order


def _patched_list(old: Spans, new: Spans, places: Sequence[int], size: int) -> tuple[Column, Ints]:
    both = old.joined(new)
    order = _order(len(old), len(new) - 1, places, size)
    return both.take(order), both.entries_of(order)
