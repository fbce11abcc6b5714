"""How a count of people is shown to someone who may not see what decides it. Pure.

Small numbers point at persons: below eleven only "<11" is said, and larger ones are rounded down to
tens (SE-32, PR-40). Counts that stand together are held back together: a step that loses fewer than
eleven is shown as losing nobody, and a small cell never stands beside a total and a single sibling
that give it away.

Rounding slows a patient asker and does not stop one: where a set is known to stand at the edge of a
ten, a question that differs from it by one person can be told apart. Previews are rationed and each
is in the trail (docs/segments.md, "Who sees what").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

SMALLEST = 11
STEP = 10


def exact_for(asked: Collection[str], granted: Collection[str]) -> bool:
    """Whether someone with these data classes sees exact counts of a segment on those."""
    return frozenset(asked) <= frozenset(granted)


def said(count: int | None, *, exact: bool) -> str:
    """The count in words: digits with separators, "<11", or "about 1,230"."""
    if count is None:
        return "not counted yet"
    if exact:
        return f"{count:,}"
    return "<11" if count < SMALLEST else f"about {rounded(count):,}"


def rounded(count: int) -> int | None:
    """The count as a number, rounded; None where it is too small to say."""
    if count < SMALLEST:
        return None
    return count // STEP * STEP


def shown(count: int, *, exact: bool) -> int | None:
    """The count as a number that may be given out; None where it is too small to say."""
    return count if exact else rounded(count)


def held(counts: Sequence[int], *, exact: bool, start: int | None = None) -> list[int]:
    """Return the counts of a row that are read one after the other, small changes taken out.

    A funnel's steps, a segment's days: the difference of two neighbours is a count of people, too.
    One that is below eleven is shown as none; the next is measured from what was shown.
    """
    if exact:
        return list(counts)
    found: list[int] = []
    last = start
    for count in counts:
        if last is None or abs(count - last) >= SMALLEST:
            last = count
        found.append(last)
    return found


def step(before: int, count: int, *, exact: bool) -> int:
    """One step of a row: `count`, or `before` where so few came or went that it would tell them."""
    return held([count], exact=exact, start=before)[0]


def parts(cells: Mapping[str, int], *, exact: bool) -> dict[str, int | None]:
    """Return cells that add up to a known total; None: held back.

    One small cell alone could be worked out from the total, so the next smallest is held back, too.
    """
    if exact:
        return dict(cells)
    found = {name: rounded(count) for name, count in cells.items()}
    hidden = [name for name, count in found.items() if count is None]
    if len(hidden) == 1 and len(found) > 1:
        others = [name for name in found if name not in hidden]
        found[min(others, key=lambda name: cells[name])] = None
    return found


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two segments side by side; None: held back."""

    first: int | None
    second: int | None
    both: int | None
    only_first: int | None
    only_second: int | None


def overlap(first: int, second: int, both: int, *, exact: bool) -> Overlap:
    """Return the cells that may be given out. A small part hides its sibling, and the whole of a
    segment that lies but for a few in the other is shown as lying in it."""
    only_first, only_second = first - both, second - both
    if exact:
        return Overlap(first, second, both, only_first, only_second)
    small = [count < SMALLEST for count in (both, only_first, only_second)]
    return Overlap(
        rounded(first),
        rounded(second),
        None if any(small) else rounded(both),
        None if small[0] or small[1] else rounded(only_first),
        None if small[0] or small[2] else rounded(only_second),
    )
