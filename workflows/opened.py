"""Events whose properties decide: whom they let in, for which object, and what they end.

Only events of kinds that some workflow asks into are opened, with the keys of their contacts from
one query; nobody sees what is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from accounts import tenancy
from contacts.events import open_properties
from contacts.segments import catalogue, evaluate, semantics
from contacts.segments.definition import Definition
from contacts.segments.facts import Facts, Happening
from contacts.segments.reading import DefinitionInvalid
from crypto import data_keys
from crypto.rows import binary_cursor
from workflows import objects
from workflows.entry import Trigger
from workflows.versions import Published

HEARD = """
select id, contact_id, kind, occurred_at, properties from heard
where kind = any(%s) and not machine order by txid, id
"""
LET_IN = """
insert into workflows_enrolment
    (organisation_id, workflow_id, version_id, contact_id, occurrence, state, node, path,
     entered_at, arrived_at, due_at, waiting_for, outcome, object_at, object_told_at)
select %b, a.workflow_id, a.version_id, a.contact_id, a.occurrence, 'waiting', a.node, '{}',
       %b, %b, %b, '', '', a.object_at, a.told_at
from unnest(%b::uuid[], %b::uuid[], %b::int8[], %b::text[], %b::text[], %b::timestamptz[],
            %b::timestamptz[], %b::bool[], %b::interval[])
    as a (workflow_id, version_id, contact_id, occurrence, node, object_at, told_at, waits, period)
where not exists (
    select from workflows_enrolment e
    where e.workflow_id = a.workflow_id and e.contact_id = a.contact_id
      and (a.waits and e.state = 'waiting' or e.entered_at > %b::timestamptz - a.period)
)
on conflict (workflow_id, contact_id, occurrence) do nothing
"""
MOVE = """
update workflows_enrolment e
set object_at = a.object_at, object_told_at = a.told_at, due_at = least(e.due_at, %b)
from unnest(%b::uuid[], %b::int8[], %b::text[], %b::timestamptz[], %b::timestamptz[])
    as a (workflow_id, contact_id, occurrence, object_at, told_at)
where e.state = 'waiting' and e.workflow_id = a.workflow_id and e.contact_id = a.contact_id
  and e.occurrence = a.occurrence and e.object_at is distinct from a.object_at
  and (e.object_told_at is null or e.object_told_at <= a.told_at)
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """An event with its properties in the clear, for as long as this takes."""

    id: int
    contact_id: int
    happening: Happening

    def value(self, name: str) -> str:
        """Return the property as text; empty where there is none or it is no single value."""
        held: Any = self.happening.properties
        for part in name.split("."):
            held = held.get(part) if isinstance(held, dict) else None
        return "" if held is None or isinstance(held, dict | list) else str(held)


@dataclass(frozen=True, slots=True)
class _Entry:
    version: Published
    contact_id: int
    occurrence: str
    object_at: datetime | None
    told_at: datetime
    arrives: bool
    """False for an event that only moves who is inside."""


def kinds(published: Iterable[Published]) -> set[str]:
    """Return the kinds of event that must be opened for these versions."""
    found: set[str] = set()
    for one in published:
        trigger = one.graph.trigger
        if trigger.opens:
            found |= {trigger.event, *trigger.moved}
        if trigger.key:
            asked = {*trigger.stops, *(goal.event for goal in one.graph.goals())}
            found |= {kind for kind in asked if objects.is_about_one(kind)}
    return found


def read(wanted: set[str]) -> list[Opened]:
    """Open the events in hand that are of these kinds."""
    if not wanted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(HEARD, [sorted(wanted)])
        rows = cursor.fetchall()
    sealed = {contact_id for _, contact_id, _, _, properties in rows if properties}
    keys = data_keys.load(tenancy.current(), sealed) if sealed else {}
    return [
        Opened(id_, contact_id, Happening(kind, at, properties=_open(contact_id, held, keys)))
        for id_, contact_id, kind, at, held in rows
    ]


