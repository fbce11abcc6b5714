"""What a gateway reports of a text that it took: delivered, or not, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from django.db import transaction

from audit import trail
from audit.actor import acting_as
from consent import precedence
from contacts import events
from messaging import claims, evidence, happened
from messaging.hearing import intake, reported
from messaging.models import Message
from messaging.pools import lanes, places
from messaging.texts import numbers
from messaging.texts.incoming import TEXTS
from messaging.undelivered import cases

Status = Literal["sent", "delivered", "failed"]
STATUSES: Final = frozenset({"sent", "delivered", "failed"})


@transaction.atomic
def take(
    public_id: UUID, status: Status, *, code: str = "", reply: str = "", at: datetime, now: datetime
) -> bool:
    """Note what became of a text; say whether it is one of ours. Repeats change nothing.

    A report may come before the answer to the call that handed the text over: it settles an unclear
    one, and a text that was said to be delivered does not fail any more.
    """
    with acting_as(TEXTS):
        if status == "failed":
            precedence.hold_for_withdrawal()  # before rows of messages are locked
        message = (
            Message.objects.select_for_update(of=("self",))
            .select_related("version")
            .filter(public_id=public_id, pool__in=lanes.OF_TEXTS)
            .first()
        )
        if message is None:
            return False
        if status != "failed":
            intake.settle(message, now=now)
        if status == "delivered":
            reported.delivered(message, at=_when(message, at, now), now=now)
        elif status == "failed":
            _failed(message, code or "not_delivered", reply, now=now)
    return True


def _failed(message: Message, code: str, reply: str, *, now: datetime) -> None:
    if message.delivered_at is not None:
        return
    going = ["sent", "unknown", "handing_over"]
    moved = Message.objects.filter(pk=message.pk, state__in=going).update(
        state="failed", refusal_code=code, smtp_reply=reply[:16], lease_until=None
    )
    if not moved:
        return
    claims.note([(message.pk, "failed", code)], now=now)
    event = happened.event_of(message, "message.bounced", now=now)
    if event is not None:
        events.append([event], now=now, keep_first=True)
    trail.record("message.failed", subject=f"message:{message.pk}", detail={"code": code})
    if cases.concerns(message.classes) and code in numbers.UNDELIVERED:
        cases.open_many([(message.pk, code)], now=now)
    if code in numbers.DEAD:
        _give_up(message, code, now=now)
    else:
        # What a carrier refuses counts for the pool's breaker, as a mail server's no does.
        places.count(message.pool, [(places.minute_of(now), "other", 0, 0, 1, 0, 0)])


def _give_up(message: Message, code: str, *, now: datetime) -> None:
    """Suppress the number that it went to, whatever the person's number is today."""
    try:
        number = evidence.merged(message).recipient
    except evidence.Gone:
        return
    numbers.give_up(message.contact_id, number, code, now=now)


def _when(message: Message, at: datetime, now: datetime) -> datetime:
    """Return when it happened: not before the hand-over, and not in the future."""
    at = min(at, now)
    return max(at, message.handed_over_at) if message.handed_over_at else at
