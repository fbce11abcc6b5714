"""Send what is due: claim, reveal, render, protect, hand over, mark.

The steps, and what a crash between them leaves behind (each is tested by crashing there):

1. `claimed`      nothing is known outside this process    -> the lease ends, it waits again
2. `composed`     the bytes exist in memory only           -> the same
3. `marked`       the row says handing_over, nothing sent  -> unknown; reconcile finds it nowhere
4. `handed_over`  the server has it, the row does not know -> unknown; reconcile finds it delivered
5. `noted`        everything is written                    -> nothing to do

Steps 3 and 4 look alike from inside, which is why `unknown` is never sent again by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal
from uuid import UUID

from django.db import transaction

from audit import trail
from audit.actor import Actor, acting_as
from consent import precedence, suppression
from contacts import events, points, reveal
from contacts.fields import DataClass
from contacts.points import Address, keeping
from crypto import data_keys
from messaging import (
    claims,
    compose,
    links,
    mime,
    protect,
    recall,
    retry,
    sender,
    tracking,
    versions,
)
from messaging.claims import Claimed, Evidence, Result
from messaging.compose import Composed, Merged
from messaging.models import Pickup
from messaging.protect import Hold, Onward, Route
from messaging.render import NotRendered, values_for
from messaging.sender import Sender
from messaging.transports.base import Fate, Outcome, Outgoing, Transport
from messaging.versions import Loaded

BATCH = 500
SLICE = 100
"""Handed over between two marks: at most so many can be `unknown` after a crash."""

DISPATCH = Actor("system", "dispatch")
Step = Literal["claimed", "composed", "marked", "handed_over", "noted"]
Pause = Callable[[Step], None]

HARD_BOUNCES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})


def no_pause(_: Step) -> None:
    """Go on at once; tests crash here instead."""


@dataclass(slots=True)
class Dispatched:
    sent: int = 0
    refused: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0

    def count(self, state: str, number: int = 1) -> None:
        setattr(self, state, getattr(self, state) + number)


@dataclass(frozen=True, slots=True)
class Ready:
    """A message with its bytes, about to be handed over."""

    claimed: Claimed
    recipient: str
    composed: Composed
    merged: Merged
    merge: bytes


@dataclass(slots=True)
class Run:
    """What one run of the dispatcher works with."""

    transport: Transport
    sender: Sender
    onward: Onward
    now: datetime
    pause: Pause
    renewed: Mapping[int, int] = field(default_factory=dict)
    """How often the portal's notice of a message was sent anew."""
    tally: Dispatched = field(default_factory=Dispatched)
    watch: recall.Watch = field(kw_only=True)
    recalled: dict[int, str] = field(default_factory=dict)
    """Messages that a withdrawal stopped between claim and hand-over, with the reason."""


def run_once(
    *,
    transport: Transport,
    now: datetime,
    limit: int = BATCH,
    onward: Onward | None = None,
    pause: Pause = no_pause,
) -> Dispatched:
    """Send what is due for the current organisation, at most `limit` messages."""
    with acting_as(DISPATCH), recall.watching() as watch:
        who, way = sender.current(), onward or sender.onward()
        run = Run(transport, who, way, now, pause, watch=watch)
        run.tally.count("unknown", len(claims.recover(now=now)))
        claimed, refused = claims.claim(limit=limit, now=now)
        run.tally.count("refused", sum(code != "too_late" for _, code in refused))
        run.tally.count("failed", sum(code == "too_late" for _, code in refused))
        pause("claimed")
        loaded = versions.load({one.version_id for one in claimed})
        for part in _slices(claimed):
            _send(part, loaded, run)
    return run.tally


def _slices(claimed: Iterable[Claimed]) -> Iterator[list[Claimed]]:
    remaining = iter(claimed)
    while part := list(islice(remaining, SLICE)):
        yield part


def _send(part: Sequence[Claimed], loaded: Mapping[UUID, Loaded], run: Run) -> None:
    ready, results = _composed(part, loaded, run)
    run.pause("composed")
    ours = _begin(ready, run)
    run.pause("marked")
    going = [one for one in ready if one.claimed.id in ours]
    outcomes = _hand_over(going, run)
    run.pause("handed_over")
    results += [_result(one, outcomes[one.claimed.id], run) for one in going]
    _finish(results, {one.claimed.id: one for one in going}, loaded, run)
    run.pause("noted")


