"""Replies that somebody must read: was it a no? Messages to whoever wrote wait until then."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires
from accounts.roles import Permission
from audit import trail
from consent.choices import replies as room
from consent.models import Reply
from contacts import matching

PAGE = 50


@requires(Permission.CONSENT_RECORD)
@require_safe
def replies(request: HttpRequest) -> HttpResponse:
    """Show what waits, the oldest first; that it was read is in the trail."""
    rows = list(room.waiting()[:PAGE])
    people = matching.public_ids({one.contact_id for one in rows if one.contact_id})
    if rows:
        trail.record("reply.read", detail={"count": len(rows)})
    context = {
        "replies": [(one, people.get(one.contact_id or 0)) for one in rows],
        "waiting": room.waiting().count(),
        "decisions": Reply.Decision.choices,
        "as_of": timezone.now(),
    }
    return render(request, "consent/replies.html", context)


@requires(Permission.CONSENT_RECORD)
@require_POST
def decide(request: HttpRequest, reply_id: UUID) -> HttpResponse:
    decision = request.POST.get("decision", "")
    if decision not in Reply.Decision.values:
        messages.error(request, "Say what the reply means.")
    elif room.decide(reply_id, decision, now=timezone.now()):
        messages.success(request, "Decided. It counts at once; the words are dropped.")
    else:
        messages.info(request, "Somebody else decided it meanwhile.")
    return redirect("replies")
