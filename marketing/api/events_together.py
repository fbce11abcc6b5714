"""The short way of events: those that come at one moment are written in one transaction.

It is for a request in which nothing is wrong, from a key that was used a moment ago: `front` asks
here first. None means that it is not for this way; then the long way (`marketing.api.events`)
answers, which knows what is wrong. A group that fails is asked again, each request by itself.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import api_keys, tenancy
from accounts.models import ApiKey
from audit import trail
from audit.actor import Actor
from contacts import events
from contacts.events import EventRefused, KeyConflict
from crypto.rows import pipelined
from marketing.api import bodies, event_forms, event_writing
from marketing.api.event_forms import Given
from marketing.api.events import SCOPES
from marketing.api.front import Short, Way
from marketing.api.idempotency import HEADER
from marketing.api.machines import bearer_of
from marketing.api.together import Together

SMALL_BATCH = 1024 * 1024
"""Bytes of a batch that goes this way."""
TOGETHER = 2 * events.MAX_BATCH
"""Events written in one transaction, at most."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Events of one request; whether their key still stands is not asked yet."""

    key: ApiKey
    given: Sequence[Given]
    now: datetime

    def __len__(self) -> int:
        return len(self.given)


def take_one(request: HttpRequest) -> Short | None:
    """Take a single event."""
    if (key := _key_of(request)) is None or not bodies.is_small(request):
        return None
    given = event_forms.plain_one(request.body, key=request.META.get(_KEY))
    found = _single.ask(_Asked(key, given, timezone.now())) if given else None
    if found is None:
        return None
    (status,) = found
    code = 201 if status == event_writing.ACCEPTED else 200
    return Short(code, msgspec.json.encode({"status": status}))


_KEY = "HTTP_" + HEADER.upper().replace("-", "_")


def take_batch(request: HttpRequest) -> Short | None:
    """Take a batch."""
    if (key := _key_of(request)) is None or not bodies.is_small(request, most=SMALL_BATCH):
        return None
    given = event_forms.plain_many(request.body)
    found = _batches.ask(_Asked(key, given, timezone.now())) if given else None
    if found is None:
        return None
    return Short(200, msgspec.json.encode(event_writing.told(found)))


def _key_of(request: HttpRequest) -> ApiKey | None:
    """Return the key where it was good a moment ago and has the scope."""
    key = api_keys.remembered(bearer_of(request), now=timezone.now())
    return key if key is not None and key.allows(SCOPES["POST"]) else None


def _write(asked: Sequence[_Asked]) -> list[list[str] | None]:
    """Return what became of the events of each request; None where it must go the long way."""
    _drop_an_old_connection()
    places: dict[int, list[int]] = {}
    for place, one in enumerate(asked):
        places.setdefault(one.key.organisation_id, []).append(place)
    answers: list[list[str] | None] = [None] * len(asked)
    for organisation_id, mine in places.items():
        with suppress(EventRefused, KeyConflict):
            found = _write_for_one(organisation_id, [asked[place] for place in mine])
            for place, statuses in zip(mine, found, strict=True):
                answers[place] = statuses
    return answers


def _drop_an_old_connection() -> None:
    """Do what Django does before a request, which has not come to it."""
    if connection.in_atomic_block:
        return
    is_old = connection.close_at is not None and time.monotonic() >= connection.close_at
    if is_old or connection.errors_occurred:
        connection.close()


def _write_for_one(organisation_id: int, asked: Sequence[_Asked]) -> list[list[str] | None]:
    """Write one organisation's events, and what came by each key to the trail.

    Five trips to the database: for the keys, the contacts, the events, the trail and the end.
    """
    with transaction.atomic(durable=True), pipelined(), tenancy.acting_here(organisation_id):
        standing = api_keys.standing({one.key.id for one in asked})
        good = [one for one in asked if one.key.id in standing]
        given = [event for one in good for event in one.given]
        owners = event_writing.owners_of([event.contact for event in given])
        fresh = event_writing.new_events(given, owners)
        if not fresh:
            return [None] * len(asked)
        appended = events.append_here(fresh, now=max(one.now for one in good))
        found = iter(event_writing.statuses(owners, appended))
        answers = [
            _known([next(found) for _ in one.given]) if one.key.id in standing else None
            for one in asked
        ]
        trail.record_many(_entries(asked, answers))
    return answers


def _known(statuses: list[str]) -> list[str] | None:
    """Return what became of a request's events; None where it names nobody that there is."""
    return None if set(statuses) == {event_writing.UNKNOWN} else statuses


def _entries(
    asked: Sequence[_Asked], answers: Sequence[Sequence[str] | None]
) -> Iterator[trail.Entry]:
    counts: dict[str, Counter[str]] = {}
    for one, found in zip(asked, answers, strict=True):
        if found is not None:
            counts.setdefault(str(one.key.id), Counter()).update(found)
    for key_id, mine in counts.items():
        yield trail.Entry(
            "events.received", detail=event_writing.facts(mine), actor=Actor("api_key", key_id)
        )


_single = Together(_write, most=TOGETHER)
_batches = Together(_write, most=TOGETHER, at_once=2)

WAYS: Mapping[str, Way] = {"/api/v1/events": take_one, "/api/v1/events/batch": take_batch}
