"""What changed between two versions: in what was written, and in what people read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

SAME, GONE, NEW, CHANGED = "same", "gone", "new", "changed"
AROUND = 2
"""Lines that are shown around a change."""
_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that are the same in both, or stand in one only."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each side, with the words that differ; None where a side has none."""

    kind: str
    old_number: int | None
    old: tuple[Piece, ...]
    new_number: int | None
    new: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One part in both versions."""

    title: str
    rows: tuple[Row, ...]
    words: tuple[Piece, ...]
    """The same in one running text, gone and new words in their place."""

    @property
    def differs(self) -> bool:
        return any(row.kind != SAME for row in self.rows)


def part(title: str, old: str, new: str) -> Part:
    return Part(title, tuple(_rows(old.splitlines(), new.splitlines())), words(old, new))


def words(old: str, new: str) -> tuple[Piece, ...]:
    """Return both texts as one, word by word."""
    return tuple(_pieces(_WORDS.findall(old), _WORDS.findall(new)))


def _pieces(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece(SAME, "".join(old[i1:i2]))
            continue
        if i2 > i1:
            yield Piece(GONE, "".join(old[i1:i2]))
        if j2 > j1:
            yield Piece(NEW, "".join(new[j1:j2]))


def _rows(old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    """Yield the lines that changed, with a few around them."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(AROUND):
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                for at in range(i2 - i1):
                    same = (Piece(SAME, old[i1 + at]),)
                    yield Row(SAME, i1 + at + 1, same, j1 + at + 1, same)
            else:
                yield from _changed(old[i1:i2], i1, new[j1:j2], j1)


def _changed(old: Sequence[str], i1: int, new: Sequence[str], j1: int) -> Iterator[Row]:
    for at in range(max(len(old), len(new))):
        before = old[at] if at < len(old) else None
        after = new[at] if at < len(new) else None
        pieces = words(before or "", after or "")
        kind = NEW if before is None else GONE if after is None else CHANGED
        yield Row(
            kind,
            None if before is None else i1 + at + 1,
            tuple(each for each in pieces if each.kind != NEW),
            None if after is None else j1 + at + 1,
            tuple(each for each in pieces if each.kind != GONE),
        )
