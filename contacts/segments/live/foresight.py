"""Whom time alone will move, and when.

Clauses about days change their answers at the organisation's midnight; clauses about moments, at
any second; a question of a higher floor, nobody here knows when. So a segment with a clock is
evaluated as a whole at midnight (every hour for questions of higher floors), and whoever may be
moved by a moment before the next time is written down with that second: sealed, an hour a row,
every hour having its row. Nothing is asked of anybody else meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from accounts import tenancy
from contacts import registry
from contacts.fields import Field, FieldType
from contacts.models import first_id, ordinal_of
from contacts.segments import building, flips, kinds, moments, opening
from contacts.segments.arrays import Ints
from contacts.segments.facts import Facts, Happening
from contacts.segments.live.models import Foreseen
from contacts.segments.moments import Relative, Start
from contacts.segments.nodes import (
    Age,
    Anniversary,
    Any_,
    Between,
    Clause,
    Count,
    Definition,
    Latest,
    Window,
    asked_of_events,
    walk_own,
)
from crypto import columns as sealing
from crypto.rows import binary_cursor, insert_rows

REPAIR: Final = timedelta(hours=24)
"""A segment without a clock is evaluated as a whole so often, to put right what drifted."""
ASKED_AGAIN: Final = flips.ASKED_AGAIN
SPARE: Final = timedelta(hours=1)
"""Foreseen beyond the next whole evaluation, which may be late."""
SMEAR: Final = timedelta(hours=2)
"""Where clocks change, a moving bound can step back by as much."""
_SMALLEST: Final = 64
"""Entries that an hour's row holds at least, nobody's among them."""
_ENTRY: Final = np.dtype([("ordinal", "<i8"), ("second", "<i8")])
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TABLE: Final = Foreseen._meta.db_table
_KEPT: Final = 16_384
_first_due: OrderedDict[bytes, int] = OrderedDict()
"""The earliest second of a row that this process has opened, by the head of its sealed form."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What of a definition moves with time."""

    days: bool = False
    moments: tuple[Clause, ...] = ()
    unknown: bool = False

    def __bool__(self) -> bool:
        return self.days or self.unknown or bool(self.moments)


def clock(definition: Definition) -> Clock:
    fields = registry.current()
    moving = [one for one in walk_own(definition.root) if flips.moves_with_time(one)]
    by_day = [one for one in moving if _by_day(one, fields)]
    by_moment = tuple(one for one in moving if one not in by_day and _by_moment(one))
    days = bool(by_day) or any(map(_has_start, by_moment))
    return Clock(days, by_moment, len(by_day) + len(by_moment) < len(moving))


def _by_day(clause: Clause, fields: Mapping[str, Field]) -> bool:
    if isinstance(clause, Age | Anniversary):
        return True
    if isinstance(clause, Between):
        return fields[clause.field].type is FieldType.DATE
    return isinstance(clause, Count | Latest) and fields[clause.field].type is FieldType.CODES


def _has_start(clause: Clause) -> bool:
    """Whether a stretch of the calendar begins or ends it: that is at a midnight."""
    if isinstance(clause, Between):
        return isinstance(clause.low, Start) or isinstance(clause.high, Start)
    windows = [such.window for such in asked_of_events(clause)]
    if isinstance(clause, Count | Latest):
        windows = [clause.where.window]
    return any(isinstance(one, Start) for each in windows for one in flips.relatives(each))


def _by_moment(clause: Clause) -> bool:
    known = isinstance(clause, Between | Count | Latest) or bool(asked_of_events(clause))
    return known and not flips.properties_move(clause)


def next_whole(clock: Clock, segment_id: UUID, *, now: datetime) -> datetime:
    """When the segment is evaluated as a whole next; `now` is in the organisation's zone."""
    spread = timedelta(seconds=segment_id.int % 3600)
    times = [now + REPAIR + spread]
    if clock:
        times.append(moments.start_of(now.date() + timedelta(days=1), now))
    if clock.unknown:
        times.append(now + ASKED_AGAIN)
    return min(at.astimezone(UTC) for at in times)


def soon_moved(clock: Clock, *, now: datetime, until: datetime) -> Definition | None:
    """A definition that holds for everyone whom a moment until then may move, and some more."""
    parts = [part for one in clock.moments for part in _near(one, now, until)]
    return Definition(Any_(tuple(parts)), None) if parts else None


