"""How a count of people is told to someone who may not see what decides it. Pure.

Rounding alone can be taken apart: of two questions that differ by one person, one may stand at the
edge of a ten. So what is told is blurred (docs/decisions/counts-are-blurred.md):

- Each question has a shift of its own, drawn under the organisation's key: two questions that
  differ by one person differ by two draws that have nothing to do with each other.
- A question keeps its answer, whoever asks and however often, until the true count has moved by a
  number that nobody knows: whoever adds one person and asks again learns nothing.
- Small counts are not told at all, and the border of small is blurred, too.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

SMALLEST: Final = 11
STEP: Final = 10
SCALE: Final = 5.0
"""Mean size of the shift, in people: two-sided geometric, so nineteen in twenty lie within 15."""
FURTHEST: Final = 40
MARGIN: Final = 12
"""How far above the smallest a shifted count must lie to be told: one person more than ten then
shows in one case of twenty-five."""
_SOONEST: Final = 12
_PATIENCES: Final = 17


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question was answered from: the count at that time, and how often it was renewed."""

    size: int
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """What is told: a number, or None where it is small. `held`: not told for another reason."""

    number: int | None
    exact: bool
    held: bool = False

    def __str__(self) -> str:
        """The count in words: digits with separators, "<11", or "about 1,230"."""
        if self.held:
            return "held back"
        if self.number is None:
            return f"<{SMALLEST}"
        return f"{self.number:,}" if self.exact else f"about {self.number:,}"


def exact_for(asked: Iterable[str], granted: Iterable[str]) -> bool:
    """Whether someone with these data classes sees exact counts of a segment on those."""
    return frozenset(asked) <= frozenset(granted)


def settled(before: Answer | None, size: int, *, key: bytes, question: bytes) -> Answer:
    """Return what to answer from: as before, unless the count has moved far enough."""
    if before is None:
        return Answer(size)
    if abs(size - before.size) < _patience(key, question, before):
        return before
    return Answer(size, before.epoch + 1)


def blurred(answer: Answer, *, key: bytes, question: bytes) -> Shown:
    """Return the number that may be told."""
    near = answer.size + _shift(key, question, answer.epoch)
    if answer.size < SMALLEST or near < SMALLEST + MARGIN:
        return Shown(None, exact=False)
    return Shown(_rounded(near), exact=False)


def series(sizes: Sequence[int], *, key: bytes, question: bytes) -> list[Shown]:
    """Return a question's counts over time, from the first on, each told as it was then."""
    found: list[Shown] = []
    answer: Answer | None = None
    for size in sizes:
        answer = settled(answer, size, key=key, question=question)
        found.append(blurred(answer, key=key, question=question))
    return found


def descending(told: Iterable[Shown], *, start: int) -> list[Shown]:
    """Return a funnel's steps so that none is larger than the one before: blurring may swap two."""
    found: list[Shown] = []
    most = start
    for one in told:
        number = one.number if one.number is None else min(one.number, most)
        most = most if number is None else number
        found.append(Shown(number, one.exact, one.held))
    return found


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two segments side by side; None: small, or not known well enough."""

    first: int | None
    second: int | None
    both: int | None
    only_first: int | None
    only_second: int | None


def overlap(first: Shown, second: Shown, both: Shown) -> Overlap:
    """Return the parts, worked out from what is told of the wholes and of nothing else."""
    if first.exact and second.exact and both.exact:
        one, two, shared = first.number or 0, second.number or 0, both.number or 0
        return Overlap(one, two, shared, one - shared, two - shared)
    least = _least(both.number, first.number, second.number)
    return Overlap(first.number, second.number, least, _rest(first, least), _rest(second, least))


def _least(both: int | None, *wholes: int | None) -> int | None:
    if both is None or None in wholes:
        return None
    return min(both, *(whole for whole in wholes if whole is not None))


def _rest(whole: Shown, shared: int | None) -> int | None:
    if whole.number is None or shared is None or whole.number - shared < SMALLEST + MARGIN:
        return None
    return _rounded(whole.number - shared)


def _rounded(number: int) -> int:
    return (number + STEP // 2) // STEP * STEP


def _shift(key: bytes, question: bytes, epoch: int) -> int:
    drawn = int.from_bytes(_draw(key, question, epoch, b"shift"), "big")
    share = ((drawn >> 1) + 1) / 2**63
    size = min(int(-SCALE * math.log(share)), FURTHEST)
    return size if drawn & 1 else -size


def _patience(key: bytes, question: bytes, before: Answer) -> int:
    drawn = int.from_bytes(_draw(key, question, before.epoch, b"patience"), "big")
    return _SOONEST + drawn % _PATIENCES + before.size // 100


def _draw(key: bytes, question: bytes, epoch: int, what: bytes) -> bytes:
    said = epoch.to_bytes(8, "big") + what + question
    return hashlib.blake2b(said, key=key, digest_size=8).digest()
