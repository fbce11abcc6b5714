"""What happened to contacts: append-only rows, written in batches, each idempotency key once.

Events may come late and come twice; both are normal. A key that returns with another body is a
conflict and nothing of its batch is written. Properties are sealed under the contact's own data
key, so that erasing the person erases them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import compress
from typing import Any
from uuid import UUID

import msgpack
import msgspec
from django.db import connection, transaction

from accounts import tenancy
from contacts.models import organisation_of
from contacts.segments.live import wake
from crypto import blind_index, data_keys
from crypto.rows import Bigints, Digests, Insert, Moments, binary_cursor, insert_rows
from crypto.seal import Context, seal, unseal

TABLE = "contacts_event"
MAX_BATCH = 1_000
MAX_PROPERTIES = 8_192
AHEAD = timedelta(minutes=10)
"""How far a source's clock may run ahead of ours."""

_KIND = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event to append. `key` is the sender's idempotency key; None for our own events.

    A struct, which is made in a tenth of a dataclass's time: thousands come with each batch.
    """

    contact_id: int
    kind: str
    occurred_at: datetime
    source: str = ""
    key: str | None = None
    campaign: UUID | None = None
    message_id: int | None = None
    link: str = ""
    machine: bool = False
    properties: Mapping[str, Any] | None = None
    through: int | None = None
    """The contact that was named, where it was merged into `contact_id` (contacts.merge)."""


@dataclass(frozen=True, slots=True)
class Appended:
    """`repeated` are the places of those known already."""

    accepted: int
    duplicates: int
    repeated: tuple[int, ...] = ()


class EventRefused(ValueError):
    """An event cannot be stored. Names its place in the batch and the field, never a value."""

    def __init__(self, position: int, field: str, reason: str) -> None:
        super().__init__(f"event {position + 1}: {field} {reason}")
        self.position = position
        self.field = field
        self.reason = reason


class KeyConflict(ValueError):
    """An idempotency key was used before for another event; nothing of the batch was written."""

    def __init__(self, positions: Sequence[int]) -> None:
        places = ", ".join(str(place + 1) for place in positions[:20])
        super().__init__(f"{self.__doc__} Events {places}.")
        self.positions = tuple(positions)


def append(
    events: Sequence[NewEvent],
    *,
    now: datetime,
    keep_first: bool = False,
    within: Callable[[Appended], None] | None = None,
) -> Appended:
    """Write the events, each key once, in one transaction.

    With `keep_first` a key that returns with another body is a repeat, not a conflict: for our own
    keys, which name a fact rather than a request. `within` is called with the outcome before the
    transaction ends, for what must be written with the events or not at all.
    """
    with transaction.atomic():
        appended = append_here(events, now=now, keep_first=keep_first)
        if within is not None:
            within(appended)
    return appended


@lru_cache(maxsize=1_000)
def is_kind(kind: str) -> bool:
    """Say whether this may be an event's kind; few kinds come again and again."""
    return len(kind) <= 60 and _KIND.fullmatch(kind) is not None


def _check(event: NewEvent, place: int, organisation_id: int, now: datetime) -> None:
    """Refuse what cannot be stored; ids carry their organisation, so no row need be read."""
    if organisation_of(event.contact_id) != organisation_id:
        raise EventRefused(place, "contact", "is not a contact of this organisation")
    if not is_kind(event.kind):
        raise EventRefused(place, "kind", "must be a-z, 0-9, _ and dots, at most 60 characters")
    if event.key is not None and not 0 < len(event.key) <= 200:
        raise EventRefused(place, "key", "must have 1 to 200 characters")
    if event.occurred_at.tzinfo is None or event.occurred_at < _EARLIEST:
        raise EventRefused(place, "occurred_at", "must be a time with its zone, after 1900")
    if event.occurred_at > now + AHEAD:
        raise EventRefused(place, "occurred_at", "lies in the future")
    if len(event.source) > 200 or len(event.link) > 100:
        raise EventRefused(place, "source or link", "is too long")


def append_here(events: Sequence[NewEvent], *, now: datetime, keep_first: bool = False) -> Appended:
    """Do the same in the caller's transaction."""
    organisation_id = tenancy.current()
    for place, event in enumerate(events):
        _check(event, place, organisation_id, now)
    if all(event.key is None for event in events):
        write_own(events, now=now)
        return Appended(len(events), 0)
    return _append_keyed(organisation_id, events, now, keep_first=keep_first)


