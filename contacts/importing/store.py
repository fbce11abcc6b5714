"""Store a batch of people from a file or a feed: their facts, and what lately happened to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contacts import events, records
from contacts.events import NewEvent
from contacts.facts import HAPPENED
from contacts.records import Change, Journal, Outcome, Prepared

RECENT = timedelta(days=366)
"""What is older is a fact about the person, not news: no workflow should start from it."""

_APPOINTMENT_KINDS = {
    "booked": "appointment.booked",
    "pending": "appointment.booked",
    "cancelled": "appointment.cancelled",
    "fulfilled": "appointment.attended",
    "noshow": "appointment.missed",
}


def store(
    changes: Sequence[Change],
    *,
    now: datetime,
    run: UUID | None = None,
) -> Outcome:
    """Store the changes, and an event for each visit and appointment of the last year or ahead."""
    return store_prepared(records.prepare(changes, now=now), now=now, run=run)


def store_prepared(
    prepared: Prepared,
    *,
    now: datetime,
    run: UUID | None = None,
    may_create: bool = True,
    journal: Journal | None = None,
) -> Outcome:
    """Do the same with what was prepared before its turn."""
    outcome = records.store(prepared, now=now, run=run, may_create=may_create, journal=journal)
    news = [
        event
        for contact_id, origin, change in zip(
            outcome.contact_ids, outcome.origins, prepared.changes, strict=True
        )
        for event in happenings(contact_id, change, now=now, run=run, through=origin)
    ]
    for start in range(0, len(news), 5_000):
        events.append(news[start : start + 5_000], now=now, keep_first=True)
    return outcome


def happenings(
    contact_id: int,
    change: Change,
    *,
    now: datetime,
    run: UUID | None = None,
    through: int | None = None,
) -> Iterator[NewEvent]:
    """Yield what lately happened; the same item in the same state always has the same key."""
    visits, appointments = change.values.get("encounters"), change.values.get("appointments")
    for item in _recent(visits, now):
        if item.get("status", "") in HAPPENED and item["at"] <= _stamp(now):
            yield _event(contact_id, change, item, "encounter.started", now, run, through)
    for item in _recent(appointments, now):
        kind = _APPOINTMENT_KINDS.get(item.get("status", ""))
        if kind:
            yield _event(contact_id, change, item, kind, now, run, through)


def _recent(items: object, now: datetime) -> Iterable[Mapping[str, Any]]:
    earliest = _stamp(now - RECENT)
    listed = items if isinstance(items, list | tuple) else ()
    return [item for item in listed if str(item.get("at", "")) >= earliest]


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _event(
    contact_id: int,
    change: Change,
    item: Mapping[str, Any],
    kind: str,
    now: datetime,
    run: UUID | None,
    through: int | None,
) -> NewEvent:
    name = item.get("ref") or f"{item.get('code', '')}@{item['at']}"
    begins = datetime.fromisoformat(item["at"])
    return NewEvent(
        contact_id=contact_id,
        through=through,
        kind=kind,
        occurred_at=min(begins, now),
        source=change.source,
        campaign=run,
        key=f"{through or contact_id}|{kind}|{name}|{item['at']}"[:200],
        properties={"begins": item["at"], "code": item.get("code", ""), "ref": name},
    )