# Reveal, protect, render


def _composed(
    part: Sequence[Claimed], loaded: Mapping[UUID, Loaded], run: Run
) -> tuple[list[Ready], list[Result]]:
    """Return the messages ready to go, and the results of those that cannot go now."""
    records = _revealed(part, loaded)
    people = [one.contact_id for one in part]
    recipients = _recipients(part, records, now=run.now)
    keys = data_keys.load(run.sender.organisation_id, people)
    untracked = tracking.declined(people)
    run.renewed = dict(
        Pickup.objects.filter(message_id__in=[one.id for one in part]).values_list(
            "message_id", "renewed"
        )
    )
    ready: list[Ready] = []
    results: list[Result] = []
    for one in part:
        made = _compose_one(
            one,
            loaded[one.version_id],
            records.get(one.contact_id, {}),
            recipients.get(one.id),
            keys.get(one.contact_id),
            run,
            tracked=one.contact_id not in untracked,
        )
        if isinstance(made, Ready):
            ready.append(made)
        else:
            results.append(made)
    return ready, results


def _revealed(part: Sequence[Claimed], loaded: Mapping[UUID, Loaded]) -> dict[int, dict[str, Any]]:
    """Open only the classes that each version declared, and the address (PR-20)."""
    by_classes: dict[frozenset[str], set[int]] = defaultdict(set)
    for one in part:
        by_classes[loaded[one.version_id].data_classes].add(one.contact_id)
    records: dict[int, dict[str, Any]] = defaultdict(dict)
    for classes, people in by_classes.items():
        wanted = {DataClass(name) for name in classes} | {DataClass.CONTACT_POINT}
        opened = reveal.reveal(sorted(people), wanted, purpose="dispatch")
        for contact_id, values in opened.items():
            records[contact_id] |= values
    return records


def _recipients(
    part: Sequence[Claimed], records: Mapping[int, Mapping[str, Any]], *, now: datetime
) -> dict[int, Address]:
    """Return where each message goes: confidential ones, by their topic, only there (PR-22)."""
    by_topic: dict[str, list[Claimed]] = defaultdict(list)
    for one in part:
        by_topic[one.topic if one.alternative is None else one.alternative].append(one)
    found: dict[int, Address] = {}
    for topic, group in by_topic.items():
        people = {one.contact_id for one in group}
        reached = points.address_for(
            people, channel="email", category=topic, now=now, known=records
        )
        found |= {one.id: reached[one.contact_id] for one in group if one.contact_id in reached}
    return found


def _compose_one(
    one: Claimed,
    version: Loaded,
    record: Mapping[str, Any],
    recipient: Address | None,
    key: bytes | None,
    run: Run,
    *,
    tracked: bool,
) -> Ready | Result:
    way = protect.choose(
        one.classes, hop=run.transport.hop, onward=run.onward, accepts_plain=one.plain
    )
    if isinstance(way, Hold):
        return _failed(one, way.code) if way.final else _later(one, way.code, run)
    if key is None or recipient is None:
        return _failed(one, "no_address")
    if one.alternative is not None and not recipient.confidential:
        return _failed(one, "confidential_address")
    merged = Merged(
        recipient.value,
        values_for({**record, "email": recipient.value}, version.fields_read),
        run.sender.merged(),
        _addresses(one, way.route, run, tracked=tracked),
        way.route,
        run.now,
        run.renewed.get(one.id, 0),
    )
    try:
        composed = compose.compose(
            one.public_id,
            version.parts,
            merged,
            purpose=one.purpose,
            unsubscribes=version.unsubscribes,
            sender=run.sender,
        )
        if way.route is Route.PORTAL:
            compose.shown(version.parts, merged)  # fail now, not when the person wants to read
    except NotRendered as error:
        return _failed(one, error.code)
    except mime.HeaderRefused:
        return _failed(one, "address_unusable")
    sealed = compose.sealed(
        merged, key=key, organisation_id=run.sender.organisation_id, number=one.id
    )
    return Ready(one, recipient.value, composed, merged, sealed)