def _append_keyed(
    organisation_id: int, events: Sequence[NewEvent], now: datetime, *, keep_first: bool
) -> Appended:
    wake.soon()
    first, repeats = _each_key_once(organisation_id, events, keep_first=keep_first)
    fresh = [events[place] for place, _, _ in first]
    keys = [key for _, key, _ in first]
    rows = _Rows(fresh, _sealed_properties(organisation_id, fresh))
    hashes = [_digests(keys), Digests([body for _, _, body in first])]
    with binary_cursor() as cursor:
        cursor.execute(
            _append(rows.varies),
            [*rows.once, *hashes, *rows.by_row, *(organisation_id, now) * 2],
            prepare=True,
        )
        refused = {bytes(row[0]) for row in cursor.fetchall()}
    used = {key: (place, body) for place, key, body in first if key in refused and key}
    if not keep_first:
        _refuse_conflicts(organisation_id, used)
    known = [*repeats, *(place for place, _ in used.values())]
    return Appended(len(first) - len(used), len(known), tuple(sorted(known)))


def _digests(keys: Sequence[bytes | None]) -> Digests | list[bytes | None]:
    given = [key for key in keys if key is not None]
    return Digests(given) if len(given) == len(keys) else list(keys)


_SENT: Mapping[str, str] = {
    "contact_id": "int8",
    "kind": "text",
    "occurred_at": "timestamptz",
    "source": "text",
    "campaign": "uuid",
    "message_id": "int8",
    "link": "text",
    "machine": "bool",
    "through": "int8",
    "properties": "bytea",
}


class _Rows:
    """Events by column. What all of them have in common travels once."""

    def __init__(self, events: Sequence[NewEvent], sealed: Sequence[bytes | None]) -> None:
        columns: list[Sequence[Any]] = [
            [getattr(event, name) for event in events] for name in list(_SENT)[:-1]
        ]
        columns.append(sealed)
        self.varies = tuple(column.count(column[0]) < len(column) for column in columns)
        self.once = [
            column[0] for column, varies in zip(columns, self.varies, strict=True) if not varies
        ]
        self.by_row = [_array(column) for column in compress(columns, self.varies)]


def _array(column: Sequence[Any]) -> Any:
    """Return the column in the form that travels fastest."""
    kinds = set(map(type, column))
    if kinds == {datetime}:
        return Moments(column)
    return Bigints(column) if kinds == {int} else list(column)


@lru_cache(maxsize=128)
def _append(varies: tuple[bool, ...]) -> bytes:
    """Return one statement for one round trip, given which columns differ from row to row.

    The keys that nobody used are taken, and only their events are written; an event without a key
    is always written. The answer is the keys that were used before.
    """
    once = [
        f"%b::{kind} AS {name}"
        for (name, kind), by_row in zip(_SENT.items(), varies, strict=True)
        if not by_row
    ]
    by_row = dict(compress(_SENT.items(), varies))
    arrays = "".join(f", %b::{kind}[]" for kind in by_row.values())
    names = "".join(f", {name}" for name in by_row)
    every = ", ".join(_SENT)
    return f"""
WITH given AS MATERIALIZED (
    SELECT {"".join(f"{one}, " for one in once)}g.*
    FROM unnest(%b::bytea[], %b::bytea[]{arrays}) AS g (key_hash, body_hash{names})
), taken AS (
    INSERT INTO contacts_eventkey (organisation_id, key_hash, body_hash, received_at)
    SELECT %b::int4, key_hash, body_hash, %b::timestamptz FROM given WHERE key_hash IS NOT NULL
    ORDER BY key_hash
    ON CONFLICT DO NOTHING RETURNING key_hash
), written AS (
    INSERT INTO {TABLE} (organisation_id, received_at, {every})
    SELECT %b::int4, %b::timestamptz, {every}
    FROM given WHERE key_hash IS NULL OR key_hash IN (SELECT key_hash FROM taken)
)
SELECT key_hash FROM given
WHERE key_hash IS NOT NULL AND key_hash NOT IN (SELECT key_hash FROM taken)
""".encode()


