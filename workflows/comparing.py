"""Comparing groups honestly: how small a difference can be seen, who did best beyond chance. Pure.

Shares are compared by the two-sided test of two proportions, intervals are Newcombe's of Wilson's
scores (Statistics in Medicine 1998;17:873). With several groups the level is divided by the number
of comparisons (Bonferroni), so that more variants do not make a false winner likelier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.05
POWER: Final = 0.8
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Group:
    """How many were in it, and how many of them did what is counted."""

    name: str
    size: int
    did: int

    @property
    def share(self) -> float:
        return self.did / self.size if self.size else 0.0


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`winner` is empty where no honest winner can be named; `why` says so in words."""

    winner: str
    why: str


def smallest_difference(size: int, *, share: float, groups: int = 2) -> float:
    """Return the smallest difference of shares that groups of this size show in 4 of 5 trials."""
    if size < 1:
        return 1.0
    z = _quantile(groups) + _NORMAL.inv_cdf(POWER)
    return min(1.0, z * math.sqrt(2 * share * (1 - share) / size))


def needed(difference: float, *, share: float, groups: int = 2) -> int:
    """Return how many people each group needs to show a difference in 4 of 5 trials."""
    z = _quantile(groups) + _NORMAL.inv_cdf(POWER)
    return math.ceil(2 * share * (1 - share) * (z / difference) ** 2)


def _quantile(groups: int) -> float:
    comparisons = max(groups - 1, 1)
    return _NORMAL.inv_cdf(1 - LEVEL / comparisons / 2)


def decide(groups: Sequence[Group]) -> Verdict:
    """Name the best group if it beats each of the others beyond chance."""
    if len(groups) < 2 or any(one.size == 0 for one in groups):
        return Verdict("", "A group has nobody in it, so nothing can be compared.")
    best, *others = sorted(groups, key=lambda one: (-one.share, one.name))
    level = LEVEL / len(others)
    chance = max(_chance(best, other) for other in others)
    if chance < level:
        return Verdict(best.name, f"{best.name} did best; chance alone explains it in {chance:.1%}")
    return Verdict("", "The difference is no larger than chance explains, so no winner is named.")


def _chance(one: Group, other: Group) -> float:
    """Return how often chance alone makes a difference at least as large (two-sided p)."""
    pooled = (one.did + other.did) / (one.size + other.size)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / one.size + 1 / other.size))
    if spread == 0:
        return 1.0
    return 2 * (1 - _NORMAL.cdf(abs(one.share - other.share) / spread))


def wilson(group: Group) -> Interval:
    """Return the 95 % interval of the group's share."""
    if not group.size:
        return Interval(0.0, 1.0)
    z, n, p = _NORMAL.inv_cdf(1 - LEVEL / 2), group.size, group.share
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def difference(one: Group, other: Group) -> Interval:
    """Return the 95 % interval of `one.share - other.share`."""
    first, second = wilson(one), wilson(other)
    gap = one.share - other.share
    low = gap - math.hypot(one.share - first.low, second.high - other.share)
    high = gap + math.hypot(first.high - one.share, other.share - second.low)
    return Interval(max(-1.0, low), min(1.0, high))