def _open(contact_id: int, held: Any, keys: dict[int, bytes]) -> dict[str, Any]:
    """A person who was erased has no key any more, and so no properties."""
    if not held or contact_id not in keys:
        return {}
    return open_properties(contact_id, bytes(held), key=keys[contact_id])


def let_in(live: Sequence[Published], events: Sequence[Opened], *, now: datetime) -> int:
    """Let in whom the events let in, and move the objects of who is inside; count who came."""
    entries = [entry for one in live for entry in _entries(one, events, now)]
    if not entries:
        return 0
    arriving = list({_place(one): one for one in reversed(entries) if one.arrives}.values())
    moved = {_place(one): one for one in sorted(entries, key=lambda one: one.told_at)}
    with binary_cursor() as cursor:
        cursor.execute(
            LET_IN.encode(), [tenancy.current(), now, now, now, *_columns(arriving), now]
        )
        entered = cursor.rowcount
        changes = [one for one in moved.values() if one.object_at is not None]
        if changes:
            cursor.execute(MOVE.encode(), [now, *_moves(changes)])
    return entered


def _place(one: _Entry) -> tuple[Any, int, str]:
    """Where again is not for each event, the first in hand is the one that lets in."""
    trigger = one.version.graph.trigger
    several = trigger.each or trigger.key
    return one.version.id, one.contact_id, one.occurrence if several else ""


def _columns(entries: Sequence[_Entry]) -> list[list[Any]]:
    triggers = [one.version.graph.trigger for one in entries]
    return [
        [one.version.workflow_id for one in entries],
        [one.version.id for one in entries],
        [one.contact_id for one in entries],
        [one.occurrence for one in entries],
        [one.version.first for one in entries],
        [one.object_at for one in entries],
        [one.told_at for one in entries],
        [each.after_leaving for each in triggers],
        [each.after or None for each in triggers],
    ]


def _moves(entries: Sequence[_Entry]) -> list[list[Any]]:
    return [
        [one.version.workflow_id for one in entries],
        [one.contact_id for one in entries],
        [one.occurrence for one in entries],
        [one.object_at for one in entries],
        [one.told_at for one in entries],
    ]


def _entries(version: Published, events: Sequence[Opened], now: datetime) -> Iterator[_Entry]:
    trigger = version.graph.trigger
    if not trigger.opens:
        return
    asked = definition(trigger)
    here = now.astimezone(evaluate.zone())
    for one in events:
        kind = one.happening.kind
        arrives = kind == trigger.event and _meant(asked, one, here)
        if not arrives and kind not in trigger.moved:
            continue
        occurrence = _occurrence(version, one)
        if occurrence is not None:
            at = moment(one.value(trigger.date)) if trigger.date else None
            told_at = one.happening.at
            yield _Entry(version, one.contact_id, occurrence, at, told_at, arrives)


def definition(trigger: Trigger) -> Definition | None:
    """Return the conditions on the event as the segment language reads them; None for none."""
    if not trigger.where:
        return None
    return catalogue.read({"event": trigger.event, "where": list(trigger.where)})


def _meant(asked: Definition | None, one: Opened, here: datetime) -> bool:
    if asked is None:
        return True
    try:
        return semantics.matches(asked, Facts(events=(one.happening,)), now=here)
    except DefinitionInvalid:
        return False


def _occurrence(version: Published, one: Opened) -> str | None:
    """Return what the entry is told apart by; None where the event names no object."""
    trigger = version.graph.trigger
    if trigger.key:
        key = one.value(trigger.key)
        return objects.occurrence(version.workflow_id, key) if key else None
    again = trigger.each or trigger.after_leaving or trigger.after
    return str(one.id) if again else ""


def moment(text: str) -> datetime | None:
    """Return the moment that a property says; without a zone it is the organisation's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    zone = evaluate.zone()
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
