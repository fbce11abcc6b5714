"""Events, single and in batches: the hot path, and so plain functions without serializers.

A batch is checked whole before anything is written. Then each event has its own result: taken,
known already (the same key with the same body), or its contact is unknown.

Single events that come at one moment are written in one transaction (`marketing.api.together`).
That is the short way, for an event in which nothing is wrong, from a key that was used a moment
ago. All else goes the long way, which answers for what is wrong.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts import api_keys, tenancy
from accounts.models import ApiKey
from accounts.roles import Permission
from audit import trail
from audit.actor import Actor
from contacts import events, matching
from contacts.events import EventRefused, KeyConflict, NewEvent
from contacts.identity import Owner
from marketing.api import bodies
from marketing.api.idempotency import HEADER
from marketing.api.machines import Scopes, bearer_of, behind_door
from marketing.api.problems import Fault, Problem, invalid
from marketing.api.together import Together

MOST = events.MAX_BATCH
SOURCE = "api"
"""Not the key: a repeated event is the same event under the next key too."""
SCOPES: Scopes = {"POST": Permission.EVENTS_WRITE}

_KNOWN = frozenset({"contact", "kind", "occurred_at", "idempotency_key", "properties"})
_KIND = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_OURS = ("message.", "contact.", "segment.", "list.", "consent.", "workflow.")
_NO_KEY = (
    "An idempotency_key is needed: a text of 1 to 200 characters that names this event and no "
    "other, so that repeating the request cannot count it twice."
)


def _take_one(request: HttpRequest) -> HttpResponse:
    answer = _take([_keyed(bodies.read(request), request)], "", request)
    status = answer["results"][0]["status"]
    if status == "unknown_contact":
        raise invalid([Fault("/contact", "There is no such contact in your organisation.")])
    return _answer(status)


def _keyed(document: object, request: HttpRequest) -> object:
    """Return the event with the key of the request's header, where it has none of its own."""
    if isinstance(document, dict) and HEADER in request.headers:
        document.setdefault("idempotency_key", request.headers[HEADER])
    return document


