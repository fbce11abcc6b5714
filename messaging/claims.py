"""Who holds a message: claim with a lease and a fence, mark the hand-over, write the result.

Each function is one transaction and a handful of statements, whatever the number of messages. A
fence is the number of the claim; a result is written only by the holder of the latest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from consent import precedence
from consent.gate import GateRequest, Used, ask_again
from consent.policy import Answer, Hold, Permit, Refusal
from crypto.rows import binary_cursor, insert_rows
from messaging import pace, versions
from messaging.lines import keeping
from messaging.lines.line import Line
from messaging.outbox import permit_json
from messaging.paying import stating
from messaging.pools import lanes, pausing, timing

LEASE = timedelta(minutes=15)
"""Longer than any batch takes; a claim older than this has lost its worker."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this worker alone may hand over until its lease ends."""

    id: int
    public_id: UUID
    contact_id: int
    version_id: UUID
    purpose: str
    topic: str
    classes: frozenset[str]
    not_after: datetime
    attempts: int
    fence: int
    pool: str
    basis: str
    channel: str = lanes.EMAIL
    plain: bool = False
    """The person prefers mail although its last hop may not be encrypted."""
    alternative: str | None = None
    """The category whose alternative address alone may be used."""
    further_paid: stating.Payments = ()
    """Payments for the campaign or step, besides what the version says."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a message came to. `again_at` is set where it will be tried again."""

    claimed: Claimed
    state: str
    code: str = ""
    reply: str = ""
    tried: bool = True
    again_at: datetime | None = None
    reference: str = ""
    """The number that a gateway or provider gave the message."""
    line: Line | None = None
    """What secured the connection that it went by."""


_PICK = """
SELECT id, public_id, contact_id, version_id, purpose, topic, array_to_string(classes, ','),
       not_after, attempts, fence, pool, source, refusal_code, step
FROM messaging_message
WHERE organisation_id = %b AND pool = %b AND state IN ('queued', 'deferred') AND due_at <= %b
ORDER BY due_at, id LIMIT %b FOR UPDATE SKIP LOCKED
"""
_DUE = """
SELECT 1 FROM messaging_message
WHERE organisation_id = %b AND pool = ANY(%b::text[]) AND state IN ('queued', 'deferred')
  AND due_at <= %b LIMIT 1
"""
_SET_ASIDE = "UPDATE messaging_message SET state = 'paused' WHERE id = ANY(%b::int8[])"
_CLAIM = """
UPDATE messaging_message m
SET state = 'claimed', lease_until = %b, fence = m.fence + 1, permit = g.permit::jsonb
FROM unnest(%b::int8[], %b::text[]) AS g (id, permit) WHERE m.id = g.id
"""
_HOLD_BACK = """
UPDATE messaging_message m SET due_at = g.until, refusal_code = g.code
FROM unnest(%b::int8[], %b::timestamptz[], %b::text[]) AS g (id, until, code) WHERE m.id = g.id
"""
_REFUSE = """
UPDATE messaging_message m
SET state = g.state, refusal_code = g.code, lease_until = NULL, permit = NULL
FROM unnest(%b::int8[], %b::text[], %b::text[]) AS g (id, state, code) WHERE m.id = g.id
"""
_HAND_OVER = """
UPDATE messaging_message m
SET state = 'handing_over', lease_until = %b, handed_over_at = %b, route = g.route,
    message_id_header = g.header, sha256 = g.sha256, merge = g.merge, provider = g.provider
FROM unnest(%b::int8[], %b::int8[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::text[])
     AS g (id, fence, route, header, sha256, merge, provider)
WHERE m.id = g.id AND m.fence = g.fence AND m.state = 'claimed'
RETURNING m.id
"""
_RESULT = """
UPDATE messaging_message m
SET state = g.state, refusal_code = g.code, smtp_reply = g.reply, lease_until = NULL,
    attempts = m.attempts + g.tried, due_at = coalesce(g.again_at, m.due_at),
    sent_at = CASE WHEN g.state = 'sent' THEN %b ELSE m.sent_at END,
    reference = CASE WHEN g.reference = '' THEN m.reference ELSE g.reference END,
    line = coalesce(g.line, m.line)
FROM unnest(%b::int8[], %b::int8[], %b::text[], %b::text[], %b::text[], %b::int4[],
            %b::timestamptz[], %b::text[], %b::int8[])
     AS g (id, fence, state, code, reply, tried, again_at, reference, line)
WHERE m.id = g.id AND m.fence = g.fence AND m.state IN ('claimed', 'handing_over', 'unknown')
RETURNING m.id
"""
_EXPIRED = """
UPDATE messaging_message
SET state = CASE state WHEN 'claimed' THEN 'queued' ELSE 'unknown' END,
    refusal_code = CASE state WHEN 'claimed' THEN '' ELSE 'no_answer' END, lease_until = NULL
WHERE organisation_id = %b AND state IN ('claimed', 'handing_over') AND lease_until < %b
RETURNING id, state
"""


