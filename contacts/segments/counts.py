"""How a count of people is shown to someone who may not see what decides it. Pure.

Small numbers point at persons: below eleven only "<11" is said, and larger ones are rounded down to
tens, so that two questions that differ by one person give the same answer (SE-32).
"""

from __future__ import annotations

from collections.abc import Collection

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
