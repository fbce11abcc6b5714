"""Which of a person's addresses a message may go to. Pure.

A confidential communication goes where the person asked, or nowhere (45 CFR 164.522(b)): an address
reserved for its category rules out every other, also when it is of another kind or has bounced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

ALL = "all"
"""The category of everything that is sent."""
CATEGORIES = (ALL, "reproductive", "mental_health", "substance_use", "hiv", "minor")
"""Labels that everybody may ask for; a message's purpose or topic is a category too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An address as the choice needs it; `own` where it is the one in the record."""

    id: UUID | None
    kind: str
    index: bytes | None = field(default=None, repr=False)
    own: bool = False
    use: str = "home"
    rank: int = 1
    preferred: bool = False
    bounced: bool = False
    verified: bool = False
    starts_on: date | None = None
    ends_on: date | None = None
    categories: frozenset[str] = frozenset()

    def holds(self, on: date) -> bool:
        begun = self.starts_on is None or self.starts_on <= on
        return begun and (self.ends_on is None or on <= self.ends_on) and self.use != "old"

    def usable(self, *, kind: str, on: date) -> bool:
        return self.kind == kind and not self.bounced and self.holds(on)


def choose(points: Iterable[Point], *, kind: str, category: str, on: date) -> Point | None:
    """Return the address for a message of this category, or None where there is none for it."""
    known = list(points)
    reserved = reserved_for(known, category=category, on=on)
    if reserved:
        return _best([one for one in reserved if one.usable(kind=kind, on=on)])
    return _best([one for one in known if not one.categories and one.usable(kind=kind, on=on)])


def reserved_for(points: Sequence[Point], *, category: str, on: date) -> list[Point]:
    """Return the addresses that this category must go to; what names it outweighs `all`."""
    current = [one for one in points if one.holds(on)]
    named = [one for one in current if category and category in one.categories]
    return named or [one for one in current if ALL in one.categories]


def _best(usable: Sequence[Point]) -> Point | None:
    """Return the preferred, then the record's own, then the lowest rank, then a verified one."""
    return min(
        usable,
        key=lambda one: (
            not one.preferred, not one.own, one.rank, not one.verified, str(one.id or ""),
        ),
        default=None,
    )  # fmt: skip
