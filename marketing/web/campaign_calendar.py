"""The calendar: what goes out when, across departments."""

from __future__ import annotations

import calendar as months
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guard import requires, staff_of
from accounts.models import Organisation
from accounts.roles import Permission
from consent.sending import terms
from marketing.campaigns import calendar

MOST_YEARS = 100
"""A month further away is no month that anybody plans; the calendar's own arithmetic has an end."""
WORDS = {"past": "went out", "due": "scheduled", "foreseen": "foreseen", "planned": "not launched"}


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def month(request: HttpRequest) -> HttpResponse:
    """A month of campaigns as a grid, and the same as a list."""
    house: Organisation = staff_of(request).organisation
    now = timezone.now()
    first = _month(request.GET.get("month", ""), now.astimezone(house.zone).date())
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    since, until = (
        _midnight(one, house) for one in (weeks[0][0], weeks[-1][-1] + timedelta(days=1))
    )
    found = calendar.entries(since=since, until=until, now=now)
    by_day: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for one in found:
        local = one.at.astimezone(house.zone)
        by_day[local.date()].append(
            {"entry": one, "at": f"{local:%H:%M}", "words": WORDS[one.kind]}
        )
    context = {
        "first": first,
        "names": list(months.day_abbr),
        "weeks": [[(day, by_day.get(day, [])) for day in week] for week in weeks],
        "listed": sorted(by_day.items()),
        "today": now.astimezone(house.zone).date(),
        "before": _step(first, -1),
        "after": _step(first, 1),
        "caps": len(terms.read(now=now).caps),
    }
    return render(request, "campaigns/calendar.html", context)


def _month(text: str, today: date) -> date:
    try:
        asked = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  a month has no zone
    except ValueError:
        return today.replace(day=1)
    return asked if abs(asked.year - today.year) <= MOST_YEARS else today.replace(day=1)


def _step(first: date, by: int) -> str:
    other = (first + timedelta(days=31)) if by > 0 else (first - timedelta(days=1))
    return f"{other:%Y-%m}"


def _midnight(day: date, house: Organisation) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=house.zone)
