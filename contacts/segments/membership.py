"""Who is in a segment, and bringing that up to date. How it follows changes: `live`."""

from __future__ import annotations

from datetime import datetime

from contacts.segments.arrays import Ints
from contacts.segments.live import bits
from contacts.segments.live.bits import NOBODY, Changed
from contacts.segments.live.models import Feed, Following
from contacts.segments.live.whole import refresh, refresh_due
from contacts.segments.models import Segment

__all__ = ["NOBODY", "Changed", "as_of", "members", "refresh", "refresh_due"]


def members(segment: Segment) -> Ints:
    """Return the ordinals of those who are in, ascending."""
    return bits.members(segment.id)


def as_of(segment: Segment) -> datetime | None:
    """Return the moment for which members and count are true: None before the first evaluation.

    Members that are followed are true of the last look; those of a segment that is broken or
    awaits a whole evaluation, of when they were last written.
    """
    following = Following.objects.filter(pk=segment.pk).first()
    if following is None or following.frozen_at or following.wanted > following.done:
        return following.frozen_at or segment.counted_at if following else segment.counted_at
    feed = Feed.objects.filter(organisation_id=segment.organisation_id).first()
    looks = [segment.counted_at, feed.followed_at if feed else None]
    return max((look for look in looks if look is not None), default=None)
