"""The event debugger: what came in lately, and what was refused and why."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.guard import requires
from accounts.models import ApiKey
from accounts.roles import Permission
from audit import trail
from contacts.models import Event
from marketing.models import ApiRefusal
from marketing.web.timeline import words

MOST = 50


@require_safe
@requires(Permission.DELIVERY_VIEW)
def events(request: HttpRequest) -> HttpResponse:
    """Show the newest events by kind and time, and the newest refusals; of nobody by name."""
    came = list(
        Event.objects.order_by("-id").only(
            "kind", "source", "occurred_at", "received_at", "properties"
        )[:MOST]
    )
    trail.record("timeline.viewed", detail={"count": len(came), "purpose": "event_debugger"})
    refused = list(ApiRefusal.objects.all()[:MOST])
    keys = dict(
        ApiKey.objects.filter(pk__in={one.key_id for one in refused}).values_list("pk", "name")
    )
    context = {
        "events": [_row(event) for event in came],
        "refusals": [{"refusal": one, "key": keys.get(one.key_id, "")} for one in refused],
    }
    return render(request, "integrations/events.html", context)


def _row(event: Event) -> dict[str, Any]:
    return {"event": event, "words": words(event.kind), "sealed": event.properties is not None}
