"""The loop that makes the calls: claimed by many, made outside of every transaction, marked once.

    claim what is due, for a time, with a number that no other attempt has
    open what the endpoint is told of each person, as far as it may be told today
    call, several at once
    mark each with the number; whoever comes too late finds that it does not fit, and writes nothing

A crash between call and mark leaves the claim to run out. The next attempt has the same key, by
which the receiver knows the repeat: at least once for the line, once for whoever looks at the key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from audit import actions, disclosures, trail
from contacts.amending import amend
from contacts.canonical import ValueRefused
from messaging import outside
from messaging.outside import Hosts
from workflows import versions
from workflows.webhooks import answering, building, client, endpoints
from workflows.webhooks.answering import Bad, Good, Later, Meaning
from workflows.webhooks.client import Said, Unanswered
from workflows.webhooks.models import Endpoint

Post = Callable[[str, bytes, Mapping[str, str]], Said]

LIMIT = 32
AT_ONCE = 8
LEASE = timedelta(seconds=120)
"""Longer than the calls of one batch can take, one after the other in each of the lines."""
SOURCE = "webhook"

actions.register("webhook.called", ("endpoint", "attempt", "status", "reason", "classes"))

CLAIM = """
with due as (
    select c.id, e.contact_id, e.version_id
    from workflows_webhookcall c
    join workflows_endpoint p on p.id = c.endpoint_id
    join workflows_enrolment e on e.id = c.enrolment_id
    join workflows_workflow w on w.id = c.workflow_id
    where c.state = 'open' and c.due_at <= %(now)s and c.deadline > %(now)s
      and p.archived_at is null and not p.paused
      and (p.rests_until is null or p.rests_until <= %(now)s)
      and e.state = 'waiting' and e.node = c.node and w.state <> 'paused'
    order by c.due_at limit %(limit)s for update of c skip locked
)
update workflows_webhookcall c set attempts = c.attempts + 1, due_at = %(lease)s
from due where c.id = due.id
returning c.id, c.key, c.attempts, c.enrolment_id, c.node, c.endpoint_id, c.deadline,
          due.contact_id, due.version_id
"""
LOCK = "select id from workflows_enrolment where id = %s for update"
END = """
update workflows_webhookcall
set state = %s, reply = %s, reason = %s, status = %s, ended_at = %s
where id = %s and state = 'open' and attempts = %s
"""
AGAIN = """
update workflows_webhookcall set due_at = %s, reason = %s, status = %s
where id = %s and state = 'open' and attempts = %s
"""
WAKE = """
update workflows_enrolment set due_at = least(due_at, %s)
where id = %s and node = %s and state = 'waiting'
"""


def run_once(*, now: datetime, post: Post | None = None, limit: int = LIMIT) -> int:
    """Make the calls of the current organisation that are due; return how many there were."""
    claimed = _claim(now=now, limit=limit)
    if not claimed:
        return 0
    known = endpoints.by_id({one.endpoint_id for one in claimed})
    built = building.bodies(claimed, known, now=now)
    make = post or usual()

    def call(one: building.Claimed) -> Said:
        made = built[one.id]
        if isinstance(made, Unanswered):
            return made
        return make(made.url, made.body, made.headers)

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = list(pool.map(call, claimed))
    for one, said in zip(claimed, answers, strict=True):
        _mark(one, known[one.endpoint_id], said, built[one.id], now=now)
    return len(claimed)


def usual() -> Post:
    """Call as the operator allows."""
    return through(outside.hosts(), ca_file=settings.CALL_CA_FILE)


def through(hosts: Hosts, *, ca_file: str = "") -> Post:
    def make(url: str, body: bytes, headers: Mapping[str, str]) -> Said:
        return client.post(url, body, headers, hosts=hosts, ca_file=ca_file)

    return make


def _claim(*, now: datetime, limit: int) -> Sequence[building.Claimed]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, {"now": now, "limit": limit, "lease": now + LEASE})
        rows = cursor.fetchall()
    known = versions.load({row[8] for row in rows})
    return [
        building.Claimed(
            id_, key, attempt, enrolment, node, endpoint, deadline, contact, known[version]
        )
        for id_, key, attempt, enrolment, node, endpoint, deadline, contact, version in rows
    ]


def _mark(
    one: building.Claimed, endpoint: Endpoint, said: Said, built: building.Built, *, now: datetime
) -> None:
    """Write what the answer means, in one transaction with what it sets and whom it wakes."""
    means, status = answering.meaning(one.step, said), _status(said)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, [one.enrolment_id])  # before the call, as the runner does
        means = _set(one, means, now=now)
        if isinstance(means, Later):
            at = answering.next_attempt(one.attempt, means.after, one.key, now=now)
            means = means if at < one.deadline else Bad(means.code)
        if isinstance(means, Later):
            cursor.execute(AGAIN, [at, means.code, status, one.id, one.attempt])
        else:
            told = ("answered", means.reply) if isinstance(means, Good) else ("failed", 0)
            cursor.execute(END, [*told, _reason(means), status, now, one.id, one.attempt])
            if cursor.rowcount:
                cursor.execute(WAKE, [now, one.enrolment_id, one.node])
        _tell(one, endpoint, means, status, built, now=now)
    endpoints.heard(endpoint, status, silent=isinstance(means, Later) and not status, now=now)


def _set(one: building.Claimed, means: Meaning, *, now: datetime) -> Meaning:
    """Write what a good answer sets, unless another attempt or the deadline was quicker."""
    if not isinstance(means, Good) or not means.values:
        return means
    with connection.cursor() as cursor:
        cursor.execute(
            "select id from workflows_webhookcall"
            " where id = %s and state = 'open' and attempts = %s for update",
            [one.id, one.attempt],
        )
        if cursor.fetchone() is None:
            return means
    try:
        with transaction.atomic():
            amend({one.contact_id: means.values}, source=SOURCE, now=now)
    except ValueRefused:
        return Bad("answer_unusable")
    return means


def _status(said: Said) -> int:
    return 0 if isinstance(said, Unanswered) else said.status


def _reason(means: Meaning) -> str:
    return "" if isinstance(means, Good) else means.code


def _tell(
    one: building.Claimed,
    endpoint: Endpoint,
    means: Meaning,
    status: int,
    built: building.Built,
    *,
    now: datetime,
) -> None:
    """Into the trail, and into the record of disclosures where somebody else got facts."""
    classes = () if isinstance(built, Unanswered) else built.classes
    trail.record(
        "webhook.called",
        subject=f"contact:{one.contact_id}",
        outcome="done" if isinstance(means, Good) else "failed",
        detail={
            "endpoint": str(endpoint.pk),
            "attempt": one.attempt,
            "status": status,
            "classes": sorted(classes),
            **({"reason": _reason(means)} if _reason(means) else {}),
        },
    )
    if status and classes and not endpoint.own:
        disclosures.record(
            organisation_id=endpoint.organisation_id,
            contact_id=one.contact_id,
            recipient=endpoint.recipient,
            address=endpoint.address,
            what=", ".join(one.step.fields) or "being at a step of a workflow",
            purpose="webhook",
            basis="business_associate",
            at=now,
        )
