"""Parts of a segment's page that are worked out when they are asked for: reach, overlap, growth."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import tenancy
from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from consent import gate
from consent.addresses import FIELD_OF_CHANNEL
from consent.policy import Permit, Purpose
from contacts.models import first_id
from contacts.segments import counts, growth, membership
from contacts.segments.counts import Shown
from contacts.segments.models import Segment
from contacts.segments.told import Question, Reader
from marketing.web import segment_sight
from marketing.web.segment_sight import Sight

AT_A_TIME = 5_000
PATIENCE = 6.0
"""Seconds; a longer segment is answered for as many as could be asked."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the gate would say of a segment's members: how many it permits, and why not the rest."""

    members: int
    asked: int
    permitted: int
    refused: dict[str, int]
    sentences: dict[str, str]


def reach_of(
    segment: Segment, *, purpose: str, channel: str, classes: frozenset[str], now: datetime
) -> Reach:
    """Ask the gate for the members, thousands at a time, until time is up."""
    first = first_id(tenancy.current())
    ids = [first + ordinal for ordinal in membership.members(segment).tolist()]
    refused: Counter[str] = Counter()
    sentences: dict[str, str] = {}
    permitted, at, began = 0, 0, time.monotonic()
    while at < len(ids) and time.monotonic() - began < PATIENCE:
        some = ids[at : at + AT_A_TIME]
        requests = [gate.GateRequest(one, purpose, channel, classes) for one in some]
        for answer in gate.ask(requests, now=now):
            if isinstance(answer, Permit):
                permitted += 1
            else:
                refused[answer.code] += 1
                sentences.setdefault(answer.code, answer.sentence.partition(" Outside")[0])
        at += len(some)
    return Reach(len(ids), at, permitted, dict(refused.most_common()), sentences)


def reach_told(
    row: Sight, found: Reach, *, purpose: str, channel: str
) -> tuple[Shown, dict[str, Shown]]:
    """Return how many may be written to, and how many not by reason, as the reader is told."""
    about = ("reach", row.question, purpose, channel)
    cells = {"": found.permitted, **found.refused}
    told = row.reader.many({(*about, code): count for code, count in cells.items()})
    shown = {code: told[(*about, code)] for code in cells}
    return shown.pop(""), shown


@require_GET
@requires(Permission.SEGMENTS_VIEW)
def reach(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """How many can be reached for a purpose by a channel, and why not the rest.

    What stands between a person and a message is the person's own: it needs sight of consent.
    """
    user, found = staff_of(request), segment_sight.found(segment_id)
    if not user.may(Permission.CONSENT_VIEW):
        raise PermissionDenied
    row = segment_sight.of(found, user)
    purpose = _one_of(request.GET.get("purpose", ""), [one.value for one in Purpose], "marketing")
    channel = _one_of(request.GET.get("channel", ""), list(FIELD_OF_CHANNEL), "email")
    now = timezone.now()
    says = frozenset(row.classes) | frozenset(row.labels)
    told = reach_of(found, purpose=purpose, channel=channel, classes=says, now=now)
    trail.record(
        "segment.reached",
        subject=f"segment:{found.id}",
        detail={
            "count": told.asked,
            "classes": row.classes,
            "purpose": purpose,
            "channel": channel,
        },
    )
    permitted, refused = reach_told(row, told, purpose=purpose, channel=channel)
    members = row.reader.one(row.question, told.members)
    context = {
        "row": row,
        "told": told,
        "purpose": purpose,
        "channel": channel,
        "purposes": [(one.value, one.value.replace("_", " ")) for one in Purpose],
        "channels": list(FIELD_OF_CHANNEL),
        "permitted": str(permitted),
        "permitted_share": permitted.number or 0,
        "members": str(members),
        "asked": f"{told.asked:,}" if row.exact else "ones",
        "of": max(members.number or 0, permitted.number or 0, 1),
        "refusals": [
            (told.sentences[code], str(shown), shown.number or 0) for code, shown in refused.items()
        ],
        "as_of": now,
    }
    return render(request, "segments/_reach.html", context)


@require_GET
@requires(Permission.SEGMENTS_VIEW)
def overlap(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """How many are in this segment and in another, as both were last counted."""
    user, found = staff_of(request), segment_sight.found(segment_id)
    context: dict[str, Any] = {"row": segment_sight.of(found, user), "others": _others(found, user)}
    wanted = request.GET.get("with", "")
    chosen = next((one for one in context["others"] if str(one.segment.id) == wanted), None)
    if chosen is not None:
        reader = context["row"].reader if chosen.exact else chosen.reader
        cells = overlap_of(found, chosen.segment, reader=reader)
        context |= {"other": chosen, "cells": _cells(cells, exact=reader.exact)}
        context["as_of"] = min(
            (one for one in (found.counted_at, chosen.segment.counted_at) if one), default=None
        )
    return render(request, "segments/_overlap.html", context)


def overlap_of(first: Segment, second: Segment, *, reader: Reader) -> counts.Overlap:
    """Return how two segments overlap; the reader is that of whichever is told less exactly."""
    one, other = membership.members(first), membership.members(second)
    both = len(set(one.tolist()) & set(other.tolist()))
    ids = sorted(str(each.id) for each in (first, second))
    trail.record("segment.compared", subject=f"segment:{ids[0]}", detail={"count": both})
    asked: dict[Question, int] = {
        ("members", str(first.id)): len(one),
        ("members", str(second.id)): len(other),
        ("both", *ids): both,
    }
    told = reader.many(asked)
    return counts.overlap(*(told[question] for question in asked))


def grown(row: Sight, *, now: datetime) -> dict[str, Any]:
    """The days of a segment, and the line that draws them."""
    today = now.astimezone(row.segment.organisation.zone).date()
    found = growth.days(row.segment, today=today, reader=row.reader)
    heights = [day.count or 0 for day in found]
    top = max(heights, default=0) or 1
    width = max(len(found) - 1, 1)
    points = [
        (round(place * 100 / width, 2), round(38 - 34 * height / top, 2))
        for place, height in enumerate(heights)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    area = f"0,40 {line} 100,40" if points else ""
    rows = [(day.day, str(day.shown), day.change) for day in reversed(found)]
    return {"line": line, "area": area, "days": rows, "several": len(found) > 1}


def _others(found: Segment, user: User) -> list[Sight]:
    rows = Segment.objects.filter(archived_at=None).exclude(pk=found.pk).order_by("-created_at")
    return segment_sight.of_all(list(rows[:100]), user)


def _cells(found: counts.Overlap, *, exact: bool) -> list[tuple[str, str, int]]:
    cells = (
        ("In this segment", found.first),
        ("In the other", found.second),
        ("In both", found.both),
        ("Only in this one", found.only_first),
        ("Only in the other", found.only_second),
    )
    return [(words, _said(count, exact=exact), count or 0) for words, count in cells]


def _said(count: int | None, *, exact: bool) -> str:
    """None is small, or is not known well enough to say."""
    if count is None:
        return "held back"
    return f"{count:,}" if exact else f"about {count:,}"


def _one_of(given: str, known: list[str], otherwise: str) -> str:
    return given if given in known else otherwise
