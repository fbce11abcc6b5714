"""A second person looks at a segment that reads a sensitive label, before anything is sent to it.

An approval is bound to what the segment means: a keyed hash of its definition with every segment
and code group that it names put in. Whatever changes that meaning voids the approval; whoever wrote
the definition or asked for the approval cannot give it (SE-20, PR-30).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import actor, trail
from contacts.declared.models import CodeGroup
from contacts.segments.models import Segment, SegmentApproval
from crypto import blind_index

Verdict = SegmentApproval.Verdict


class ApprovalRefused(Exception):
    """The approval cannot be asked for or given; the text says why."""


def fingerprint(segment: Segment) -> bytes:
    """Return the keyed hash of what the segment means now."""
    said = json.dumps(_whole(segment.definition), sort_keys=True, separators=(",", ":"))
    return blind_index.token(tenancy.current(), "segment_definition", said)


def settle(segment: Segment) -> None:
    """Note on the segment whether it waits for approval; call it when meaning or labels change."""
    awaits = bool(segment.labels) and not _approved(segment)
    if segment.awaits_approval != awaits:
        segment.awaits_approval = awaits
        segment.save(update_fields=["awaits_approval"])
    stale = SegmentApproval.objects.filter(segment=segment, verdict=Verdict.WAITING)
    stale.exclude(fingerprint=fingerprint(segment)).update(verdict=Verdict.VOID)


def why_not(segment: Segment) -> str:
    """Say why nothing may be sent to the segment; empty where it may."""
    if segment.archived_at is not None:
        return "is out of use"
    if segment.status != Segment.Status.VALID:
        return "is broken"
    if segment.labels and not _approved(segment):
        return "reads a sensitive label and is not approved by a second person"
    return ""


def latest(segment: Segment) -> SegmentApproval | None:
    """Return the newest request, if it is about what the segment means now."""
    rows = SegmentApproval.objects.filter(segment=segment, fingerprint=fingerprint(segment))
    return rows.exclude(verdict=Verdict.VOID).order_by("-requested_at", "-id").first()


def waiting() -> Iterator[SegmentApproval]:
    """Yield the requests that wait for a second person, the oldest first."""
    rows = SegmentApproval.objects.filter(verdict=Verdict.WAITING, segment__archived_at=None)
    yield from rows.select_related("segment").order_by("requested_at")


@transaction.atomic
def request(segment: Segment, *, now: datetime) -> SegmentApproval:
    """Ask a second person; a request that stands already is returned."""
    segment = Segment.objects.select_for_update().get(pk=segment.pk)
    if not segment.labels:
        raise ApprovalRefused("This segment reads no sensitive label: it needs no approval.")
    standing = latest(segment)
    if standing is not None and standing.verdict in (Verdict.WAITING, Verdict.APPROVED):
        return standing
    made = SegmentApproval.objects.create(
        segment=segment,
        version=segment.version,
        fingerprint=fingerprint(segment),
        requested_by=actor.current().id,
        requested_at=now,
    )
    _record("segment.approval_requested", segment)
    return made


@transaction.atomic
def decide(approval_id: UUID, *, approve: bool, reason: str = "", now: datetime) -> SegmentApproval:
    """Approve or refuse a request as the acting person; never one's own, never another meaning."""
    asked = SegmentApproval.objects.select_related("segment").get(pk=approval_id)
    segment = Segment.objects.select_for_update().get(pk=asked.segment_id)
    person = actor.current().id
    if person in (asked.requested_by, segment.changed_by):
        raise ApprovalRefused("Another person must decide: you wrote this segment or asked for it.")
    if bytes(asked.fingerprint) != fingerprint(segment):
        raise ApprovalRefused("The segment was changed since: ask for approval of what it is now.")
    if not approve and not reason.strip():
        raise ApprovalRefused("Say what must change: whoever wrote the segment reads the reason.")
    verdict = Verdict.APPROVED if approve else Verdict.REFUSED
    taken = SegmentApproval.objects.filter(pk=asked.pk, verdict=Verdict.WAITING).update(
        verdict=verdict, decided_by=person, decided_at=now
    )
    if taken != 1:
        raise ApprovalRefused("Somebody has decided this already.")
    asked.refresh_from_db()
    if reason.strip():
        asked.reason = reason.strip()[:400]
        asked.save(update_fields=["reason"])
    settle(segment)
    _record("segment.approved" if approve else "segment.approval_refused", segment)
    return asked


def _approved(segment: Segment) -> bool:
    rows = SegmentApproval.objects.filter(segment=segment, verdict=Verdict.APPROVED)
    return rows.filter(fingerprint=fingerprint(segment)).exists()


def _record(action: str, segment: Segment) -> None:
    trail.record(action, subject=f"segment:{segment.id}", detail={"version": segment.version})


def _whole(tree: Any, depth: int = 0) -> Any:
    """The JSON with what it names put in: other segments' definitions, code groups' versions."""
    if isinstance(tree, list):
        return [_whole(one, depth) for one in tree]
    if not isinstance(tree, dict):
        return tree
    found = {key: _whole(value, depth) for key, value in tree.items()}
    if isinstance(tree.get("segment"), str) and depth < 25:
        found["means"] = _meaning_of(tree["segment"], depth)
    if isinstance(tree.get("group"), str):
        found["group_version"] = _version_of(tree["group"])
    return found


def _meaning_of(segment_id: str, depth: int) -> Any:
    try:
        named = Segment.objects.filter(pk=UUID(segment_id), archived_at=None).first()
    except ValueError:
        return None
    return None if named is None else _whole(named.definition, depth + 1)


def _version_of(group_id: str) -> int | None:
    try:
        rows = CodeGroup.objects.filter(pk=UUID(group_id), archived_at=None)
    except ValueError:
        return None
    return rows.values_list("version", flat=True).first()
