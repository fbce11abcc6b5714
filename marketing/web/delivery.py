"""Delivery: what came back, by class, by provider, by day; and what nobody could match."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from marketing.web.going_out import tabs
from messaging.hearing import figures, visits
from messaging.models import Returned

PAGE = 50


@require_safe
@requires(Permission.DELIVERY_VIEW)
def delivery(request: HttpRequest) -> HttpResponse:
    """Show thirty days of what came back."""
    now = timezone.now()
    found = figures.of_period(now=now)
    unmatched = Returned.objects.filter(reviewed_at=None).order_by("received_at")
    context = {
        "found": found,
        "rate": f"{found.complaint_rate:.2f} %",
        "chart": _chart(found),
        "unmatched": unmatched[:PAGE],
        "waiting": unmatched.count(),
        **_reached(now),
        "as_of": now,
        "tabs": tabs("delivery", staff_of(request)),
    }
    return render(request, "messaging/delivery.html", context)


def _chart(found: figures.Figures) -> dict[str, Any]:
    """Return a bar a day, bounces below and complaints on top, within a height of 100."""
    top = max((bounced + complained for _, bounced, complained in found.by_day), default=0)
    if not top:
        return {}
    bars = []
    for place, (_, bounced, complained) in enumerate(found.by_day):
        low, high = round(100 * bounced / top, 1), round(100 * complained / top, 1)
        bars.append({"x": 10 * place + 1, "y": 100 - low, "height": low, "series": 1})
        bars.append({"x": 10 * place + 1, "y": 100 - low - high, "height": high, "series": 2})
    return {
        "bars": [one for one in bars if one["height"]],
        "width": 10 * len(found.by_day),
        "top": top,
    }


ROUTES = {
    "mail": "By mail, over verified TLS",
    "portal": "Picked up from the portal",
    "smime": "S/MIME",
    "pgp": "OpenPGP",
}
PROVIDERS = {
    "gmail": "Gmail",
    "microsoft": "Microsoft",
    "yahoo": "Yahoo and AOL",
    "apple": "Apple",
    "att": "AT&T",
    "gmx": "GMX and mail.com",
    "other": "Every other domain",
}


def _reached(now: datetime) -> dict[str, Any]:
    """Return what became of what was sent: by destination, by pool, by route, by reader."""
    since = now - figures.PERIOD
    places = figures.destinations(now=now)
    return {
        "places": [
            {
                "name": PROVIDERS.get(one.name, one.name.capitalize()),
                "row": one,
                "arrived": f"{one.arrived:.1%}" if one.taken + one.refused else "",
                "line": _line(one, now=now),
            }
            for one in places
        ],
        "pools": [
            {"row": one, "rate": f"{one.rate:.2f} %"}
            for one in figures.complaints_by_pool(since=since)
        ],
        "routes": [
            (purpose.replace("_", " "), ROUTES.get(route, route or "not recorded"), number)
            for purpose, route, number in figures.encryption(since=since)
        ],
        "read": _read(figures.engagement(since=since)),
        "older": figures.older_rules(since=since),
    }


def _line(one: figures.Destination, *, now: datetime) -> str:
    """Return the points of a line: the share taken at once, day by day, 100 wide and 20 high."""
    first = (now - figures.PERIOD).date()
    span = max(figures.PERIOD.days, 1)
    return " ".join(
        f"{100 * (day.day - first).days / span:.1f},{19 - 18 * day.share:.1f}"
        for day in one.days
        if day.share is not None
    )


def _read(found: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """Return a row for openings and one for clicks, with the bar that parts them."""
    rows = []
    for kind, words in (("opened", "Opened"), ("clicked", "Link followed")):
        counted = found.get(kind, {})
        whole = sum(counted.values())
        if not whole:
            continue
        place, bars = 0.0, []
        for series, verdict in enumerate(("human", "unclear", "machine")):
            wide = 100 * counted.get(verdict, 0) / whole
            bars.append({"x": f"{place:.1f}", "width": f"{wide:.1f}", "series": series})
            place += wide
        parts = {verdict: counted.get(verdict, 0) for verdict in ("human", "unclear", "machine")}
        rows.append({"words": words, "bars": bars, **parts})
    return rows


@require_POST
@requires(Permission.DELIVERY_VIEW)
def again(request: HttpRequest) -> HttpResponse:
    """Have the last thirty days' openings and clicks judged by today's rules."""
    now = timezone.now()
    count = visits.again(since=now - visits.AGENT_KEPT, now=now)
    messages.success(
        request,
        f"{count:,} openings and clicks are judged again. Nobody is written to because of it.",
    )
    return redirect("delivery")


@require_POST
@requires(Permission.DELIVERY_VIEW)
def reviewed(request: HttpRequest) -> HttpResponse:
    """Mark one that could not be matched as looked at."""
    waiting = Returned.objects.filter(reviewed_at=None)
    row = next((one for one in waiting if str(one.pk) == request.POST.get("returned")), None)
    if row is None:
        messages.info(request, "Somebody else has looked at it already.")
    else:
        waiting.filter(pk=row.pk).update(reviewed_at=timezone.now())
        trail.record("message.return_reviewed", subject=f"returned:{row.pk}")
        messages.success(request, "Marked as looked at.")
    return redirect("delivery")
