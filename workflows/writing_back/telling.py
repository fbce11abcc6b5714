"""What a receiver is told of one person, signed, as far as it may be told today."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contacts.fields import DataClass
from contacts.reveal import reveal
from workflows import versions
from workflows.webhooks import building, endpoints
from workflows.webhooks.building import Built
from workflows.webhooks.client import Unanswered
from workflows.webhooks.models import Endpoint
from workflows.writing_back import Told, communication, hl7
from workflows.writing_back.models import WriteBackReceiver

PURPOSE = "write-backs"
FHIR = "application/fhir+json"
Form = WriteBackReceiver.Form
KINDS = {Form.MDM.value: hl7.MDM, Form.ORU.value: hl7.ORU}


def numbers_of(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the record numbers of a person as (source system, number)."""
    return [(one["source"], one["value"]) for one in values.get("record_numbers", ())]


def needed(form: str) -> frozenset[str]:
    """Return the classes without which a receiver of this form makes no sense: HL7 names people."""
    return frozenset({"engagement"} if form == Form.FHIR else {"engagement", "identity"})


def requests(
    receiver: WriteBackReceiver, endpoint: Endpoint, told: Sequence[Told], *, now: datetime
) -> dict[int, Built]:
    """Return the request of each position, or why there is none; identities are opened at once."""
    known = versions.load({one.version_id for one in told})
    says: dict[int, frozenset[str]] = {}
    built: dict[int, Built] = {}
    for one in told:
        path = known[one.version_id].path_classes.get(one.node, frozenset())
        says[one.position] = path | needed(receiver.form) | _named(endpoint)
        if refused := endpoints.refusal(endpoint, says[one.position], today=now.date()):
            built[one.position] = Unanswered(refused, lasting=refused == "class_not_allowed")
    allowed = [one for one in told if one.position not in built]
    people = _opened(allowed, now=now) if _named(endpoint) else {}
    for one in allowed:
        person = people.get(one.contact_id, {})
        built[one.position] = _request(receiver, endpoint, one, person, says[one.position], now=now)
    return built


def _named(endpoint: Endpoint) -> frozenset[str]:
    return frozenset({"identity"}) & frozenset(endpoint.classes)


def _opened(told: Sequence[Told], *, now: datetime) -> dict[int, dict[str, Any]]:
    ids = sorted({one.contact_id for one in told})
    return reveal(ids, [DataClass.IDENTITY], purpose=PURPOSE, now=now) if ids else {}


def _request(
    receiver: WriteBackReceiver,
    endpoint: Endpoint,
    told: Told,
    person: Mapping[str, Any],
    classes: frozenset[str],
    *,
    now: datetime,
) -> building.Request:
    numbers = [one for one in numbers_of(person) if receiver.source in ("", one[0])]
    if receiver.form == Form.FHIR:
        body, more = _fhir(told, numbers)
    else:
        envelope = hl7.Envelope(receiver.application, receiver.facility, receiver.document)
        kind = KINDS[receiver.form]
        written = hl7.message(told, kind, envelope, person, numbers, now=now)
        body, more = written.encode(), {"content-type": hl7.TYPE, "accept": hl7.TYPE}
    return building.signed_request(endpoint, told.key, body, classes, now=now, headers=more)


def _fhir(told: Told, numbers: Sequence[tuple[str, str]]) -> tuple[bytes, dict[str, str]]:
    """A create that a FHIR server makes once (R4, conditional create)."""
    held = communication.resource(told, numbers)
    once = f"identifier={communication.IDENTIFIER}|{told.key}"
    headers = {"content-type": FHIR, "accept": FHIR, "if-none-exist": once}
    return json.dumps(held, ensure_ascii=False).encode(), headers
