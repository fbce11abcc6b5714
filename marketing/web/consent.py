"""The consent desk's first page: how consent stands, what was refused and why, the latest acts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import guard
from accounts.roles import Permission
from audit import trail
from consent import policy, report
from consent.models import Entry
from consent.policy import Refusal
from contacts import matching
from marketing.web.consent_tabs import tabs
from messaging.models import PURPOSES, Message

PURPOSE_NAMES = dict(PURPOSES)
PERIOD = timedelta(days=30)


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """How consent stands, what was refused and why, and the latest acts."""
    now = timezone.now()
    before, kind = request.GET.get("before", ""), request.GET.get("kind", "")
    kind = kind if kind in Entry.Kind.values else ""
    seen = int(before) if before.isdecimal() and len(before) < 19 else None
    entries = report.acts(before=seen, kind=kind)
    people = matching.public_ids({e.contact_id for e in entries if e.contact_id})
    refused = _refused_since(now - PERIOD)
    trail.record("report.viewed", detail={"report": "consent", "count": len(entries)})
    context = {
        "tabs": tabs("consent"),
        "standing": report.standing(now=now),
        "names": PURPOSE_NAMES,
        "refused": refused,
        "refused_in_all": sum(count for _, count in refused),
        "acts": [(entry, people.get(entry.contact_id or 0)) for entry in entries],
        "kinds": Entry.Kind.choices,
        "kind": kind,
        "older": entries[-1].id if len(entries) == report.PAGE else None,
        "paged": seen is not None,
        "as_of": now,
    }
    return render(request, "consent/desk.html", context)


def _refused_since(start: datetime) -> list[tuple[Refusal, int]]:
    """Return each reason with how many messages it stopped, the commonest first."""
    refused = Message.objects.filter(state=Message.State.REFUSED, created_at__gte=start)
    counted = refused.values_list("refusal_code").annotate(n=Count("id")).order_by("-n")
    return [(policy.refuse(code), n) for code, n in counted if code in policy.REASONS]