@transaction.atomic
def recover(*, now: datetime) -> list[int]:
    """Take back what a lost worker held; return the messages whose fate is unclear now.

    Nothing of a `claimed` message left this machine, so it waits again. A message that was
    `handing_over` may have been delivered: it becomes `unknown`, and only `reconcile` moves it.
    """
    with binary_cursor() as cursor:
        cursor.execute(_EXPIRED, [tenancy.current(), now])
        rows = cursor.fetchall()
    unclear = [number for number, state in rows if state == "unknown"]
    note([(number, "unknown", "no_answer") for number in unclear], now=now)
    trail.record_many(
        trail.Entry("message.unknown", subject=f"message:{number}") for number in unclear
    )
    return unclear


def anything_due(*, now: datetime, pool: str | None = None) -> bool:
    """Say whether a claim would find anything, in one look at an index."""
    with binary_cursor() as cursor:
        cursor.execute(_DUE, [tenancy.current(), [pool] if pool else list(lanes.POOLS), now])
        return cursor.fetchone() is not None


@dataclass(frozen=True, slots=True)
class Taken:
    """What one claim came to."""

    granted: Sequence[Claimed] = ()
    refused: Sequence[tuple[int, str]] = ()
    """Message and code: refused, or too late."""
    set_aside: int = 0
    """Messages of a paused source, which wait until somebody resumes it."""


@transaction.atomic
def claim(*, limit: int, now: datetime, pool: str | None = None) -> Taken:
    """Claim what is due, asking the gate again in this very transaction.

    Of one pool, or of all in their order; never of one that is stopped. What quiet hours, a send
    window or a full cap hold back waits for its moment; whom another worker is counting under a
    cap right now waits for the next round.
    """
    precedence.hold_for_claim()  # before the rows are locked, or a withdrawal could deadlock
    picked, aside = _picked([pool] if pool else lanes.POOLS, limit=limit, now=now)
    rows, got = _countable(picked, now=now)
    if not rows:
        return Taken(set_aside=aside)
    requests = requests_of(rows)
    answers = ask_again(requests, now=now, used=got)
    answers = timing.held(rows, answers, now=now)
    granted: list[Claimed] = []
    permits: list[str] = []
    refused: list[tuple[int, str, str]] = []
    held: list[tuple[int, datetime, str]] = []
    for row, request, answer in zip(rows, requests, answers, strict=True):
        if isinstance(answer, Refusal):
            refused.append((row[0], "refused", answer.code))
        elif row[7] < (answer.until if isinstance(answer, Hold) else now):
            refused.append((row[0], "failed", "too_late"))
        elif isinstance(answer, Hold):
            held.append((row[0], answer.until, answer.code))
        else:
            granted.append(_claimed(row, answer, request.further_paid))
            permits.append(permit_json(answer, now=now))
    _write_claims(granted, permits, refused, held, now=now)
    return Taken(granted, [(number, code) for number, _, code in refused], aside)


def _picked(
    pools: Sequence[str], *, limit: int, now: datetime
) -> tuple[list[tuple[Any, ...]], int]:
    """Lock what is due; set aside what belongs to a paused source, and count it."""
    stops = pausing.read()
    rows: list[tuple[Any, ...]] = []
    with binary_cursor() as cursor:
        for pool in pools:
            if most := stops.limit(pool, limit - len(rows)):
                cursor.execute(_PICK, [tenancy.current(), pool, now, most])
                rows += cursor.fetchall()
        aside = [row[0] for row in rows if row[11] in stops.sources]
        if aside:
            cursor.execute(_SET_ASIDE, [aside])
            rows = [row for row in rows if row[11] not in stops.sources]
    return rows, len(aside)


def _countable(
    rows: Sequence[tuple[Any, ...]], *, now: datetime
) -> tuple[Sequence[tuple[Any, ...]], Used | None]:
    """Return the messages whose people this worker may count, and what those got; see `pace`."""
    texts = any(row[10] in lanes.OF_TEXTS for row in rows)
    back = pace.longest(now=now, texts=texts) if rows else None
    if back is None:
        return rows, None
    people = pace.held({row[2] for row in rows})
    mine = [row for row in rows if row[2] in people]
    return mine, pace.used(people, since=now - back, now=now)


