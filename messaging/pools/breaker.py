"""When a pool stops by itself, tries again, and warns. Pure.

Refusals open it for a while; then a few messages go, and how they fare decides. Complaints stop
marketing at 0.3 % until a person lets it go on, for the people who complain are not asked twice
(EM-13); mail that care depends on is only warned about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from messaging.pools.lanes import MARKETING

WARN_AT, STOP_AT = 0.001, 0.003
"""Shares of complaints among those sent on one day."""
FEWEST_COMPLAINTS = 3
"""Fewer say nothing: in a small mailing one angry person is more than 0.3 %."""
ERRORS_AT = 0.25
FEWEST_TRIED = 40
WINDOW = timedelta(minutes=30)
"""How far back refusals are counted."""
COOL_DOWN = timedelta(minutes=15)
PROBES = 10
"""So many go while it is half open."""

Act = Literal["stop", "warn", "half_open", "close", "unwarn"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened: refusals since the window or the half-open moment, and the worst day."""

    tried: int = 0
    rejected: int = 0
    day_sent: int = 0
    day_complaints: int = 0

    @property
    def complaint_share(self) -> float:
        return self.day_complaints / self.day_sent if self.day_sent else 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands now for the pool, one for refusals and one for complaints."""

    cause: str
    began_at: datetime
    warning: bool = False
    half_open_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    act: Act
    cause: Literal["errors", "complaints"]
    tried: int = 0
    bad: int = 0


def errors(seen: Seen, standing: Standing | None, *, now: datetime) -> Move | None:
    """Return what refusals ask for now."""
    bad = seen.tried and seen.rejected / seen.tried >= ERRORS_AT
    if standing is None:
        if seen.tried >= FEWEST_TRIED and bad:
            return Move("stop", "errors", seen.tried, seen.rejected)
        return None
    if standing.half_open_at is None:
        cool = now - standing.began_at >= COOL_DOWN
        return Move("half_open", "errors") if cool else None
    if seen.tried < PROBES // 2:
        return None
    return Move("stop" if bad else "close", "errors", seen.tried, seen.rejected)


def complaints(pool: str, seen: Seen, standing: Standing | None) -> Move | None:
    """Return what complaints ask for now; what they stopped, a person starts."""
    if standing is not None and not standing.warning:
        return None
    many, share = seen.day_complaints >= FEWEST_COMPLAINTS, seen.complaint_share
    if pool == MARKETING and many and share >= STOP_AT:
        return Move("stop", "complaints", seen.day_sent, seen.day_complaints)
    warns = many and share >= WARN_AT
    if standing is None and warns:
        return Move("warn", "complaints", seen.day_sent, seen.day_complaints)
    if standing is not None and not warns:
        return Move("unwarn", "complaints", seen.day_sent, seen.day_complaints)
    return None
