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
from messaging import foretelling, reasons
from messaging.models import CHANNELS
from messaging.pools import lanes
from messaging.protection import forecast
from messaging.protection.forecast import Forecast


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
    channel = lanes.SMS if request.GET.get("channel") == lanes.SMS else lanes.EMAIL
    asked = GateRequest(0, purpose, channel, frozenset(row.classes) | frozenset(row.labels))
    told = foretelling.count(people, asked, now=now)
    trail.record("protection.forecast", subject=f"segment:{found.id}", detail={"count": told.asked})
    about, labels = ("forecast", row.question, purpose, channel), forecast.labels(channel)
    cells: dict[tuple[object, ...], int] = {(*about, name): told.by_way[name] for name in labels}
    said = row.reader.many(cells)
    context = {
        "row": row,
        "ways": [(label, str(said[(*about, name)])) for name, label in labels.items()],
        "why": _why(told) if row.exact else [],
        "channel": channel,
        "channels": CHANNELS,
        "purpose": purpose,
        "purposes": [(one.value, one.value.replace("_", " ")) for one in Purpose],
        "whole": told.asked == told.members,
        "as_of": now,
    }
    return render(request, "segments/forecast.html", context)


def _why(told: Forecast) -> list[tuple[reasons.Reason, int]]:
    """Return what holds the blocked ones, the most frequent first."""
    found = ((reasons.explain(code), count) for code, count in told.why.most_common())
    return [(why, count) for why, count in found if why]
