"""What other floors move when people are merged, and what must wait meanwhile.

A floor registers in `AppConfig.ready`: its waiting messages or enrolments of the contact that goes
become those of the one that stays. It returns ids, which are kept with the merge and handed back
when the merge is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol


class Carrier(Protocol):
    """Moves one kind of row with a person."""

    name: str

    def move(self, absorbed: int, survivor: int, *, now: datetime) -> list[int]:
        """Move the rows; return the ids of those moved."""
        ...

    def back(self, absorbed: int, survivor: int, moved: list[int], *, now: datetime) -> None:
        """Move back those of the rows that are still the survivor's and still wait."""
        ...


_CARRIERS: dict[str, Carrier] = {}
_HOLDS: list[Callable[[], None]] = []


def register(carrier: Carrier) -> None:
    _CARRIERS[carrier.name] = carrier


def hold(hold: Callable[[], None]) -> None:
    """Register what is called first in the transaction: nobody claims a message meanwhile."""
    if hold not in _HOLDS:
        _HOLDS.append(hold)


def begin() -> None:
    for hold in _HOLDS:
        hold()


def move(absorbed: int, survivor: int, *, now: datetime) -> dict[str, list[int]]:
    return {name: carrier.move(absorbed, survivor, now=now) for name, carrier in _CARRIERS.items()}


def back(absorbed: int, survivor: int, moved: Mapping[str, list[int]], *, now: datetime) -> None:
    for name, ids in moved.items():
        if name in _CARRIERS:
            _CARRIERS[name].back(absorbed, survivor, ids, now=now)