def _near(clause: Clause, now: datetime, until: datetime) -> Iterable[Clause]:
    events = asked_of_events(clause)
    for such in events:
        for window in _bands(such.window, now, until):
            yield replace(such, low=1, high=None, window=window, where=None)
    if isinstance(clause, Count | Latest):
        for window in _bands(clause.where.window, now, until):
            yield Count(clause.field, replace(clause.where, window=window), low=1)
    elif isinstance(clause, Between):
        points = [point for point in (clause.low, clause.high) if isinstance(point, Relative)]
        for low, high in (_band(point, now, until) for point in points):
            yield Between(clause.field, low, high)


def _bands(window: Window, now: datetime, until: datetime) -> Iterable[Window]:
    for low, high in (_band(point, now, until) for point in _points(window)):
        yield Window(since=low, before=high)


def _band(point: Relative, now: datetime, until: datetime) -> tuple[datetime, datetime]:
    """What the point passes from now until then, and a little more."""
    ends = [
        moments.shift(at, point.count, point.unit) for at in (now, until.astimezone(now.tzinfo))
    ]
    return min(ends) - SMEAR, max(ends) + SMEAR


def _points(window: Window) -> list[Relative]:
    found = [point for point in (window.since, window.before) if isinstance(point, Relative)]
    if last := window.last:
        found += [Relative(-last.count, last.unit), Relative(0, last.unit)]
    if ahead := window.next:
        found += [Relative(ahead.count, ahead.unit), Relative(0, ahead.unit)]
    return found


def instants(
    asked: Mapping[int, Collection[Clause]], *, now: datetime
) -> dict[int, dict[Clause, int]]:
    """For each contact the next second at which each of these clauses may answer otherwise."""
    clauses = {clause for each in asked.values() for clause in each}
    facts = _facts(sorted(asked), clauses)
    found: dict[int, dict[Clause, int]] = {}
    for contact_id, mine in asked.items():
        known = facts.get(contact_id)
        if known is None:
            continue
        times = {clause: _next(clause, known, now) for clause in mine}
        found[contact_id] = {clause: at for clause, at in times.items() if at is not None}
    return found


def _next(clause: Clause, facts: Facts, now: datetime) -> int | None:
    ahead = [at for at in flips.candidates(clause, facts, now) if at > now]
    return None if not ahead else _second(min(ahead))


def _second(moment: datetime) -> int:
    """The first whole second not before the moment."""
    return -((_EPOCH - moment) // timedelta(seconds=1))


def _facts(ids: Sequence[int], clauses: Collection[Clause]) -> dict[int, Facts]:
    fields = registry.current()
    keys = {clause.field for clause in clauses if isinstance(clause, Between | Count | Latest)}
    names = {such.kind for clause in clauses for such in asked_of_events(clause)}
    values = opening.values_of(tenancy.current(), ids, keys) if keys else {one: {} for one in ids}
    events = _events(ids, names) if names else {}
    return {
        one: Facts(building.facts_values(held, fields), tuple(events.get(one, ())))
        for one, held in values.items()
    }


def _events(ids: Sequence[int], names: Collection[str]) -> Mapping[int, list[Happening]]:
    found: dict[int, list[Happening]] = defaultdict(list)
    test, values = kinds.test(names)
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT contact_id, kind, occurred_at, campaign, link, machine FROM contacts_event"
            f" WHERE organisation_id = %s AND contact_id = ANY(%s::int8[]) AND {test}".encode(),
            [tenancy.current(), list(ids), *values],
        )
        for contact_id, kind, at, campaign, link, machine in cursor.fetchall():
            found[contact_id].append(Happening(kind, at, campaign, link, machine))
    return found


