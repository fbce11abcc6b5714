"""Write messages that are due: one row for each (source, contact, step, visit, occurrence), ever.

Called in the transaction of the fact that caused the messages, so both are committed or neither.
The gate is asked for all of them at once; who may not be written to gets a row that says why, and
no row without a permit is ever `queued`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from accounts import tenancy
from audit import trail
from consent.gate import GateRequest, ask
from consent.policy import Answer, Hold, Permit, Refusal
from crypto.rows import binary_cursor
from messaging import versions
from messaging.paying import stating
from messaging.paying.stating import Stated
from messaging.versions import Loaded

LASTS = timedelta(days=3)
"""How long after its due time a message may still go out, where the order does not say."""

_INSERT = """
INSERT INTO messaging_message (
    public_id, organisation_id, contact_id, version_id, channel, purpose, topic, source, step,
    visit, occurrence, classes, state, refusal_code, permit, due_at, not_after, created_at,
    route, fence, attempts, message_id_header, sha256, smtp_reply
)
SELECT g.public_id, %b, g.contact_id, g.version_id, g.channel, g.purpose, g.topic, g.source, g.step,
       g.visit, g.occurrence, string_to_array(g.classes, ','), g.state, g.refusal_code,
       g.permit::jsonb, g.due_at, g.not_after, %b, '', 0, 0, '', '', ''
FROM unnest(
    %b::uuid[], %b::int8[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::uuid[],
    %b::text[], %b::int4[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::timestamptz[], %b::timestamptz[]
) AS g (public_id, contact_id, version_id, channel, purpose, topic, source, step, visit,
        occurrence, classes, state, refusal_code, permit, due_at, not_after)
ON CONFLICT (organisation_id, source, contact_id, step, visit, occurrence) DO NOTHING
RETURNING source, contact_id, step, visit, occurrence, id, state, refusal_code
"""
_EXISTING = """
SELECT m.source, m.contact_id, m.step, m.visit, m.occurrence, m.id, m.state, m.refusal_code
FROM unnest(%b::uuid[], %b::int8[], %b::text[], %b::int4[], %b::text[])
     AS g (source, contact_id, step, visit, occurrence)
JOIN messaging_message m USING (source, contact_id, step, visit, occurrence)
WHERE m.organisation_id = %b
"""

Key = tuple[UUID, int, str, int, str]


@dataclass(frozen=True, slots=True)
class Order:
    """One message that something wants sent. `source` is the workflow version or campaign."""

    contact_id: int
    template_version: UUID
    purpose: str
    source: UUID
    step: str
    visit: int
    occurrence: str
    due_at: datetime
    path_classes: frozenset[str] = frozenset()
    not_after: datetime | None = None

    @property
    def key(self) -> Key:
        return self.source, self.contact_id, self.step, self.visit, self.occurrence


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What stands in the outbox for an order: the new row, or the one that was there before."""

    contact_id: int
    message_id: int
    state: str
    refusal_code: str


class VersionUnknown(LookupError):
    """An order names a template version that this organisation does not have."""


@transaction.atomic
def enqueue(orders: Sequence[Order], *, now: datetime) -> list[Enqueued]:
    """Write the orders and return, in their order, what stands for each."""
    if not orders:
        return []
    loaded = versions.load({order.template_version for order in orders})
    if {order.template_version for order in orders} - loaded.keys():
        raise VersionUnknown("an order names a template version that is not known")
    answers = ask(_requests(orders, loaded), now=now)
    rows = [
        _row(order, loaded[order.template_version], answer, now=now)
        for order, answer in zip(orders, answers, strict=True)
    ]
    standing = _inserted(rows, now=now)
    missing = [order for order in orders if order.key not in standing]
    refused = sum(one.state == "refused" for one in standing.values())
    if missing:
        standing |= _existing(missing)
    if refused:
        trail.record("message.refused", detail={"count": refused, "code": "at_the_gate"})
    return [standing[order.key] for order in orders]


def requests(orders: Sequence[Order]) -> list[GateRequest]:
    """Return what `enqueue` would ask the gate, for whoever only wants to know."""
    return _requests(orders, versions.load({order.template_version for order in orders}))


def _requests(orders: Sequence[Order], loaded: dict[UUID, Loaded]) -> list[GateRequest]:
    paid = stating.of_sources({order.source for order in orders})
    return [_request(order, loaded, paid) for order in orders]


def _request(order: Order, loaded: dict[UUID, Loaded], paid: Stated) -> GateRequest:
    version = loaded[order.template_version]
    return GateRequest(
        order.contact_id,
        order.purpose,
        version.channel,
        version.says | order.path_classes,
        version.topic,
        version.remuneration,
        new_formulation=version.new_formulation,
        drug=version.drug,
        further_paid=paid.of(order.source, order.step),
    )


def _row(order: Order, version: Loaded, answer: Answer, *, now: datetime) -> tuple[Any, ...]:
    permit: str | None = None
    code, due_at = "template_not_approved", order.due_at
    if isinstance(answer, Refusal):
        code = answer.code
    elif version.approved:
        if isinstance(answer, Hold):
            due_at, answer = max(due_at, answer.until), answer.permit
        permit, code = permit_json(answer, now=now), ""
    return (
        uuid4(),
        order.contact_id,
        order.template_version,
        version.channel,
        order.purpose,
        version.topic,
        order.source,
        order.step,
        order.visit,
        order.occurrence,
        ",".join(sorted(version.says | order.path_classes)),
        "refused" if code else "queued",
        code,
        permit,
        due_at,
        order.not_after or order.due_at + LASTS,
    )


def permit_json(permit: Permit, *, now: datetime) -> str:
    authorization = str(permit.authorization_id) if permit.authorization_id else None
    return json.dumps(
        {
            "basis": permit.basis,
            "authorization": authorization,
            "decided_at": now.isoformat(),
            "rules": permit.rules,
        }
    )


def _inserted(rows: Sequence[tuple[Any, ...]], *, now: datetime) -> dict[Key, Enqueued]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    with binary_cursor() as cursor:
        cursor.execute(_INSERT, [tenancy.current(), now, *columns])
        return _standing(cursor.fetchall())


def _existing(orders: Sequence[Order]) -> dict[Key, Enqueued]:
    columns = [list(column) for column in zip(*(order.key for order in orders), strict=True)]
    with binary_cursor() as cursor:
        cursor.execute(_EXISTING, [*columns, tenancy.current()])
        return _standing(cursor.fetchall())


def _standing(found: Sequence[tuple[Any, ...]]) -> dict[Key, Enqueued]:
    return {
        (source, contact_id, step, visit, occurrence): Enqueued(contact_id, number, state, code)
        for source, contact_id, step, visit, occurrence, number, state, code in found
    }
