"""Write what became of messages: results, events and trail together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import trail
from consent import precedence, suppression
from contacts import events
from contacts.points import keeping
from crypto.rows import pipelined
from messaging import claims, retry
from messaging.claims import Claimed, Result
from messaging.dispatch.facts import Ready, Run
from messaging.hearing import providers
from messaging.pools import lanes, places
from messaging.texts import numbers
from messaging.transports.base import Fate, Outcome
from messaging.undelivered import cases
from messaging.versions import Loaded

_ANSWERED = {"sent": 0, "failed": 1, "deferred": 2}
"""The place of each fate among a tally's answers."""
HARD_BOUNCES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})


def result_of(one: Ready, outcome: Outcome, run: Run) -> Result:
    claimed = one.claimed
    match outcome.fate:
        case Fate.ACCEPTED:
            return Result(
                claimed,
                "sent",
                reply=outcome.reply,
                reference=outcome.reference,
                line=outcome.line,
            )
        case Fate.REJECTED:
            return Result(claimed, "failed", outcome.code or "rejected", outcome.reply)
        case Fate.UNCLEAR:
            return Result(claimed, "unknown", "no_answer")
        case Fate.DEFERRED:
            return later(claimed, "server_said_later", run, reply=outcome.reply, tried=True)
    if outcome.code and outcome.code == run.recalled.get(claimed.id):
        return Result(claimed, "refused", outcome.code, tried=False)
    return later(claimed, outcome.code or "not_tried", run)


def later(claimed: Claimed, code: str, run: Run, *, reply: str = "", tried: bool = False) -> Result:
    decision = retry.after(
        claimed.attempts + tried, tried=tried, now=run.now, not_after=claimed.not_after
    )
    if isinstance(decision, retry.Never):
        return Result(claimed, "failed", decision.code, reply, tried)
    return Result(claimed, "deferred", code, reply, tried, decision.at)


def failed(claimed: Claimed, code: str) -> Result:
    return Result(claimed, "failed", code, tried=False)


@transaction.atomic
def finish(
    results: Sequence[Result],
    going: Mapping[int, Ready],
    loaded: Mapping[UUID, Loaded],
    run: Run,
) -> None:
    """Write results, events and trail together; suppress addresses that do not exist."""
    bounced = [one for one in results if _hard_bounce(one)]
    if bounced:
        precedence.hold_for_withdrawal()  # before rows of messages are locked
    counted = claims.write_results(results, now=run.now)
    done = [one for one in results if one.claimed.id in counted]
    for one in done:
        run.tally.count(one.state)
    with pipelined():
        _note(done, now=run.now)
        events.write_own([each for one in done for each in _events(one, loaded, run)], now=run.now)
        trail.record_many(_entry(one, going, loaded) for one in done)
        _count(done, going, run)
    cases.open_many(
        [(one.claimed.id, one.reply or one.code) for one in done if _undelivered(one)], now=run.now
    )
    _suppress([one for one in bounced if one.claimed.id in counted], going, run)


def _note(done: Sequence[Result], *, now: datetime) -> None:
    claims.note([(one.claimed.id, one.state, one.code or one.reply) for one in done], now=now)


def _count(done: Collection[Result], going: Mapping[int, Ready], run: Run) -> None:
    """Add to the tallies what the servers answered; an address nobody has is no refusal of ours."""
    answered: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    for one in done:
        place = _ANSWERED.get(one.state) if one.tried and one.claimed.id in going else None
        if place is not None and not _hard_bounce(one):
            provider = providers.of(going[one.claimed.id].recipient)
            answered[one.claimed.pool][provider, place] += 1
    minute = places.minute_of(run.now)
    for pool, counted in answered.items():
        rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for (provider, place), number in counted.items():
            rows[provider][place] += number
        places.count(pool, ((minute, one, 0, s, f, d, 0) for one, (s, f, d) in rows.items()))


def _undelivered(one: Result) -> bool:
    """Say whether it said something of a person and did not reach her for a reason outside."""
    outside = one.reply.startswith("5") or one.code in ("address_changed", "no_address")
    outside = outside or one.code in numbers.UNDELIVERED
    return one.state == "failed" and outside and cases.concerns(one.claimed.classes)


def _hard_bounce(result: Result) -> bool:
    if result.claimed.channel == lanes.SMS:
        return result.state == "failed" and result.tried and result.code in numbers.DEAD
    return result.state == "failed" and result.reply.partition(" ")[2] in HARD_BOUNCES


def _events(one: Result, loaded: Mapping[UUID, Loaded], run: Run) -> Iterator[events.NewEvent]:
    kind = {"sent": "message.sent", "failed": "message.failed"}.get(one.state)
    if kind is None:
        return
    if one.reply.startswith("5"):
        kind = "message.bounced"
    yield events.NewEvent(
        contact_id=one.claimed.contact_id,
        kind=kind,
        occurred_at=run.now,
        source="dispatch",
        campaign=loaded[one.claimed.version_id].template_id,
        message_id=one.claimed.id,
    )


def _entry(one: Result, going: Mapping[int, Ready], loaded: Mapping[UUID, Loaded]) -> trail.Entry:
    subject = f"message:{one.claimed.id}"
    attempt = one.claimed.attempts + 1
    if one.state != "sent":
        code = one.code or one.state
        if one.state == "refused":
            return trail.Entry("message.refused", subject=subject, detail={"code": code})
        facts = {"attempt": attempt} | ({} if one.state == "unknown" else {"code": code})
        return trail.Entry(f"message.{one.state}", subject=subject, detail=facts)
    version = loaded[one.claimed.version_id]
    return trail.Entry(
        "message.sent",
        subject=subject,
        detail={
            "route": going[one.claimed.id].merged.route.value,
            "basis": one.claimed.basis,
            "purpose": one.claimed.purpose,
            "channel": one.claimed.channel,
            "classes": sorted(one.claimed.classes),
            "template": str(version.template_id),
            "version": version.number,
            "attempt": attempt,
        },
    )


def _suppress(bounced: Collection[Result], going: Mapping[int, Ready], run: Run) -> None:
    for one in bounced:
        recipient = going[one.claimed.id].merged.recipient
        if one.claimed.channel == lanes.SMS:
            numbers.give_up(one.claimed.contact_id, recipient, one.code, now=run.now)
            continue
        keeping.bounced(one.claimed.contact_id, "email", recipient, now=run.now)
        suppression.suppress(
            recipient,
            reason="hard_bounce",
            received_by="smtp",
            now=run.now,
            contact_id=one.claimed.contact_id,
        )
