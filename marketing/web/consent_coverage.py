"""Coverage before launch: how many of an audience may get a message, and who may not, by reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import guard, tenancy
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from consent import policy
from consent.addresses import FIELD_OF_CHANNEL
from consent.desk import coverage
from consent.desk.coverage import PERMITTED, Coverage, Sending
from contacts import matching
from contacts.models import first_id
from contacts.segments import membership
from contacts.segments.counts import Shown
from contacts.segments.models import Segment
from marketing.web import segment_sight
from marketing.web.consent import PURPOSE_NAMES
from marketing.web.consent_tabs import tabs
from marketing.web.segment_sight import Sight

PATIENCE = 20.0
"""Seconds; a larger audience is answered for as many as could be asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which audience, and what would be sent to it."""

    sight: Sight
    sending: Sending

    def query(self, **more: str) -> str:
        return urlencode(
            {
                "segment": str(self.sight.segment.id),
                "purpose": self.sending.purpose,
                "channel": self.sending.channel,
                **more,
            }
        )


def asked_of(request: HttpRequest, user: User) -> Asked | None:
    """Read the audience and the message from the address; None where no segment is named.

    What membership betrays counts as said, labels too.
    """
    try:
        segment_id = UUID(request.GET.get("segment", ""))
    except ValueError:
        return None
    sight = segment_sight.of(segment_sight.found(segment_id), user)
    purpose, channel = request.GET.get("purpose", ""), request.GET.get("channel", "")
    return Asked(
        sight,
        Sending(
            purpose=purpose if purpose in PURPOSE_NAMES else "marketing",
            channel=channel if channel in FIELD_OF_CHANNEL else "email",
            classes=frozenset(sight.classes) | frozenset(sight.labels),
        ),
    )


def ids_of(segment: Segment) -> list[int]:
    first = first_id(tenancy.current())
    return [first + ordinal for ordinal in membership.members(segment).tolist()]


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def covered(request: HttpRequest) -> HttpResponse:
    """How many are permitted, and how many each reason stops."""
    now, user = timezone.now(), guard.staff_of(request)
    asked = asked_of(request, user)
    context: dict[str, Any] = {
        "tabs": tabs("coverage"),
        "segments": _segments(user),
        "purposes": PURPOSE_NAMES.items(),
        "channels": list(FIELD_OF_CHANNEL),
        "purpose": asked.sending.purpose if asked else "marketing",
        "channel": asked.sending.channel if asked else "email",
        "asked": asked,
        "as_of": now,
    }
    if asked:
        context |= _told(asked, now=now)
    return render(request, "consent/coverage.html", context)


def _told(asked: Asked, *, now: datetime) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    found = coverage.cover(
        ids_of(asked.sight.segment),
        asked.sending,
        now=now,
        enough=lambda: time.monotonic() > until,
    )
    record(asked, found)
    row = asked.sight
    about = ("reach", row.question, asked.sending.purpose, asked.sending.channel)
    told = row.reader.many(
        {
            row.question: found.members,
            (*about, ""): found.permitted,
            (*about, "refused"): found.refused,
            **{(*about, code): count for code, count in found.stopped.items()},
        }
    )
    shown = {code: told[(*about, code)] for code in ("", "refused", *found.stopped)}
    return {
        "found": found,
        "members": str(told[row.question]),
        "reached": f"{found.asked:,}" if row.exact else "ones",
        "permitted": str(shown[""]),
        "refused": str(shown["refused"]),
        "summary": in_words(found, shown),
        "reasons": [
            (code, found.sentences[code], policy.REASONS[code][1], str(shown[code]))
            for code, _ in found.stopped.most_common()
        ],
    }


def record(asked: Asked, found: Coverage) -> None:
    trail.record(
        "consent.asked",
        subject=f"segment:{asked.sight.segment.id}",
        detail={
            "purpose": asked.sending.purpose,
            "channel": asked.sending.channel,
            "classes": sorted(asked.sending.classes),
            "permitted": found.permitted,
            "refused": found.refused,
            "count": found.asked,
        },
    )


def in_words(found: Coverage, shown: dict[str, Shown]) -> str:
    """Say it in one sentence: "8,412 permitted, 311 refused: 190 no authorization, ..."."""
    start = f"{shown['']} permitted"
    if not found.stopped:
        return f"{start}, nobody refused."
    reasons = ", ".join(
        f"{shown[code]} {code.replace('_', ' ')}" for code, _ in found.stopped.most_common()
    )
    return f"{start}, {shown['refused']} refused: {reasons}."


def _segments(user: User) -> list[Sight]:
    rows = Segment.objects.filter(archived_at=None).order_by("-created_at")[:200]
    return sorted(segment_sight.of_all(list(rows), user), key=lambda one: one.title)


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Who gets one answer. Only for roles that may know what membership says of a person."""
    now, user = timezone.now(), guard.staff_of(request)
    asked, code = asked_of(request, user), request.GET.get("code", "")
    known = code == PERMITTED or code in policy.REASONS
    context: dict[str, Any] = {"tabs": tabs("coverage"), "asked": asked, "as_of": now}
    if asked is None or not known:
        return render(request, "consent/coverage_people.html", context, status=404)
    context["code"] = code
    context["sentence"] = "Permitted" if code == PERMITTED else policy.REASONS[code][0]
    context["back"] = f"{reverse('coverage')}?{asked.query()}"
    if asked.sight.exact:
        context |= _people(request, asked, code, now=now)
    return render(request, "consent/coverage_people.html", context)


def _people(request: HttpRequest, asked: Asked, code: str, *, now: datetime) -> dict[str, Any]:
    ids = _after(ids_of(asked.sight.segment), request.GET.get("after", ""))
    found, last = coverage.people(ids, asked.sending, code=code, now=now)
    public = matching.public_ids(found)
    trail.record("contact.listed", detail={"count": len(found), "page": "coverage"})
    following = asked.query(code=code, after=str(public[last])) if last in public else ""
    return {
        "people": [public[one] for one in found if one in public],
        "next": f"{reverse('coverage-people')}?{following}" if following else "",
        "first": f"{reverse('coverage-people')}?{asked.query(code=code)}"
        if "after" in request.GET
        else "",
    }


def _after(ids: Sequence[int], after: str) -> Sequence[int]:
    """Return who comes after the person whom the address names by the public id."""
    try:
        seen = matching.ids_by_public_id([UUID(after)])
    except ValueError:
        return ids
    last = next(iter(seen.values()), 0)
    return [one for one in ids if one > last]