def write_down(
    found: Mapping[UUID, Iterable[tuple[int, int]]],
    *,
    now: datetime,
    until: Mapping[UUID, datetime],
) -> None:
    """Add (contact, second) to the segments' hours. Every hour up to `until` has its row."""
    rows = []
    for segment, pairs in found.items():
        hours = range(_hour(now), _hour(until[segment]) + 1)
        given: dict[int, list[tuple[int, int]]] = {hour: [] for hour in hours}
        for contact_id, second in pairs:
            if second // 3600 in given:
                given[second // 3600].append((ordinal_of(contact_id), second))
        held = _open(segment, list(hours))
        for hour, more in given.items():
            version, before = held.get(hour, (0, np.empty(0, _ENTRY)))
            if version and not more:
                continue
            entries = np.unique(np.concatenate([before, np.array(more, _ENTRY)]))
            rows.append(_row(segment, hour, version + 1, entries))
    _store(rows)


def due(*, now: datetime) -> dict[UUID, set[int]]:
    """Return whom time moves by now, by segment; nothing is taken away."""
    second = int(now.timestamp())
    found: dict[UUID, set[int]] = {}
    for segment, hour in _rows_due(now):
        entries = _open(segment, [hour]).get(hour, (0, np.empty(0, _ENTRY)))[1]
        ids = entries["ordinal"][entries["second"] <= second] + first_id(tenancy.current())
        if len(ids):
            found.setdefault(segment, set()).update(ids.tolist())
    return found


def cross_out(segments: Iterable[UUID], *, now: datetime) -> None:
    """Take away what is due by now, in the transaction that worked it off."""
    second, rows = int(now.timestamp()), []
    for segment in segments:
        for hour, (version, entries) in _open(
            segment, range(_hour(now) - 30, _hour(now) + 1)
        ).items():
            later = entries[entries["second"] > second]
            if len(later) < len(entries):
                rows.append(_row(segment, hour, version + 1, later))
    _store(rows)


def clear_past(segment: UUID, *, now: datetime) -> None:
    """Take away the hours before this one: a whole evaluation has answered for them."""
    Foreseen.objects.filter(segment_id=segment, hour__lt=_hour(now)).delete()


def _rows_due(now: datetime) -> list[tuple[UUID, int]]:
    """The rows with somebody due. A row that this process opened is known by its sealed head."""
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT segment_id, hour, substr(payload, 1, 15) FROM {_TABLE}"
            " WHERE organisation_id = %b AND hour <= %b".encode(),
            [tenancy.current(), _hour(now)],
        )
        rows = cursor.fetchall()
    second = int(now.timestamp())
    unseen = [(segment, hour) for segment, hour, head in rows if bytes(head) not in _first_due]
    for segment, hour in unseen:
        _open(segment, [hour])
    return [
        (segment, hour) for segment, hour, head in rows if _first_due.get(bytes(head), 0) <= second
    ]


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // 3600


def _open(segment: UUID, hours: Collection[int]) -> dict[int, tuple[int, Ints]]:
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT hour, version, payload FROM {_TABLE}"
            " WHERE segment_id = %b AND hour = ANY(%b::int4[])".encode(),
            [segment, list(hours)],
        )
        rows = cursor.fetchall()
    found = {}
    for hour, version, payload in rows:
        opened = sealing.open_block(
            tenancy.current(), field=_field(segment), block=hour, version=version, payload=payload
        )
        entries = np.frombuffer(opened, _ENTRY)
        entries = entries[entries["second"] > 0]
        _remember(bytes(payload[:15]), entries)
        found[hour] = (version, entries)
    return found


def _remember(head: bytes, entries: Ints) -> None:
    _first_due[head] = int(entries["second"].min()) if len(entries) else 2**62
    while len(_first_due) > _KEPT:
        _first_due.popitem(last=False)


def _row(segment: UUID, hour: int, version: int, entries: Ints) -> tuple[object, ...]:
    size = _SMALLEST
    while size < len(entries):
        size *= 2
    padded = np.zeros(size, _ENTRY)
    padded[: len(entries)] = entries
    payload = sealing.seal_block(
        tenancy.current(),
        field=_field(segment),
        block=hour,
        version=version,
        payload=padded.tobytes(),
    )
    return (tenancy.current(), segment, hour, version, payload)


def _store(rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        insert_rows(
            _TABLE,
            ("organisation_id", "segment_id", "hour", "version", "payload"),
            ("int4", "uuid", "int4", "int4", "bytea"),
            rows,
            after="ON CONFLICT (segment_id, hour)"
            " DO UPDATE SET version = excluded.version, payload = excluded.payload",
        )


def _field(segment_id: UUID) -> str:
    return f"foreseen:{segment_id}"
