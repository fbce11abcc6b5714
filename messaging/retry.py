"""When to try again, and when to stop. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SOON = timedelta(seconds=15)
"""After a failure that was ours or the line's: the server never had the mail."""
FIRST = timedelta(minutes=2)
LONGEST = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Again:
    at: datetime


@dataclass(frozen=True, slots=True)
class Never:
    code: str


def after(attempts: int, *, tried: bool, now: datetime, not_after: datetime) -> Again | Never:
    """Return the next moment: soon if the server was not reached, else doubling from 2 minutes."""
    pause = min(FIRST * 2 ** min(max(attempts - 1, 0), 12), LONGEST) if tried else SOON
    if now + pause > not_after:
        return Never("too_late")
    return Again(now + pause)
