"""What of a file a person may see: values of classes that the role grants, and shapes of the rest.

A shape says how a value is written and not what it is: `Xxxxx`, `99/99/9999`, `xxx@xxxxxx.xxx`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from contacts import registry
from contacts.fields import DataClass
from contacts.importing import heads
from contacts.importing.mapping import RECORD_NUMBER, Meaning

SAMPLES = 3
LONGEST = 28


class ShownColumn(NamedTuple):
    """A column on the page that asks what it means."""

    place: int
    letter: str
    title: str
    key: str
    blank_clears: bool
    samples: list[str]
    masked: bool


def shape(text: str) -> str:
    """Return how a value is written."""
    masked = re.sub(r"[^\W\d_]", lambda found: "X" if found[0].isupper() else "x", text)
    return re.sub(r"\d", "9", masked)[:LONGEST]


def columns(
    header: Sequence[str],
    samples: Sequence[Sequence[str]],
    meaning: Meaning,
    *,
    may_see: Collection[DataClass],
) -> Iterator[ShownColumn]:
    """Yield each column with a few of its values, or their shapes."""
    chosen = {column.place: column for column in meaning.columns}
    known = registry.current()
    for place, title in enumerate(header):
        column = chosen.get(place)
        key = column.key if column else ""
        kind = DataClass.IDENTITY if key == RECORD_NUMBER else key and known[key].data_class
        open_ = kind in may_see
        yield ShownColumn(
            place,
            heads.letter(place),
            title.strip()[:80] or "(no header)",
            key,
            bool(column and column.blank_clears),
            [text[:LONGEST] if open_ else shape(text) for text in _few(samples, place)],
            not open_,
        )


def _few(samples: Sequence[Sequence[str]], place: int) -> list[str]:
    found = (cells[place].strip() for cells in samples if place < len(cells))
    return list(dict.fromkeys(filter(None, found)))[:SAMPLES]
