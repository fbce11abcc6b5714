"""One segment evaluated over everybody: when it is new, edited, repaired, or after a bulk change.

    a) note what can be seen now, while no follower is at work
    b) evaluate, without holding anybody up
    c) with the feed in hand: write who is in, except for contacts whose change could not be seen
       at (a); the followers have answered for those since, or will

So neither a change that comes in meanwhile nor one that was followed meanwhile is undone, and a
crash anywhere leaves the segment due.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from django.db import connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit import trail
from contacts.models import BLOCK_SIZE, ImportRun, ordinal_of
from contacts.segments import catalogue, evaluate, references
from contacts.segments.arrays import Ints
from contacts.segments.definition import Definition
from contacts.segments.live import attend, bits, feed, foresight, index, telling, wake
from contacts.segments.live.bits import NOBODY, Changed
from contacts.segments.live.models import Feed, Following
from contacts.segments.models import Segment

AT_A_TIME: Final = 20
CONFIRM: Final = timedelta(minutes=2)
"""A segment that asks what is told only where somebody asks is evaluated again after so long: who
was at work when it was made did not know yet that it would be asked."""


def refresh(segment: Segment, *, now: datetime) -> Changed:
    """Bring the members up to date and tell who changed; nothing changes for a broken segment."""
    with _alone(segment.id) as mine:
        definition = catalogue.check(segment) if mine else None
        if definition is None:
            return NOBODY
        attend.adopt(now=now)
        return _refresh(segment, definition, now=now)


def refresh_due(*, now: datetime, limit: int = AT_A_TIME) -> int:
    """Evaluate the segments that waited longest; return how many."""
    attend.adopt(now=now)
    refreshed = 0
    for segment_id in attend.due(now=now, importing=importing()):
        if refreshed >= limit:
            break
        segment = Segment.objects.filter(pk=segment_id, archived_at=None).first()
        if segment is not None:
            refresh(segment, now=now)
            refreshed += 1
    return refreshed


def importing() -> bool:
    """Whether an import is bringing contacts in, or taking them back, just now."""
    return ImportRun.objects.filter(state__in=("running", "undoing")).exists()


@dataclass(frozen=True, slots=True)
class _Evaluated:
    """What an evaluation found, to be written with the feed in hand."""

    ordinals: Ints
    asked: int
    then: feed.Instant
    clock: foresight.Clock
    next_at: datetime
    moved: list[tuple[int, int]] | None
    kinds: frozenset[str]
    """The kinds of events that the segment asks for."""

    @property
    def until(self) -> datetime:
        return self.next_at + foresight.SPARE


def _refresh(segment: Segment, definition: Definition, *, now: datetime) -> Changed:
    found = _evaluated(segment, definition, now=now)
    with transaction.atomic():
        held = feed.wait()
        locked = Segment.objects.select_for_update().get(pk=segment.pk)
        if locked.version != segment.version or locked.archived_at is not None:
            return NOBODY  # it was edited meanwhile: the edit has made it due again
        unseen = feed.changed_since(found.then, sorted(found.kinds))
        since = np.array([ordinal_of(one) for one in unseen], np.int64)
        changed = bits.replace(segment.id, found.ordinals, apart_from=since)
        count = len(bits.members(segment.id))
        Segment.objects.filter(pk=segment.pk).update(refreshed_at=now, count=count, counted_at=now)
        telling.announce({segment.id: changed}, now=now)
        telling.of_day({segment.id: changed}, now=now)
        drifted = _settle(segment.id, found, changed, held, now=now)
        if changed:
            _record(segment, changed, count, drifted)
            wake.soon()
    return changed


def _evaluated(segment: Segment, definition: Definition, *, now: datetime) -> _Evaluated:
    then, asked = _note(segment.id)
    zoned = now.astimezone(Organisation.objects.get(pk=tenancy.current()).zone)
    clock = foresight.clock(definition)
    next_at = foresight.next_whole(clock, segment.id, now=zoned)
    found = evaluate.members(definition, now=now)
    moved = _moved(clock, now=zoned, until=next_at + foresight.SPARE)
    kinds = references.dependencies(definition).event_kinds
    return _Evaluated(found.ordinals, asked, then, clock, next_at, moved, kinds)


def _settle(
    segment_id: UUID, found: _Evaluated, changed: Changed, held: Feed, *, now: datetime
) -> int:
    """Write what the segment needs next; return how many members had drifted."""
    following = Following.objects.get(pk=segment_id)
    drifted = _drifted(following, found, changed, held)
    foresight.clear_past(segment_id, now=now)
    if found.moved is not None:
        foresight.write_down({segment_id: found.moved}, now=now, until={segment_id: found.until})
    before_done = following.done
    following.done, following.whole_at, following.next_at = found.asked, now, found.next_at
    if following.rests_on and before_done < found.asked:
        following.next_at = min(following.next_at, now + CONFIRM)
    following.foreseen_until = None if found.moved is None else found.until
    following.frozen_at = None
    following.drifted += drifted
    following.save(
        update_fields=["done", "whole_at", "next_at", "foreseen_until", "frozen_at", "drifted"]
    )
    return drifted


def _note(segment_id: UUID) -> tuple[feed.Instant, int]:
    """Return what can be seen now, and how often the segment was wanted until now."""
    inside = connection.in_atomic_block
    with transaction.atomic():
        feed.wait()
        then = feed.instant(alone=not inside)
        asked = Following.objects.values_list("wanted", flat=True).get(pk=segment_id)
    return then, asked


def _moved(
    clock: foresight.Clock, *, now: datetime, until: datetime
) -> list[tuple[int, int]] | None:
    """Whom a moment until then may move, and at which second; None where none can."""
    soon = foresight.soon_moved(clock, now=now, until=until)
    if soon is None:
        return None
    ids = evaluate.members(soon, now=now).contact_ids()
    found: list[tuple[int, int]] = []
    for at in range(0, len(ids), BLOCK_SIZE):
        some = dict.fromkeys(ids[at : at + BLOCK_SIZE], clock.moments)
        for contact_id, times in foresight.instants(some, now=now).items():
            found += [(contact_id, second) for second in times.values()]
    return found


def _drifted(before: Following, found: _Evaluated, changed: Changed, held: Feed) -> int:
    """How many members were wrong although nothing had asked for this evaluation.

    A change that could be seen when it began, and that no follower had come to by its end, is not
    drift: here the evaluation was only the quicker one.
    """
    if before.whole_at is None or found.asked > before.done:
        return 0
    if found.clock.days or found.clock.unknown or not changed:
        return 0
    moved = [*changed.entered, *changed.left]
    _, known = index.current()
    return len(set(moved) - feed.awaited(held, index.kinds_read(known), moved))


def _record(segment: Segment, changed: Changed, count: int, drifted: int) -> None:
    """A refresh that changed nobody is not an act: it leaves no entry."""
    detail = {
        "entered": len(changed.entered),
        "left": len(changed.left),
        "count": count,
        "drifted": drifted,
    }
    trail.record("segment.refreshed", subject=f"segment:{segment.id}", detail=detail)


@contextmanager
def _alone(segment_id: UUID) -> Iterator[bool]:
    """Whether this process is the only one to evaluate the segment; the lock goes with its session.

    Inside somebody's transaction the lock is that transaction's.
    """
    key = segment_id.int % 2**63
    scope = "_xact" if connection.in_atomic_block else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory{scope}_lock(%s)", [key])
        (mine,) = cursor.fetchone()
    try:
        yield mine
    finally:
        if mine and not scope:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