def _each_key_once(
    organisation_id: int, events: Sequence[NewEvent], *, keep_first: bool
) -> tuple[list[tuple[int, bytes | None, bytes]], list[int]]:
    """Return (place, key hash, body hash) of each key's first event, and who repeats one."""
    keys = iter(blind_index.tokens(organisation_id, "event_key", [e.key for e in events if e.key]))
    bodies = blind_index.tokens(organisation_id, "event_body", [_body(e) for e in events])
    seen: dict[bytes, bytes] = {}
    first: list[tuple[int, bytes | None, bytes]] = []
    repeats, conflicts = [], []
    for place, (event, body) in enumerate(zip(events, bodies, strict=True)):
        key = next(keys) if event.key else None
        if key is None or key not in seen:
            first.append((place, key, body))
        elif seen[key] != body and not keep_first:
            conflicts.append(place)
        else:
            repeats.append(place)
        if key is not None:
            seen.setdefault(key, body)
    if conflicts:
        raise KeyConflict(conflicts)
    return first, repeats


def _body(event: NewEvent) -> str:
    properties = event.properties and sorted(event.properties.items())
    named = event.through or event.contact_id  # so that a repeat is one before and after a merge
    return repr((
        named, event.kind, event.occurred_at.timestamp(), event.source,
        event.campaign and event.campaign.hex, event.message_id, event.link, event.machine,
        properties,
    ))  # fmt: skip


def _refuse_conflicts(organisation_id: int, used: Mapping[bytes, tuple[int, bytes]]) -> None:
    if not used:
        return
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT key_hash, body_hash FROM contacts_eventkey"
            " WHERE organisation_id = %b AND key_hash = ANY(%b::bytea[])",
            [organisation_id, list(used)],
        )
        stored = {bytes(key): bytes(body) for key, body in cursor.fetchall()}
    conflicts = [place for key, (place, body) in used.items() if stored.get(key) != body]
    if conflicts:
        raise KeyConflict(sorted(conflicts))


def write_own(events: Sequence[NewEvent], *, now: datetime, insert: Insert = insert_rows) -> None:
    """Write events that have no key in the caller's transaction."""
    if not events:
        return
    wake.soon()
    organisation_id = tenancy.current()
    sealed = _sealed_properties(organisation_id, events)
    insert(
        TABLE,
        (
            "organisation_id", "contact_id", "kind", "occurred_at", "received_at", "source",
            "campaign", "message_id", "link", "machine", "through", "properties",
        ),
        (
            "int4", "int8", "text", "timestamptz", "timestamptz", "text",
            "uuid", "int8", "text", "bool", "int8", "bytea",
        ),
        (
            (
                organisation_id, event.contact_id, event.kind, event.occurred_at, now,
                event.source, event.campaign, event.message_id, event.link, event.machine,
                event.through, properties,
            )
            for event, properties in zip(events, sealed, strict=True)
        ),
    )  # fmt: skip


def _sealed_properties(organisation_id: int, events: Sequence[NewEvent]) -> list[bytes | None]:
    """Seal each event's properties; those of an erased contact are dropped with its key."""
    wanted = {event.contact_id for event in events if event.properties}
    if not wanted:
        return [None] * len(events)
    keys = data_keys.load(organisation_id, list(wanted))
    return [
        seal(keys[event.contact_id], _packed(event, place), context=_context(event.contact_id))
        if event.properties and event.contact_id in keys
        else None
        for place, event in enumerate(events)
    ]


def _packed(event: NewEvent, place: int) -> bytes:
    try:
        packed: bytes = msgpack.packb(event.properties)
    except (TypeError, ValueError, OverflowError):
        raise EventRefused(place, "properties", "must be plain JSON") from None
    if len(packed) > MAX_PROPERTIES:
        raise EventRefused(place, "properties", f"take more than {MAX_PROPERTIES} bytes")
    return packed


def open_properties(contact_id: int, sealed: bytes, *, key: bytes) -> dict[str, Any]:
    """Return the properties of an event, given the contact's data key."""
    found: dict[str, Any] = msgpack.unpackb(unseal(key, sealed, context=_context(contact_id)))
    return found


def _context(contact_id: int) -> Context:
    """An event has no number before it is written, so its properties are bound to the person."""
    return Context(organisation_of(contact_id), TABLE, contact_id, "properties")


def ensure_partitions(*, now: datetime, months: int = 6) -> int:
    """Make the monthly partitions from last month to `months` ahead; return how many were made.

    A function of the database's owner does it: the application's role may not create tables.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT contacts_ensure_partitions(%s::date, %s)", [now.date(), months])
        return int(cursor.fetchone()[0])


def resealed(sealed: bytes, *, before: int, after: int, keys: Mapping[int, bytes]) -> bytes:
    """Return properties as sealed for another contact: a merged person's events change hands."""
    opened = unseal(keys[before], sealed, context=_context(before))
    return seal(keys[after], opened, context=_context(after))
