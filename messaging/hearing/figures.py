"""How delivery goes, in figures: what came back, by class, by provider and by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from messaging.models import Message, Returned

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