def _addresses(one: Claimed, route: Route, run: Run, *, tracked: bool) -> links.Addresses:
    made = links.addresses(
        run.sender.origin,
        organisation_id=run.sender.organisation_id,
        message_id=one.id,
        contact_id=one.contact_id,
        tracked=tracked,
        now=run.now,
    )
    if route is not Route.PORTAL:
        return made
    return made.with_pickup(
        links.pickup(
            run.sender.origin,
            organisation_id=run.sender.organisation_id,
            message_id=one.id,
            renewed=run.renewed.get(one.id, 0),
            now=run.now,
        )
    )


# Hand over


@transaction.atomic
def _begin(ready: Sequence[Ready], run: Run) -> set[int]:
    evidence = [
        Evidence(
            one.claimed,
            one.merged.route.value,
            one.composed.message_id,
            one.composed.sha256,
            one.merge,
        )
        for one in ready
    ]
    ours = claims.begin_hand_over(evidence, now=run.now)
    Pickup.objects.bulk_create(
        [
            Pickup(message_id=one.claimed.id, expires_at=run.now + links.PICKUP_LASTS)
            for one in ready
            if one.merged.route is Route.PORTAL and one.claimed.id in ours
        ],
        ignore_conflicts=True,
    )
    return ours


def _hand_over(going: Sequence[Ready], run: Run) -> dict[int, Outcome]:
    if not going:
        return {}
    batch = [
        Outgoing(
            one.claimed.id,
            run.sender.address,
            one.recipient,
            one.composed.data,
            one.claimed.public_id.hex,
        )
        for one in going
    ]
    claimed = {one.claimed.id: one.claimed for one in going}
    part = recall.Slice(
        run.watch,
        lambda waiting: claims.recalled([claimed[one] for one in waiting], now=run.now),
        set(claimed),
    )
    outcomes = run.transport.send(batch, stays=part.stays)
    run.recalled |= part.recalled
    return {outcome.number: outcome for outcome in outcomes}


# Mark


def _result(one: Ready, outcome: Outcome, run: Run) -> Result:
    claimed = one.claimed
    match outcome.fate:
        case Fate.ACCEPTED:
            return Result(claimed, "sent", reply=outcome.reply)
        case Fate.REJECTED:
            return Result(claimed, "failed", outcome.code or "rejected", outcome.reply)
        case Fate.UNCLEAR:
            return Result(claimed, "unknown", "no_answer")
        case Fate.DEFERRED:
            return _later(claimed, "server_said_later", run, reply=outcome.reply, tried=True)
    if outcome.code and outcome.code == run.recalled.get(claimed.id):
        return Result(claimed, "refused", outcome.code, tried=False)
    return _later(claimed, outcome.code or "not_tried", run)


def _later(
    claimed: Claimed, code: str, run: Run, *, reply: str = "", tried: bool = False
) -> Result:
    decision = retry.after(
        claimed.attempts + tried, tried=tried, now=run.now, not_after=claimed.not_after
    )
    if isinstance(decision, retry.Never):
        return Result(claimed, "failed", decision.code, reply, tried)
    return Result(claimed, "deferred", code, reply, tried, decision.at)


def _failed(claimed: Claimed, code: str) -> Result:
    return Result(claimed, "failed", code, tried=False)


@transaction.atomic
def _finish(
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
    events.append([each for one in done for each in _events(one, loaded, run)], now=run.now)
    trail.record_many(_entry(one, going, loaded) for one in done)
    _suppress([one for one in bounced if one.claimed.id in counted], going, run)


def _hard_bounce(result: Result) -> bool:
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
            "channel": "email",
            "classes": sorted(one.claimed.classes),
            "template": str(version.template_id),
            "version": version.number,
            "attempt": attempt,
        },
    )


def _suppress(bounced: Collection[Result], going: Mapping[int, Ready], run: Run) -> None:
    for one in bounced:
        recipient = going[one.claimed.id].recipient
        keeping.bounced(one.claimed.contact_id, "email", recipient, now=run.now)
        suppression.suppress(
            recipient,
            reason="hard_bounce",
            received_by="smtp",
            now=run.now,
            contact_id=one.claimed.contact_id,
        )
