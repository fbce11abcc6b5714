"""Reports of the consent desk: how withdrawals took effect, and what was refused over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, F
from django.db.models.fields.json import KT
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import guard
from accounts.roles import Permission
from audit import trail
from consent import policy
from consent.desk import withdrawals as withdrawn
from contacts import matching
from marketing.web.consent_tabs import tabs
from messaging.models import Message

PERIODS = {"30": 1, "182": 7}
"""How many days back, and how many days one bar is."""
MOST_REASONS = 6
HEIGHT = 100


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def withdrawals(request: HttpRequest) -> HttpResponse:
    """Each withdrawal with the time from receipt to effect, and what went out after it."""
    now, before = timezone.now(), request.GET.get("before", "")
    seen = int(before) if before.isdecimal() and len(before) < 19 else None
    rows = withdrawn.page(before=seen)
    people = matching.public_ids({one.entry.contact_id for one in rows if one.entry.contact_id})
    later = _sent_later(withdrawn.concerned(rows), rows)
    trail.record("report.viewed", detail={"report": "withdrawals", "count": len(rows)})
    context = {
        "tabs": tabs("withdrawals"),
        "times": withdrawn.times(since=now - timedelta(days=30)),
        "rows": [
            {
                "entry": one.entry,
                "person": people.get(one.entry.contact_id or 0),
                "seconds": f"{one.took.total_seconds():.3f}",
                "later": later[str(one.entry.concerns)] if one.entry.kind == "revoked" else None,
            }
            for one in rows
        ],
        "next": f"{reverse('withdrawals')}?before={rows[-1].entry.id}"
        if len(rows) == withdrawn.PAGE
        else "",
        "first": reverse("withdrawals") if seen is not None else "",
        "as_of": now,
    }
    return render(request, "consent/withdrawals.html", context)


def _sent_later(
    authorizations: list[str], rows: Iterable[withdrawn.Withdrawal]
) -> Mapping[str, int]:
    """Count what was claimed under each authorization after its withdrawal took effect."""
    ended = {str(one.entry.concerns): one.entry.recorded_at for one in rows}
    people = {one.entry.contact_id for one in rows if one.entry.contact_id}
    sent = (
        Message.objects.filter(contact_id__in=people, state=Message.State.SENT)
        .annotate(under=KT("permit__authorization"))
        .filter(under__in=authorizations, handed_over_at__isnull=False)
        .values_list("under", "handed_over_at")
    )
    return Counter(under for under, at in sent if at and at > ended[under])


@dataclass(frozen=True, slots=True)
class Bar:
    """One reason's part of a day's (or week's) bar, in the chart's own units."""

    x: int
    y: int
    height: int
    series: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Refusals by reason over time: the bars, and the same as a table."""

    reasons: list[tuple[int, str, str, int]]
    """The place of the reason's colour, its code and sentence, and how many in all."""
    bars: list[Bar]
    rows: list[tuple[date, list[int], int]]
    width: int
    top: int


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def refusals(request: HttpRequest) -> HttpResponse:
    """What was refused, by reason, over time."""
    now, zone = timezone.now(), guard.staff_of(request).organisation.zone
    period = request.GET.get("days", "")
    period = period if period in PERIODS else "30"
    chart = chart_of(_counted(int(period), now=now, zone=zone), step=PERIODS[period])
    trail.record("report.viewed", detail={"report": "refusals", "count": len(chart.reasons)})
    context = {
        "tabs": tabs("refusals"),
        "chart": chart,
        "period": period,
        "periods": [("30", "30 days"), ("182", "26 weeks")],
        "step": PERIODS[period],
        "as_of": now,
    }
    return render(request, "consent/refusals.html", context)


def _counted(days: int, *, now: datetime, zone: ZoneInfo) -> dict[date, dict[str, int]]:
    """Return for each day of the period how many messages each reason stopped."""
    last = now.astimezone(zone).date()
    first = last - timedelta(days=days - 1)
    refused = Message.objects.filter(
        state=Message.State.REFUSED, created_at__gte=datetime.combine(first, time(), zone)
    )
    rows = (
        refused.annotate(day=TruncDate("created_at", tzinfo=zone))
        .values_list("day", "refusal_code")
        .annotate(n=Count("id"))
        .order_by(F("day"))
    )
    found: dict[date, dict[str, int]] = {first + timedelta(days=place): {} for place in range(days)}
    for day, code, count in rows:
        found.setdefault(day, {})[code] = count
    return found


def chart_of(counted: Mapping[date, Mapping[str, int]], *, step: int) -> Chart:
    """Draw the counts as stacked bars of `step` days; the rarer reasons share one colour."""
    days = sorted(counted)
    bins = [days[at : at + step] for at in range(0, len(days), step)]
    totals = Counter[str]()
    for row in counted.values():
        totals.update(row)
    named = [code for code, _ in totals.most_common(MOST_REASONS)]
    rest = set(totals) - set(named)
    rows = [(some[0], _columns([counted[day] for day in some], named, rest)) for some in bins]
    top = max((sum(columns) for _, columns in rows), default=0)
    reasons = [(at, code, _sentence(code), totals[code]) for at, code in enumerate(named)]
    if rest:
        others = sum(totals[code] for code in rest)
        reasons.append((MOST_REASONS, "", "Other reasons", others))
    return Chart(
        reasons,
        [bar for at, (_, columns) in enumerate(rows) for bar in _stacked(at, columns, top)],
        [(day, columns, sum(columns)) for day, columns in rows],
        len(rows) * 10,
        top,
    )


def _columns(days: list[Mapping[str, int]], named: list[str], rest: set[str]) -> list[int]:
    columns = [sum(day.get(code, 0) for day in days) for code in named]
    if rest:
        columns.append(sum(day.get(code, 0) for day in days for code in rest))
    return columns


def _stacked(at: int, columns: list[int], top: int) -> Iterable[Bar]:
    below = 0
    for series, count in enumerate(columns):
        start, below = below, below + count
        height = round(HEIGHT * below / top) - round(HEIGHT * start / top) if top else 0
        if height:
            yield Bar(at * 10 + 1, HEIGHT - round(HEIGHT * below / top), height, series)


def _sentence(code: str) -> str:
    return policy.refuse(code).sentence if code in policy.REASONS else code.replace("_", " ")
