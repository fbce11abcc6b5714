"""Delivery: what came back, by class, by provider, by day; and what nobody could match."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires
from accounts.roles import Permission
from audit import trail
from marketing.web.going_out import tabs
from messaging.hearing import figures
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
        "as_of": now,
        "tabs": tabs("delivery"),
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
