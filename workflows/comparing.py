"""Comparing groups honestly: how small a difference can be seen, who did best beyond chance. Pure.

Shares are compared by the two-sided test of two proportions, few people by Fisher's exact test;
intervals are Newcombe's of Wilson's
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
EXPECTED: Final = 5
"""People expected in a cell, below which the normal curve does not hold."""
ALIKE: Final = 1e-7
"""Logarithms that differ by less are those of the same chance."""
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
        return Verdict(best.name, f"{best.name} did best; {in_words(chance)}")
    return Verdict("", "The difference is no larger than chance explains, so no winner is named.")


def in_words(chance: float) -> str:
    """Say how often chance alone makes such a difference."""
    if chance < 1 / 1_000:
        return "chance alone makes such a difference less than once in 1,000 trials."
    return f"chance alone makes such a difference about once in {_round(1 / chance):,} trials."


def _round(number: float) -> int:
    """Two figures are as many as the estimate has."""
    return round(number) if number < 100 else 10 * round(number / 10)


def _chance(one: Group, other: Group) -> float:
    """Return how often chance alone makes a difference at least as large (two-sided p).

    The normal curve stands for it where at least five are expected in each cell (Cochran's rule);
    below, the chance is counted out (Fisher's exact test).
    """
    did, size = one.did + other.did, one.size + other.size
    fewest = min(did, size - did) * min(one.size, other.size) / size
    return _exact(one, other) if fewest < EXPECTED else _approximate(one, other)


def _exact(one: Group, other: Group) -> float:
    """Sum the chances of all tables with these margins that are no likelier than the one found."""
    did, size = one.did + other.did, one.size + other.size
    lowest, highest = max(0, did - other.size), min(did, one.size)
    logs = [
        _choices(one.size, k) + _choices(other.size, did - k) for k in range(lowest, highest + 1)
    ]
    found, whole = logs[one.did - lowest], _choices(size, did)
    return min(1.0, sum(math.exp(log - whole) for log in logs if log <= found + ALIKE))


def _choices(size: int, taken: int) -> float:
    """Return the logarithm of the binomial coefficient."""
    return math.lgamma(size + 1) - math.lgamma(taken + 1) - math.lgamma(size - taken + 1)


def _approximate(one: Group, other: Group) -> float:
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
