"""How much a new address may send to each provider, day by day. Pure."""

from __future__ import annotations

from datetime import date

LONGEST = 30
"""Days; after that nothing holds back."""
MOST = 1_000_000


def allowed(day: date, *, begun: date, first: int) -> int | None:
    """Return how many each provider gets on this day; None where warming up is over.

    It doubles each day, as mailbox providers advise, so 50 become 1,600 on the sixth day.
    """
    gone = (day - begun).days
    if gone < 0:
        return 0
    most = first * 2 ** min(gone, LONGEST)
    return None if gone >= LONGEST or most > MOST else most


def plan(begun: date, *, first: int) -> list[tuple[int, int]]:
    """Return the days of the plan, counted from 1, with how many go on each."""
    days = []
    for gone in range(LONGEST):
        most = first * 2**gone
        if most > MOST:
            break
        days.append((gone + 1, most))
    return days
