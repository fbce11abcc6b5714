"""What changed since the last look: events behind the cursor, and touches not yet taken.

Members are worked out from what stands now, so an event that is read twice does no harm and one
that is read early does none either. Only skipping one would, so the cursor moves no further than
the oldest transaction that may still write (audit.settled); what was read beyond it is remembered
by number, and no long transaction keeps anybody waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts import tenancy
from contacts.segments import kinds as names
from contacts.segments.live.models import Feed, Touch
from crypto.rows import binary_cursor

LOOK: Final = 6_000
"""Rows read at one look."""
MAX_AHEAD: Final = 20_000

RECORD: Final = ("contact.", "list.", "consent.")
"""Kinds that say something of the record, of a list or of consent, whoever asks for them."""

_POSITION = "(e.txid, e.id) > (%b::text::xid8, %b::int8) AND NOT (e.id = ANY(%b::int8[]))"
_OF_INTEREST = (
    "(%b::text[] IS NULL OR e.kind = ANY(%b::text[]) OR e.kind LIKE ANY(%b::text[])"
    " OR e.kind LIKE 'contact.%%' OR e.kind LIKE 'list.%%' OR e.kind LIKE 'consent.%%')"
    " AND NOT (e.kind LIKE 'segment.%%' AND NOT coalesce(e.kind = ANY(%b::text[]), false))"
)
_READ = f"""
SELECT e.id, e.txid::text::int8, e.contact_id, e.kind, e.campaign, e.properties
FROM contacts_event e
WHERE e.organisation_id = %b AND {_POSITION} AND {_OF_INTEREST}
ORDER BY e.txid, e.id LIMIT %b
"""
_ANYTHING = f"""
SELECT EXISTS (SELECT FROM contacts_event e
               WHERE e.organisation_id = %b AND {_POSITION} AND {_OF_INTEREST})
    OR EXISTS (SELECT FROM contacts_touch WHERE organisation_id = %b AND NOT taken)
"""
_AWAITED = f"""
SELECT e.contact_id FROM contacts_event e
WHERE e.organisation_id = %b AND {_POSITION} AND {_OF_INTEREST} AND e.contact_id = ANY(%b::int8[])
UNION SELECT contact_id FROM contacts_touch
WHERE organisation_id = %b AND NOT taken AND contact_id = ANY(%b::int8[])
"""
_TAKE = """
UPDATE contacts_touch SET taken = true
WHERE id IN (SELECT id FROM contacts_touch
             WHERE organisation_id = %b AND NOT taken ORDER BY id LIMIT %b)
RETURNING contact_id, what
"""
_SINCE = """
SELECT DISTINCT contact_id FROM (
    SELECT contact_id, txid FROM contacts_event e
    WHERE e.organisation_id = %(o)s AND e.txid >= pg_snapshot_xmin(%(s)s::pg_snapshot)
      AND (e.kind NOT LIKE 'segment.%%' OR e.kind = ANY(%(kinds)s))
    UNION ALL
    SELECT contact_id, txid FROM contacts_touch t
    WHERE t.organisation_id = %(o)s AND t.txid >= pg_snapshot_xmin(%(s)s::pg_snapshot)
) AS changed
WHERE NOT pg_visible_in_snapshot(txid, %(s)s::pg_snapshot) AND txid::text <> %(own)s
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of the feed."""

    id: int
    txid: int
    contact_id: int
    kind: str
    campaign: UUID | None
    properties: bytes | None


@dataclass(slots=True)
class Look:
    """What one look found. `full` says that there is more."""

    events: list[Happened] = field(default_factory=list)
    touches: list[tuple[int, str]] = field(default_factory=list)
    horizon: int = 0
    full: bool = False

    def __bool__(self) -> bool:
        return bool(self.events or self.touches)

    @property
    def contact_ids(self) -> set[int]:
        return {one.contact_id for one in self.events} | {one for one, _ in self.touches}


@dataclass(frozen=True, slots=True)
class Instant:
    """What could be seen at one moment; `own` is the transaction that the moment lay in."""

    snapshot: str
    own: str


def enter() -> Feed | None:
    """Take the organisation's feed for this transaction; None where somebody else has it."""
    organisation_id = tenancy.current()
    mine = Feed.objects.select_for_update(skip_locked=True)
    found = mine.filter(organisation_id=organisation_id).first()
    if found is None and not Feed.objects.filter(organisation_id=organisation_id).exists():
        begin()
        found = mine.filter(organisation_id=organisation_id).first()
    return found


