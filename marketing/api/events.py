"""Events, single and in batches: the hot path, and so plain functions without serializers.

A batch is checked whole before anything is written. Then each event has its own result: taken,
known already (the same key with the same body), or its contact is unknown.

This is the long way, which answers for what is wrong. Where nothing is, and the key was used a
moment ago, `marketing.api.events_together` has answered before Django saw the request.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.roles import Permission
from audit import trail
from contacts import events
from contacts.events import EventRefused, KeyConflict, NewEvent
from marketing.api import bodies, event_forms, event_writing
from marketing.api.idempotency import HEADER
from marketing.api.machines import Scopes, behind_door
from marketing.api.problems import Fault, Problem, invalid

MOST = events.MAX_BATCH
SCOPES: Scopes = {"POST": Permission.EVENTS_WRITE}


def _take_one(request: HttpRequest) -> HttpResponse:
    (status,) = _take([_keyed(bodies.read(request), request)], "", request)
    if status == event_writing.UNKNOWN:
        raise invalid([Fault("/contact", "There is no such contact in your organisation.")])
    return HttpResponse(
        json.dumps({"status": status}),
        status=201 if status == event_writing.ACCEPTED else 200,
        content_type="application/json",
    )


def _keyed(document: object, request: HttpRequest) -> object:
    """Return the event with the key of the request's header, where it has none of its own."""
    if isinstance(document, dict) and HEADER in request.headers:
        document.setdefault("idempotency_key", request.headers[HEADER])
    return document


def _take_batch(request: HttpRequest) -> HttpResponse:
    document = bodies.read(request)
    given = document.get("events") if isinstance(document, dict) else None
    if not isinstance(given, list) or not 0 < len(given) <= MOST or len(document) > 1:
        detail = f"Send an object with one list, events, of 1 to {MOST} events."
        raise invalid([Fault("/events", detail)])
    answer = event_writing.told(_take(given, "/events/{}", request))
    return HttpResponse(json.dumps(answer), content_type="application/json")


def _take(given: Sequence[Any], place: str, request: HttpRequest) -> list[str]:
    """Store the events and return what became of each; raise where one of them is wrong."""
    faults: list[Fault] = []
    read = [event_forms.read(one, place.format(index), faults) for index, one in enumerate(given)]
    sound = [one for one in read if one is not None]
    if faults:
        raise invalid(faults)
    owners = event_writing.owners_of([one.contact for one in sound])
    known = [index for index, owner in enumerate(owners) if owner is not None]
    fresh = event_writing.new_events(sound, owners)
    appended = _append(fresh, known, place, request.now)  # type: ignore[attr-defined]
    return event_writing.statuses(owners, appended)


def _append(
    fresh: Sequence[NewEvent], known: Sequence[int], place: str, now: datetime
) -> events.Appended:
    try:
        return events.append(fresh, now=now, within=_received)
    except EventRefused as refused:
        where = place.format(known[refused.position])
        raise invalid(
            [
                Fault(
                    f"{where}/{_ASKED.get(refused.field, refused.field)}",
                    f"{refused.field} {refused.reason}.",
                )
            ]
        ) from None
    except KeyConflict as conflict:
        faults = [
            Fault(
                f"{place.format(known[position])}/idempotency_key",
                "This key was used before for another event.",
            )
            for position in conflict.positions
        ]
        detail = "A key names one event for ever. Nothing of this request was stored."
        raise Problem(409, "key-reused", detail, faults=faults) from None


def _received(appended: events.Appended) -> None:
    facts = {"accepted": appended.accepted, "duplicates": appended.duplicates}
    trail.record("events.received", detail=facts)


_ASKED = {"key": "idempotency_key"}


take_one = behind_door(_take_one, SCOPES)
take_batch = behind_door(_take_batch, SCOPES)
