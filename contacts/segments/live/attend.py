"""Which segments await a whole evaluation, and since when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from accounts import tenancy
from contacts.segments.live.models import Following

PATIENCE: Final = timedelta(minutes=1)
"""How long a bulk change waits for an import to end."""

_WANT = """
INSERT INTO contacts_following
    (organisation_id, segment_id, wanted, done, since, may_wait, rests_on, meaning, drifted)
SELECT %(o)s, one, 1, 0, %(now)s, %(may_wait)s, '{}', '', 0 FROM unnest(%(ids)s::uuid[]) AS one
ORDER BY one
ON CONFLICT (segment_id) DO UPDATE SET
    wanted = contacts_following.wanted + 1,
    since = CASE WHEN contacts_following.wanted > contacts_following.done
                 THEN contacts_following.since ELSE excluded.since END,
    may_wait = excluded.may_wait AND (contacts_following.may_wait
                                      OR contacts_following.wanted = contacts_following.done)
"""
_ADOPT = """
INSERT INTO contacts_following
    (organisation_id, segment_id, wanted, done, since, may_wait, rests_on, meaning, drifted)
SELECT organisation_id, id, 1, 0, %s, false, '{}', '', 0 FROM contacts_segment s
WHERE archived_at IS NULL
  AND NOT EXISTS (SELECT FROM contacts_following f WHERE f.segment_id = s.id)
ON CONFLICT DO NOTHING
"""


def want(segment_ids: Collection[UUID], *, now: datetime, may_wait: bool = False) -> None:
    """Have the segments evaluated as a whole; one that runs already is followed by another."""
    if not segment_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _WANT,
            {
                "o": tenancy.current(),
                "ids": list(segment_ids),
                "now": now,
                "may_wait": may_wait,
            },
        )


def want_resting_on(what: str, *, now: datetime) -> None:
    """The same for the segments that ask for this, where it is not known for whom it changed."""
    asking = Following.objects.filter(rests_on__contains=[what], segment__archived_at=None)
    want(list(asking.values_list("pk", flat=True)), now=now, may_wait=True)


def adopt(*, now: datetime) -> None:
    """Take in the segments that nobody has attended to yet."""
    with connection.cursor() as cursor:
        cursor.execute(_ADOPT, [now])


def due(*, now: datetime, importing: bool) -> list[UUID]:
    """The segments whose whole evaluation is due, those that waited longest first."""
    asked = Q(wanted__gt=F("done"))
    if importing:
        asked &= Q(may_wait=False) | Q(since__lte=now - PATIENCE)
    rows = Following.objects.filter(
        asked | Q(next_at__lte=now), segment__archived_at=None, segment__status="valid"
    )
    return [row.pk for row in sorted(rows, key=lambda row: _waiting_since(row, now))]


def _waiting_since(row: Following, now: datetime) -> datetime:
    moments = [row.since if row.wanted > row.done else None, row.next_at]
    return min((moment for moment in moments if moment is not None), default=now)


def freeze(segment_ids: Iterable[UUID], *, now: datetime) -> None:
    """Remember since when these broken segments' members stay as they were."""
    ids = list(segment_ids)
    adopt(now=now)
    Following.objects.filter(pk__in=ids, frozen_at=None).update(frozen_at=now)


def thaw(segment_ids: Iterable[UUID], *, now: datetime) -> None:
    """Have repaired segments catch up with one whole evaluation."""
    ids = list(segment_ids)
    want(ids, now=now)
    Following.objects.filter(pk__in=ids).update(frozen_at=None)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a segment comes to now: a hash of it, and what it asks that is not always told."""

    token: bytes
    rests_on: tuple[str, ...]


def note(meanings: Mapping[UUID, Meaning], *, now: datetime) -> None:
    """Have evaluated as a whole whatever means something else than before."""
    adopt(now=now)
    stands = Following.objects.in_bulk(list(meanings))
    other = [one for one, row in stands.items() if bytes(row.meaning) != meanings[one].token]
    for one in other:
        row = stands[one]
        row.meaning, row.rests_on = meanings[one].token, list(meanings[one].rests_on)
    Following.objects.bulk_update([stands[one] for one in other], ["meaning", "rests_on"])
    want(other, now=now)


def plain(value: object) -> object:
    """A definition as nested lists in one order: equal where it means the same."""
    if is_dataclass(value):
        known = [plain(getattr(value, one.name)) for one in fields(value) if one.compare]
        return [type(value).__name__, *known]
    if isinstance(value, frozenset | set):
        return sorted((plain(one) for one in value), key=repr)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return repr(value)
