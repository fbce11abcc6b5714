"""Withdrawals, and how long each took from receipt to effect (PR-04)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from consent.models import Entry

PAGE = 50
ENDS = (
    Entry.Kind.REVOKED,
    Entry.Kind.OPTED_OUT,
    Entry.Kind.RESTRICTED,
    Entry.Kind.PART2_REVOKED,
)
"""What takes a permission away."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One act that takes a permission away.

    It takes effect with `recorded_at`: the database's clock while no claim could begin.
    """

    entry: Entry

    @property
    def took(self) -> timedelta:
        return max(self.entry.recorded_at - self.entry.received_at, timedelta())


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a period's withdrawals, in seconds."""

    count: int
    middle: float
    slowest: float


def page(*, before: int | None = None, size: int = PAGE) -> list[Withdrawal]:
    """Return one page of withdrawals, the latest first; `before` is the last entry's id."""
    entries = Entry.objects.filter(kind__in=ENDS).order_by("-id")
    if before is not None:
        entries = entries.filter(id__lt=before)
    return [Withdrawal(entry) for entry in entries[:size]]


def times(*, since: datetime) -> Times:
    """Return how long the withdrawals since then took from receipt to effect."""
    rows = Entry.objects.filter(kind__in=ENDS, received_at__gte=since)
    took = [_seconds(*one) for one in rows.values_list("received_at", "recorded_at")]
    return Times(len(took), median(took) if took else 0.0, max(took, default=0.0))


def _seconds(received: datetime, recorded: datetime) -> float:
    return max((recorded - received).total_seconds(), 0.0)


def concerned(withdrawals: Sequence[Withdrawal]) -> list[str]:
    """Return the authorizations that were withdrawn, as a permit names them."""
    return [str(one.entry.concerns) for one in withdrawals if one.entry.kind == "revoked"]
