"""Who is in which group of a campaign: drawn once, the same for the same key. Pure.

How groups are compared is in `workflows.comparing`, which splits of workflows share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workflows.comparing import (
    LEVEL,
    Group,
    Interval,
    Verdict,
    decide,
    difference,
    needed,
    smallest_difference,
    wilson,
)

__all__ = [
    "HELD_OUT",
    "LEVEL",
    "REST",
    "Group",
    "Interval",
    "Plan",
    "Verdict",
    "decide",
    "difference",
    "draw",
    "needed",
    "smallest_difference",
    "tally",
    "wilson",
]
HELD_OUT: Final = "hold"
REST: Final = "rest"
_TOP: Final = 1 << 64


def draw(number: int, key: bytes) -> float:
    """Return where in [0, 1) the person falls: always the same for the same key."""
    found = hashlib.blake2b(number.to_bytes(8, "big"), key=key, digest_size=8).digest()
    return int.from_bytes(found, "big") / _TOP


@dataclass(frozen=True, slots=True)
class Plan:
    """Shares in percent. The rest wait for the winner; without a trial there is no rest."""

    letters: Sequence[str]
    hold_out: int = 0
    trial_share: int = 100

    def group_of(self, number: int, *, hold_key: bytes, trial_key: bytes) -> str:
        """Return the letter of the variant, `hold` or `rest`.

        Who is held out stays held out for the whole campaign (`hold_key`); the variants are drawn
        anew each time (`trial_key`).
        """
        if draw(number, hold_key) * 100 < self.hold_out:
            return HELD_OUT
        at = draw(number, trial_key) * 100
        if at >= self.trial_share:
            return REST
        return self.letters[min(int(at * len(self.letters) / self.trial_share), self.last)]

    @property
    def last(self) -> int:
        return len(self.letters) - 1


def tally(rows: Mapping[str, tuple[int, int]], letters: Sequence[str]) -> list[Group]:
    """Return the groups of the trial in the order of their letters."""
    return [Group(one, *rows.get(one, (0, 0))) for one in letters]
