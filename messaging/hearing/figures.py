"""How delivery goes, in figures: what came back, by class, by provider and by day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from messaging import machines
from messaging.hearing import visits
from messaging.models import Message, Returned, Tally, Visit
from messaging.pools import lanes

PERIOD = timedelta(days=30)
WARN, STOP = 0.1, 0.3
"""Percent of complaints at which mailbox providers begin to look, and to refuse (EM-13)."""


@dataclass(frozen=True, slots=True)
class Figures:
    sent: int
    bounced: int
    dead: int
    complaints: int
    by_class: list[tuple[str, int]]
    by_provider: list[tuple[str, int]]
    by_day: list[tuple[date, int, int]]
    """Day, bounces, complaints; days without either are there too."""

    @property
    def complaint_rate(self) -> float:
        return 100 * self.complaints / self.sent if self.sent else 0.0

    @property
    def complaint_kind(self) -> str:
        if self.complaint_rate >= STOP:
            return "bad"
        return "warn" if self.complaint_rate >= WARN else "ok"


def of_period(*, now: datetime) -> Figures:
    since = now - PERIOD
    rows = Returned.objects.filter(received_at__gte=since)
    bounces = rows.filter(kind=Returned.Kind.BOUNCE)
    complaints = rows.filter(kind=Returned.Kind.COMPLAINT)
    return Figures(
        Message.objects.filter(sent_at__gte=since).count(),
        bounces.count(),
        bounces.filter(dead=True).count(),
        complaints.count(),
        _counted(bounces, "meaning"),
        _counted(bounces.exclude(provider=""), "provider"),
        _days(_daily(bounces), _daily(complaints), first=since.date(), last=now.date()),
    )


def _counted(rows: QuerySet[Returned], name: str) -> list[tuple[str, int]]:
    counted = rows.values_list(name).annotate(number=Count("id")).order_by("-number", name)
    return [(value or "undefined", number) for value, number in counted]


def _daily(rows: QuerySet[Returned]) -> dict[date, int]:
    days = rows.annotate(day=TruncDate("received_at")).values_list("day")
    return dict(days.annotate(number=Count("id")).order_by())


def _days(
    bounces: dict[date, int], complaints: dict[date, int], *, first: date, last: date
) -> list[tuple[date, int, int]]:
    every = [first + timedelta(days=one) for one in range((last - first).days + 1)]
    return [(day, bounces.get(day, 0), complaints.get(day, 0)) for day in every]


# Where it goes, how it goes, and what people do with it


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a destination: of what was handed over, how much was taken at once."""

    day: date
    tried: int
    taken: int

    @property
    def share(self) -> float | None:
        return self.taken / self.tried if self.tried else None


@dataclass(frozen=True, slots=True)
class Destination:
    """A mailbox provider over the period. `later` was put off by it, `returned` came back."""

    name: str
    taken: int
    refused: int
    later: int
    returned: int
    days: list[Day]

    @property
    def arrived(self) -> float:
        """The share that was taken and did not come back, of what had an answer for good."""
        whole = self.taken + self.refused
        return max(self.taken - self.returned, 0) / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Pooled:
    """Complaints about what one pool sent."""

    pool: str
    sent: int
    complaints: int

    @property
    def rate(self) -> float:
        """In percent."""
        return 100 * self.complaints / self.sent if self.sent else 0.0

    @property
    def kind(self) -> str:
        return "bad" if self.rate >= STOP else "warn" if self.rate >= WARN else "ok"


def destinations(*, now: datetime) -> list[Destination]:
    """Return each provider's figures, the largest first (EM-28, CA-45)."""
    since = now - PERIOD
    bounces = Returned.objects.filter(received_at__gte=since, kind=Returned.Kind.BOUNCE)
    returned = dict(
        _counted(bounces.exclude(provider="").filter(message_id__isnull=False), "provider")
    )
    rows = (
        Tally.objects.filter(minute__gte=since)
        .annotate(day=TruncDate("minute"))
        .values_list("provider", "day")
        .annotate(taken=Sum("sent"), refused=Sum("rejected"), later=Sum("deferred"))
        .order_by("provider", "day")
    )
    found: dict[str, list[tuple[date, int, int, int]]] = defaultdict(list)
    for provider, day, taken, refused, later in rows:
        found[provider].append((day, taken, refused, later))
    told = [_destination(name, days, returned.get(name, 0)) for name, days in found.items()]
    return sorted(told, key=lambda one: (-one.taken - one.refused, one.name))


def _destination(name: str, days: list[tuple[date, int, int, int]], returned: int) -> Destination:
    return Destination(
        name,
        sum(taken for _, taken, _, _ in days),
        sum(refused for _, _, refused, _ in days),
        sum(later for *_, later in days),
        returned,
        [Day(day, taken + refused + later, taken) for day, taken, refused, later in days],
    )


def complaints_by_pool(*, since: datetime) -> list[Pooled]:
    """Return complaints of each pool since then, of what it sent since then (EM-13)."""
    sent = Message.objects.filter(sent_at__gte=since).values_list("pool")
    said = Returned.objects.filter(
        kind=Returned.Kind.COMPLAINT, received_at__gte=since, message_id__isnull=False
    )
    pools = Message.objects.filter(pk__in=said.values("message_id")).values_list("pool")
    complaints = dict(pools.annotate(number=Count("id")).order_by())
    counted = dict(sent.annotate(number=Count("id")).order_by())
    return [
        Pooled(pool, counted.get(pool, 0), complaints.get(pool, 0))
        for pool in lanes.POOLS
        if pool in counted or pool in complaints
    ]


def encryption(*, since: datetime) -> list[tuple[str, str, int]]:
    """Return how many went by each route, by purpose: mail means verified TLS (CA-62)."""
    rows = Message.objects.filter(sent_at__gte=since).values_list("purpose", "route")
    return list(rows.annotate(number=Count("id")).order_by("purpose", "-number"))


def engagement(*, since: datetime) -> dict[str, dict[str, int]]:
    """Return openings and clicks by who did them: `human`, `machine`, `unclear` (TR-05)."""
    return visits.counted(Visit.objects.filter(at__gte=since))


def older_rules(*, since: datetime) -> int:
    """Return how many visits were judged by rules that have changed since."""
    rows = Visit.objects.filter(at__gte=since, settled_at__isnull=False)
    return rows.exclude(rules=machines.RULES).count()