def wait() -> Feed:
    """Take the organisation's feed, however long another has it."""
    begin()
    return Feed.objects.select_for_update().get(organisation_id=tenancy.current())


def begin() -> None:
    """Start at what is there now: segments that are new are evaluated as a whole anyway."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_feed"
            " (organisation_id, txid, event_id, ahead, ahead_txids, mark)"
            " SELECT %s, pg_snapshot_xmin(pg_current_snapshot())::text::int8, 0, '{}', '{}', ''"
            " ON CONFLICT DO NOTHING",
            [tenancy.current()],
        )


def anything(kinds: Sequence[str] | None) -> bool:
    """Say, with one statement and no lock, whether there is something to follow."""
    feed = Feed.objects.filter(organisation_id=tenancy.current()).first()
    if feed is None:
        return True
    with binary_cursor() as cursor:
        cursor.execute(_ANYTHING.encode(), [*_where(feed, kinds), tenancy.current()])
        row = cursor.fetchone()
    return bool(row and row[0])


def awaited(feed: Feed, kinds: Sequence[str] | None, contact_ids: Sequence[int]) -> set[int]:
    """Those of these contacts whose change no follower has come to yet. Hold the feed."""
    ids = list(contact_ids)
    with binary_cursor() as cursor:
        cursor.execute(_AWAITED.encode(), [*_where(feed, kinds), ids, tenancy.current(), ids])
        return {row[0] for row in cursor.fetchall()}


def read(feed: Feed, kinds: Sequence[str] | None, *, limit: int = LOOK) -> Look:
    """Read on behind the cursor, and take the touches."""
    with binary_cursor() as cursor:
        # Before the events are read: whoever is below this has ended, and is seen by the next
        # statement.
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::int8")
        (horizon,) = cursor.fetchone() or (0,)
        cursor.execute(_READ.encode(), [*_where(feed, kinds), limit])
        rows = [Happened(*row) for row in cursor.fetchall()]
        cursor.execute(_TAKE.encode(), [tenancy.current(), limit])
        touches = [(contact_id, what) for contact_id, what in cursor.fetchall()]
    return Look(rows, touches, horizon, len(rows) >= limit or len(touches) >= limit)


def advance(feed: Feed, look: Look, *, mark: bytes, now: datetime) -> None:
    """Remember what was followed, in the transaction that followed it."""
    reached = (max(look.horizon, feed.txid), 0)
    if len(look.events) and look.full:
        last = look.events[-1]
        reached = min(reached, (last.txid, last.id))
    reached = max(reached, (feed.txid, feed.event_id))
    read_by_now = [
        *zip(feed.ahead_txids, feed.ahead, strict=True),
        *((one.txid, one.id) for one in look.events),
    ]
    ahead = [pair for pair in read_by_now if pair > reached][-MAX_AHEAD:]
    feed.txid, feed.event_id = reached
    feed.ahead_txids, feed.ahead = [txid for txid, _ in ahead], [number for _, number in ahead]
    feed.mark = mark
    if not look.full:
        feed.followed_at = now
    feed.save()


def instant(*, alone: bool) -> Instant:
    """Return what can be seen now. `alone`: this transaction ends before anything is evaluated."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text, pg_current_xact_id_if_assigned()::text")
        snapshot, own = cursor.fetchone()
    return Instant(snapshot, "" if alone or own is None else own)


def changed_since(then: Instant, kinds: Sequence[str]) -> set[int]:
    """Whose change could not be seen then: the followers answer for them.

    Members that come and go are no change to who does not ask for it; `kinds` are asked for.
    """
    with connection.cursor() as cursor:
        given: dict[str, Any] = {
            "o": tenancy.current(),
            "s": then.snapshot,
            "own": then.own,
            "kinds": list(kinds),
        }
        cursor.execute(_SINCE, given)
        return {row[0] for row in cursor.fetchall()}


def waiting_touches() -> int:
    return Touch.objects.filter(taken=False).count()


def _where(feed: Feed, kinds: Sequence[str] | None) -> list[Any]:
    """`kinds` are names or beginnings of names; None for every kind."""
    asked = None if kinds is None else list(kinds)
    begun = names.likes(kinds or ())
    place = [tenancy.current(), str(feed.txid), feed.event_id, list(feed.ahead)]
    return [*place, asked, asked, begun, asked]