def _answer(status: str) -> HttpResponse:
    return HttpResponse(
        json.dumps({"status": status}),
        status=201 if status == "accepted" else 200,
        content_type="application/json",
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """An event on the short way; whose key it came by is not asked yet."""

    key: ApiKey
    event: Mapping[str, Any]
    now: datetime


def _shortly(request: HttpRequest) -> HttpResponse | None:
    """Take the event with those that come at the same moment; None where something is unusual."""
    now = timezone.now()
    key = api_keys.remembered(bearer_of(request), now=now)
    if key is None or request.method != "POST" or not key.allows(SCOPES["POST"]):
        return None
    event = _plain_event(request)
    status = _together.ask(_Asked(key, event, now)) if event is not None else None
    return _answer(status) if status is not None else None


def _plain_event(request: HttpRequest) -> dict[str, Any] | None:
    """Return the event where nothing is wrong with it; the body can be read again."""
    if not bodies.is_small(request):
        return None
    try:
        document = bodies.parse(request.body)
    except Problem:
        return None
    faults: list[Fault] = []
    read = _read(_keyed(document, request), "", faults)
    return None if faults else read


def _write_together(asked: Sequence[_Asked]) -> list[str | None]:
    """Return what became of each: accepted, duplicate, or None where it must go the long way."""
    places: dict[int, list[int]] = {}
    for place, one in enumerate(asked):
        places.setdefault(one.key.organisation_id, []).append(place)
    answers: list[str | None] = [None] * len(asked)
    for organisation_id, mine in places.items():
        with suppress(EventRefused, KeyConflict), tenancy.acting_for(organisation_id):
            statuses = _write_for_one([asked[place] for place in mine])
            for place, status in zip(mine, statuses, strict=True):
                answers[place] = status
    return answers


def _write_for_one(asked: Sequence[_Asked]) -> list[str | None]:
    """Write one organisation's events, and what came by each key to the trail."""
    standing = api_keys.standing({one.key.id for one in asked})
    owners = _owners([one.event["contact"] for one in asked])
    known = [
        place
        for place, owner in enumerate(owners)
        if owner is not None and asked[place].key.id in standing
    ]
    statuses: list[str | None] = [None] * len(asked)

    def received(appended: events.Appended) -> None:
        repeated = {known[position] for position in appended.repeated}
        for place in known:
            statuses[place] = "duplicate" if place in repeated else "accepted"
        trail.record_many(_entries(asked, statuses))

    if known:
        fresh = [_event(asked[place].event, owners[place]) for place in known]
        events.append(fresh, now=max(one.now for one in asked), within=received)
    return statuses


def _entries(asked: Sequence[_Asked], statuses: Sequence[str | None]) -> Iterator[trail.Entry]:
    counts = Counter(
        (one.key.id, status) for one, status in zip(asked, statuses, strict=True) if status
    )
    for key_id in {key_id for key_id, _ in counts}:
        facts = {
            "accepted": counts[key_id, "accepted"],
            "duplicates": counts[key_id, "duplicate"],
        }
        actor = Actor("api_key", str(key_id))
        yield trail.Entry("events.received", detail=facts, actor=actor)


_together = Together(_write_together)


def _take_batch(request: HttpRequest) -> HttpResponse:
    document = bodies.read(request)
    given = document.get("events") if isinstance(document, dict) else None
    if not isinstance(given, list) or not 0 < len(given) <= MOST or len(document) > 1:
        detail = f"Send an object with one list, events, of 1 to {MOST} events."
        raise invalid([Fault("/events", detail)])
    answer = _take(given, "/events/{}", request)
    return HttpResponse(json.dumps(answer), content_type="application/json")


def _take(given: Sequence[Any], place: str, request: HttpRequest) -> dict[str, Any]:
    faults: list[Fault] = []
    read = [_read(one, place.format(index), faults) for index, one in enumerate(given)]
    if faults:
        raise invalid(faults)
    owners = _owners([one["contact"] for one in read])
    known = [index for index, owner in enumerate(owners) if owner is not None]
    fresh = [_event(read[index], owners[index]) for index in known]
    appended = _append(fresh, known, place, request.now)  # type: ignore[attr-defined]
    repeated = {known[position] for position in appended.repeated}
    results = [
        {"status": "unknown_contact"}
        if owner is None
        else {"status": "duplicate" if index in repeated else "accepted"}
        for index, owner in enumerate(owners)
    ]
    return {
        "accepted": appended.accepted,
        "duplicates": appended.duplicates,
        "unknown_contacts": len(owners) - len(known),
        "results": results,
    }


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


def _event(one: Mapping[str, Any], owner: Owner | None) -> NewEvent:
    assert owner is not None
    return NewEvent(
        contact_id=owner.contact_id,
        through=owner.origin,
        kind=one["kind"],
        occurred_at=one["occurred_at"],
        source=SOURCE,
        key=one["idempotency_key"],
        properties=one.get("properties"),
    )


def _read(one: object, place: str, faults: list[Fault]) -> dict[str, Any]:
    """Return the event with its types; add what is wrong to the faults."""
    if not isinstance(one, dict):
        faults.append(Fault(place, "An event is an object."))
        return {"contact": None}
    if not one.keys() <= _KNOWN:
        faults.append(Fault(place, f"An event has only these fields: {', '.join(sorted(_KNOWN))}."))
    for field, wrong in (
        ("idempotency_key", _key_fault(one.get("idempotency_key"))),
        ("kind", _kind_fault(one.get("kind"))),
        ("properties", _properties_fault(one.get("properties"))),
    ):
        if wrong:
            faults.append(Fault(f"{place}/{field}", wrong))
    moment, contact = _moment(one.get("occurred_at")), _contact(one.get("contact"))
    if moment is None:
        faults.append(Fault(f"{place}/occurred_at", _MOMENT))
    if contact is None:
        faults.append(Fault(f"{place}/contact", _WHO))
    return one | {"occurred_at": moment, "contact": contact}


_MOMENT = "A time with its zone is needed, such as 2026-03-02T09:30:00-05:00."
_WHO = "A contact's id is needed, or an object with its source and record_number."


def _key_fault(key: object) -> str:
    return "" if isinstance(key, str) and 0 < len(key) <= 200 else _NO_KEY


def _kind_fault(kind: object) -> str:
    if not isinstance(kind, str) or len(kind) > 60 or not _KIND.fullmatch(kind):
        return "A kind is needed: a-z, 0-9, _ and dots, at most 60, such as appointment.missed."
    if kind.startswith(_OURS):
        return "Kinds that begin so are recorded by Attune itself."
    return ""


def _properties_fault(properties: object) -> str:
    return "" if properties is None or isinstance(properties, dict) else "This must be an object."


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def _contact(value: object) -> UUID | tuple[str, str] | None:
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            return None
    if isinstance(value, dict) and value.keys() == {"source", "record_number"}:
        source, number = value["source"], value["record_number"]
        if _short(source) and _short(number):
            return source, number
    return None


def _short(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text.strip()) <= 200 and text.isprintable()


def _owners(wanted: Sequence[UUID | tuple[str, str]]) -> list[Owner | None]:
    """Return whose events they are, with at most two queries; None for nobody's."""
    ids = {one for one in wanted if isinstance(one, UUID)}
    numbers = list({one for one in wanted if isinstance(one, tuple)})
    by_id = matching.owners_by_public_id(ids) if ids else {}
    owners = matching.owners_by_number(numbers) if numbers else []
    by_number = dict(zip(numbers, owners, strict=True))
    return [by_id.get(one) if isinstance(one, UUID) else by_number[one] for one in wanted]


_one_by_one = behind_door(_take_one, SCOPES)


@wraps(_one_by_one)
def take_one(request: HttpRequest) -> HttpResponseBase:
    """Take one event: the short way, or, where that is not for it, through the door."""
    return _shortly(request) or _one_by_one(request)


take_batch = behind_door(_take_batch, SCOPES)
