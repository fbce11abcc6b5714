"""A segment's forecast: by which protected ways its members would be reached."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import tenancy
from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from consent.gate import GateRequest
from consent.policy import Purpose
from contacts.models import first_id
from contacts.segments import membership
from marketing.web import segment_sight
from messaging import foretelling
from messaging.protection import forecast


@require_safe
@requires(Permission.SEGMENTS_VIEW)
def of_segment(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Count the ways; what stands between a person and a message needs sight of consent."""
    user, found, now = staff_of(request), segment_sight.found(segment_id), timezone.now()
    if not user.may(Permission.CONSENT_VIEW):
        raise PermissionDenied
    row = segment_sight.of(found, user)
    wanted = request.GET.get("purpose", "")
    purpose = wanted if wanted in [one.value for one in Purpose] else "marketing"
    first = first_id(tenancy.current())
    people = [first + ordinal for ordinal in membership.members(found).tolist()]
    asked = GateRequest(0, purpose, "email", frozenset(row.classes) | frozenset(row.labels))
    told = foretelling.count(people, asked, now=now)
    trail.record("protection.forecast", subject=f"segment:{found.id}", detail={"count": told.asked})
    about = ("forecast", row.question, purpose)
    cells: dict[tuple[object, ...], int] = {
        (*about, name): told.by_way[name] for name in forecast.LABELS
    }
    said = row.reader.many(cells)
    context = {
        "row": row,
        "ways": [(label, str(said[(*about, name)])) for name, label in forecast.LABELS.items()],
        "purpose": purpose,
        "purposes": [(one.value, one.value.replace("_", " ")) for one in Purpose],
        "whole": told.asked == told.members,
        "as_of": now,
    }
    return render(request, "segments/forecast.html", context)