def _write_claims(
    granted: Sequence[Claimed],
    permits: Sequence[str],
    refused: Sequence[tuple[int, str, str]],
    held: Sequence[tuple[int, datetime, str]],
    *,
    now: datetime,
) -> None:
    with binary_cursor() as cursor:
        if held:
            cursor.execute(_HOLD_BACK, [list(column) for column in zip(*held, strict=True)])
        if granted:
            cursor.execute(_CLAIM, [now + LEASE, [one.id for one in granted], list(permits)])
        if refused:
            cursor.execute(_REFUSE, [list(column) for column in zip(*refused, strict=True)])
    note(refused, now=now)
    trail.record_many(
        trail.Entry(f"message.{state}", subject=f"message:{number}", detail={"code": code})
        for number, state, code in refused
    )


def recalled(claimed: Sequence[Claimed], *, now: datetime) -> dict[int, str]:
    """Ask once more, as withdrawals came meanwhile; return which may not go, and why."""
    asked = [_again(one) for one in claimed]
    with transaction.atomic():
        answers: Sequence[Answer] = ask_again(asked, now=now)
    return {
        one.id: answer.code
        for one, answer in zip(claimed, answers, strict=True)
        if isinstance(answer, Refusal)
    }


def requests_of(rows: Sequence[Sequence[Any]]) -> list[GateRequest]:
    """Return what the gate is asked for these messages; who pays, by their versions and sources."""
    loaded = versions.load({row[3] for row in rows})
    paid = stating.of_sources({row[11] for row in rows})
    return [
        GateRequest(
            row[2],
            row[4],
            loaded[row[3]].channel,
            frozenset(filter(None, row[6].split(","))),
            row[5],
            loaded[row[3]].remuneration,
            new_formulation=loaded[row[3]].new_formulation,
            drug=loaded[row[3]].drug,
            further_paid=paid.of(row[11], row[13]),
        )
        for row in rows
    ]


def _again(one: Claimed) -> GateRequest:
    (version,) = versions.load([one.version_id]).values()
    return GateRequest(
        one.contact_id,
        one.purpose,
        one.channel,
        one.classes,
        one.topic,
        version.remuneration,
        new_formulation=version.new_formulation,
        drug=version.drug,
        further_paid=one.further_paid,
    )


def _claimed(row: Sequence[Any], permit: Permit, paid: stating.Payments) -> Claimed:
    number, public_id, contact_id, version_id, purpose, topic, classes, *times = row
    not_after, attempts, fence, pool, _, _, _ = times
    return Claimed(
        number,
        public_id,
        contact_id,
        version_id,
        purpose,
        topic,
        frozenset(filter(None, classes.split(","))),
        not_after,
        attempts,
        fence + 1,
        pool,
        permit.basis,
        lanes.SMS if pool in lanes.OF_TEXTS else lanes.EMAIL,
        permit.plain,
        permit.alternative,
        paid,
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is written down of a message before it leaves."""

    claimed: Claimed
    route: str
    header: str
    sha256: str
    merge: bytes
    provider: str


def begin_hand_over(evidence: Sequence[Evidence], *, now: datetime) -> set[int]:
    """Write the evidence and mark `handing_over`; return the messages that are still ours."""
    if not evidence:
        return set()
    with binary_cursor() as cursor:
        cursor.execute(
            _HAND_OVER,
            [
                now + LEASE,
                now,
                [one.claimed.id for one in evidence],
                [one.claimed.fence for one in evidence],
                [one.route for one in evidence],
                [one.header for one in evidence],
                [one.sha256 for one in evidence],
                [one.merge for one in evidence],
                [one.provider for one in evidence],
            ],
        )
        return {row[0] for row in cursor.fetchall()}


def write_results(results: Sequence[Result], *, now: datetime) -> set[int]:
    """Write what messages came to; return those whose result counted, for the caller to `note`."""
    if not results:
        return set()
    lines = keeping.numbers({one.line for one in results if one.line}, now=now)
    with binary_cursor() as cursor:
        cursor.execute(
            _RESULT,
            [
                now,
                [one.claimed.id for one in results],
                [one.claimed.fence for one in results],
                [one.state for one in results],
                [one.code for one in results],
                [one.reply for one in results],
                [int(one.tried) for one in results],
                [one.again_at for one in results],
                [one.reference for one in results],
                [lines.get(one.line) if one.line else None for one in results],
            ],
        )
        return {row[0] for row in cursor.fetchall()}


def note(moves: Sequence[tuple[int, str, str]], *, now: datetime) -> None:
    """Keep each result with its moment, for the message's page."""
    organisation_id = tenancy.current()
    insert_rows(
        "messaging_transition",
        ("organisation_id", "message_id", "state", "code", "at"),
        ("int4", "int8", "text", "text", "timestamptz"),
        ((organisation_id, number, state, code, now) for number, state, code in moves),
    )
