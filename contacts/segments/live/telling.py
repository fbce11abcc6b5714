"""What is said of members that changed: events, the day's figures, the count, the trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from accounts import tenancy
from accounts.models import Organisation
from audit import trail
from contacts import events
from contacts.segments.live.bits import Changed
from contacts.segments.models import Segment

AT_A_TIME: Final = 5_000

_DAY = """
INSERT INTO contacts_segmentcount (organisation_id, segment_id, day, entered, "left", count)
SELECT %(o)s, segment_id, %(day)s, entered, went, s.count
FROM unnest(%(ids)s::uuid[], %(entered)s::int8[], %(went)s::int8[])
    AS u (segment_id, entered, went)
JOIN contacts_segment s ON s.id = u.segment_id
ON CONFLICT (segment_id, day) DO UPDATE SET
    entered = contacts_segmentcount.entered + excluded.entered,
    "left" = contacts_segmentcount."left" + excluded."left",
    count = excluded.count
"""
_COUNTED = """
UPDATE contacts_segment s SET count = s.count + u.more, counted_at = %(now)s
FROM unnest(%(ids)s::uuid[], %(more)s::int8[]) AS u (id, more)
WHERE s.id = u.id AND s.count IS NOT NULL
"""


def tell(changed: Mapping[UUID, Changed], *, contacts: int, now: datetime) -> None:
    """Say what a batch of changes did to the members of these segments."""
    if not changed:
        return
    announce(changed, now=now)
    ids = sorted(changed)
    # Locked in one order, or two transactions that change many segments could wait for each other.
    list(Segment.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    more = [len(changed[one].entered) - len(changed[one].left) for one in ids]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"ids": ids, "more": more, "now": now})
    of_day(changed, now=now)
    trail.record(
        "segment.followed",
        detail={
            "contacts": contacts,
            "segments": len(changed),
            "entered": sum(len(one.entered) for one in changed.values()),
            "left": sum(len(one.left) for one in changed.values()),
        },
    )


def announce(changed: Mapping[UUID, Changed], *, now: datetime) -> None:
    """Write `segment.left` and `segment.entered`, thousands with each statement."""
    batch: list[events.NewEvent] = []
    for event in _events(changed, now):
        batch.append(event)
        if len(batch) == AT_A_TIME:
            events.write_own(batch, now=now)
            batch = []
    events.write_own(batch, now=now)


def of_day(changed: Mapping[UUID, Changed], *, now: datetime) -> None:
    """Add to the day's figures, by the organisation's calendar; nothing happened is a day too."""
    zone = Organisation.objects.get(pk=tenancy.current()).zone
    ids = sorted(changed)
    with connection.cursor() as cursor:
        cursor.execute(
            _DAY,
            {
                "o": tenancy.current(),
                "day": now.astimezone(zone).date(),
                "ids": ids,
                "entered": [len(changed[one].entered) for one in ids],
                "went": [len(changed[one].left) for one in ids],
            },
        )


def _events(changed: Mapping[UUID, Changed], now: datetime) -> Iterator[events.NewEvent]:
    for segment, who in changed.items():
        for kind, ids in (("segment.left", who.left), ("segment.entered", who.entered)):
            for one in ids:
                yield events.NewEvent(
                    contact_id=one,
                    kind=kind,
                    occurred_at=now,
                    source="segments",
                    campaign=segment,
                )
