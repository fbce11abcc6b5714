"""Delivery, sending domain: how receivers see it, and what to mend."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from marketing.web.going_out import tabs
from messaging.preflight import keeping


@requires(Permission.DELIVERY_VIEW)
@require_safe
def sending_domain(request: HttpRequest) -> HttpResponse:
    """Show what the last look at each domain found."""
    known = keeping.latest()
    rows: list[dict[str, Any]] = [
        {"domain": one, "pool": pool.kind if pool else "", "last": known.get(one)}
        for one, pool in keeping.domains().items()
    ]
    context = {
        "rows": rows,
        "bulk": settings.BULK_MAIL,
        "tabs": tabs("sending-domain", staff_of(request)),
    }
    return render(request, "messaging/sending_domain.html", context)


@requires(Permission.DELIVERY_VIEW)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Look at every domain now."""
    for domain in keeping.domains():
        keeping.check(domain, now=timezone.now())
    messages.success(request, "Looked at just now.")
    return redirect("sending-domain")
