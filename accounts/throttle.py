"""Slow down whoever guesses: each failure past the free ones doubles the wait."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.models import Throttle

FORGOTTEN_AFTER = timedelta(hours=1)
LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True)
class Limit:
    name: str
    free: int

    def key(self, value: str) -> bytes:
        return hashlib.sha256(f"{self.name}:{value}".encode()).digest()


ACCOUNT = Limit("account", free=5)
ADDRESS = Limit("address", free=30)
CODE = Limit("code", free=5)


def wait(limits: dict[Limit, str], *, now: datetime) -> timedelta:
    """Return how long to wait before the next attempt; zero means that it may be made."""
    keys = [limit.key(value) for limit, value in limits.items()]
    open_at = (
        Throttle.objects.filter(pk__in=keys, closed_until__gt=now)
        .order_by("-closed_until")
        .values_list("closed_until", flat=True)
        .first()
    )
    return timedelta() if open_at is None else open_at - now


def failed(limits: dict[Limit, str], *, now: datetime) -> None:
    """Count one failure against each, in one statement each, so that racing guesses all count."""
    for limit, value in limits.items():
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, _parameters(limit, value, now=now))


def succeeded(limits: dict[Limit, str]) -> None:
    Throttle.objects.filter(pk__in=[limit.key(value) for limit, value in limits.items()]).delete()


@dataclass(frozen=True)
class Rate:
    """So many acts at once, and one more each `every`."""

    name: str
    burst: int
    every: timedelta

    def key(self, value: str) -> bytes:
        return hashlib.sha256(f"{self.name}:{value}".encode()).digest()


def spend(rate: Rate, value: str, *, now: datetime, many: int = 1) -> bool:
    """Take acts from what this value has left, all or none; say whether there were as many.

    One statement: the row keeps the moment at which all would be given back, and the row count
    says whether that moment is near enough.
    """
    if many > rate.burst:
        return False
    taking = rate.every * many
    given: list[Any] = [rate.key(value), now, now + taking, now, now, taking]
    with connection.cursor() as cursor:
        given += [now, taking, now + rate.every * rate.burst]
        cursor.execute(_SPEND, given)
        taken: bool = cursor.rowcount == 1
    return taken


def sweep(*, now: datetime) -> int:
    """Drop what is long forgotten; a ration that is not yet given back is not."""
    forgotten = Throttle.objects.filter(failed_at__lt=now - FORGOTTEN_AFTER, closed_until__lt=now)
    return forgotten.delete()[0]


def _parameters(limit: Limit, value: str, *, now: datetime) -> dict[str, bytes | datetime | int]:
    return {
        "key": limit.key(value),
        "now": now,
        "forgotten": now - FORGOTTEN_AFTER,
        "free": limit.free,
        "longest": int(LONGEST_WAIT.total_seconds()),
    }


_COUNT = """
insert into accounts_throttle as t (key, failures, failed_at, closed_until)
values (%(key)s, 1, %(now)s, %(now)s)
on conflict (key) do update set
    failures = case when t.failed_at < %(forgotten)s then 1 else t.failures + 1 end,
    failed_at = %(now)s,
    closed_until = case
        when t.failed_at < %(forgotten)s or t.failures + 1 < %(free)s then %(now)s
        else %(now)s + make_interval(
            secs => least(%(longest)s, power(2, least(t.failures + 1 - %(free)s, 20)))
        )
    end
"""
_SPEND = """
insert into accounts_throttle as t (key, failures, failed_at, closed_until)
values (%s, 0, %s, %s)
on conflict (key) do update set
    failed_at = %s, closed_until = greatest(t.closed_until, %s) + %s
where greatest(t.closed_until, %s) + %s <= %s
"""
