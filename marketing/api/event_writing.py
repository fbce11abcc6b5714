"""From events as they are given to events as they are stored, and to what is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contacts import events, matching
from contacts.events import NewEvent
from contacts.identity import Owner
from marketing.api.event_forms import Given, Named

SOURCE = "api"
"""Not the key: a repeated event is the same event under the next key too."""
ACCEPTED, DUPLICATE, UNKNOWN = "accepted", "duplicate", "unknown_contact"


def owners_of(wanted: Sequence[Named]) -> list[Owner | None]:
    """Return whose events they are, with at most two queries; None for nobody's."""
    ids = {one for one in wanted if isinstance(one, UUID)}
    numbers = list({one for one in wanted if isinstance(one, tuple)})
    by_id = matching.owners_by_public_id(ids) if ids else {}
    owners = matching.owners_by_number(numbers) if numbers else []
    by_number = dict(zip(numbers, owners, strict=True))
    return [by_id.get(one) if isinstance(one, UUID) else by_number[one] for one in wanted]


def new_events(given: Sequence[Given], owners: Sequence[Owner | None]) -> list[NewEvent]:
    """Return the events of those whom there are."""
    return [
        NewEvent(
            contact_id=owner.contact_id,
            through=owner.origin,
            kind=one.kind,
            occurred_at=one.occurred_at,
            source=SOURCE,
            key=one.idempotency_key,
            properties=one.properties,
        )
        for one, owner in zip(given, owners, strict=True)
        if owner is not None
    ]


def statuses(owners: Sequence[Owner | None], appended: events.Appended) -> list[str]:
    """Return what became of each event, given whose they are and what was appended of them."""
    found = [ACCEPTED if owner is not None else UNKNOWN for owner in owners]
    if appended.repeated:
        known = [place for place, owner in enumerate(owners) if owner is not None]
        for position in appended.repeated:
            found[known[position]] = DUPLICATE
    return found


def facts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return what the trail says of events that were received."""
    return {"accepted": counts.get(ACCEPTED, 0), "duplicates": counts.get(DUPLICATE, 0)}


def told(found: Sequence[str]) -> dict[str, Any]:
    """Return what is answered to a batch."""
    counts = Counter(found)
    return {
        **facts(counts),
        "unknown_contacts": counts[UNKNOWN],
        "results": [_RESULTS[status] for status in found],
    }


_RESULTS = {status: {"status": status} for status in (ACCEPTED, DUPLICATE, UNKNOWN)}
