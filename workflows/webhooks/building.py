"""What an endpoint is told: the declared fields and no others, as far as it may be told today."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contacts import registry
from contacts.fields import DataClass
from contacts.models import Contact
from contacts.reveal import reveal
from messaging import signed
from workflows.steps import Webhook
from workflows.versions import Published
from workflows.webhooks import endpoints
from workflows.webhooks.client import Unanswered
from workflows.webhooks.models import Endpoint

STEP = "workflow.step"
PURPOSE = "webhook"


@dataclass(frozen=True, slots=True)
class Request:
    """A call that may be made; `classes` is what it says of the person."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    classes: frozenset[str]


Built = Request | Unanswered


@dataclass(frozen=True, slots=True)
class Claimed:
    """One call in hand."""

    id: int
    key: UUID
    attempt: int
    enrolment_id: int
    node: str
    endpoint_id: UUID
    deadline: datetime
    contact_id: int
    version: Published

    @property
    def step(self) -> Webhook:
        step = self.version.graph.steps[self.node]
        assert isinstance(step, Webhook)
        return step


def classes_of(fields: Collection[str]) -> frozenset[str]:
    """Return the data classes of the fields that there are."""
    known = registry.current()
    return frozenset(known[one].data_class.value for one in fields if one in known)


def says(version: Published, node: str, fields: Collection[str]) -> frozenset[str]:
    """Return what a call says of a person: its fields, and everything the way there asked (W8)."""
    return classes_of(fields) | version.path_classes.get(node, frozenset())


def bodies(
    claimed: Sequence[Claimed], known: Mapping[UUID, Endpoint], *, now: datetime
) -> dict[int, Built]:
    """Return the request of each call, or why there is none; each class is opened once for all."""
    built: dict[int, Built] = {}
    allowed: dict[frozenset[str], list[Claimed]] = defaultdict(list)
    for one in claimed:
        classes = says(one.version, one.node, one.step.fields)
        refused = endpoints.refusal(known[one.endpoint_id], classes, today=now.date())
        if refused:
            built[one.id] = Unanswered(refused, lasting=True)
        else:
            allowed[classes_of(one.step.fields)].append(one)
    for classes, several in allowed.items():
        built |= _opened(several, classes, known, now=now)
    return built


def _opened(
    claimed: Sequence[Claimed],
    classes: frozenset[str],
    known: Mapping[UUID, Endpoint],
    *,
    now: datetime,
) -> dict[int, Built]:
    ids = [one.contact_id for one in claimed]
    there = Contact.objects.filter(id__in=ids, erased_at=None)
    public = dict(there.values_list("id", "public_id"))
    wanted = frozenset(map(DataClass, classes))
    values = reveal(ids, wanted, purpose=PURPOSE, now=now) if wanted else {}
    built: dict[int, Built] = {}
    for one in claimed:
        if one.contact_id not in public:
            built[one.id] = Unanswered("erased", lasting=True)
            continue
        person, endpoint = values.get(one.contact_id, {}), known[one.endpoint_id]
        built[one.id] = _request(one, endpoint, public[one.contact_id], person, now=now)
    return built


def _request(
    one: Claimed, endpoint: Endpoint, public_id: UUID, values: Mapping[str, Any], *, now: datetime
) -> Request:
    """Who may be told nothing of people is not even told who it is."""
    classes = says(one.version, one.node, one.step.fields)
    told: dict[str, Any] = {
        "workflow": str(one.version.workflow_id),
        "step": one.node,
        "fields": {key: values.get(key) for key in one.step.fields},
    }
    if endpoint.own or endpoint.classes:
        told["contact"] = str(public_id)
    return request(endpoint, one.key, STEP, told, classes, now=now)


def request(
    endpoint: Endpoint,
    key: UUID,
    kind: str,
    told: Mapping[str, Any],
    classes: frozenset[str],
    *,
    now: datetime,
) -> Request:
    """Return a call with a body in JSON."""
    content = {"type": kind, "timestamp": now.isoformat(), "data": told}
    body = json.dumps(content, ensure_ascii=False, default=str).encode()
    return signed_request(endpoint, key, body, classes, now=now)


def signed_request(
    endpoint: Endpoint,
    key: UUID,
    body: bytes,
    classes: frozenset[str],
    *,
    now: datetime,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """Sign the body with the secret, and with the earlier one for as long as it counts."""
    counts = endpoint.earlier_secret and endpoint.earlier_until and endpoint.earlier_until > now
    made = signed.headers(
        body,
        number=(named := f"msg_{key.hex}"),
        secret=str(endpoint.secret),
        also=[str(endpoint.earlier_secret)] if counts else [],
        now=now,
    )
    made |= {"idempotency-key": named, **(headers or {})}
    if endpoint.authorization:
        made["authorization"] = str(endpoint.authorization)
    return Request(str(endpoint.url), body, made, classes)
