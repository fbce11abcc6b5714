"""Send the one answer that STOP, HELP and START get, within five minutes or not at all (TC-02).

It is no message of the outbox: nobody ordered it, no gate is asked (a person who said STOP gets
nothing else), and a crash must not send it twice. So the row itself is claimed, and one that was on
its way when its worker was lost stays `unclear`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from audit import actions, trail
from audit.actor import acting_as
from consent.choices.replies import CONFIRM_WITHIN
from messaging.models import IncomingText
from messaging.outside import NoAnswer, NotCalled
from messaging.pools import facts
from messaging.texts.incoming import TEXTS
from messaging.transports import carriers
from messaging.transports.base import Fate

MOST: Final = 100
LOST: Final = timedelta(minutes=2)
"""A call takes seconds; an answer that is on its way for longer has lost its worker."""
Say = Callable[[str, str, str, str], Fate]
"""Number of the row, recipient, sender and words."""

actions.register("text.answered", ("answer", "state"))
_STATES: Final = {
    Fate.ACCEPTED: IncomingText.State.SENT,
    Fate.REJECTED: IncomingText.State.FAILED,
    Fate.UNCLEAR: IncomingText.State.UNCLEAR,
}


def run_once(*, now: datetime) -> int:
    """Send the current organisation's due answers; return how many were settled."""
    State = IncomingText.State  # noqa: N806  a short name for what stands in every line
    with acting_as(TEXTS):
        lost = IncomingText.objects.filter(answer_state=State.SENDING, answered_at__lt=now - LOST)
        lost.update(answer_state=State.UNCLEAR, answer_to=None)
        due = IncomingText.objects.filter(answer_state=State.DUE).order_by("received_at")[:MOST]
        return sum(_send(row, now=now) for row in due)


def _send(row: IncomingText, *, now: datetime) -> bool:
    if now - row.received_at > CONFIRM_WITHIN:
        return _settled(row, IncomingText.State.TOO_LATE, now=now)
    pool = facts.of(row.pool)
    line = carriers.of(pool)
    if line is None or not row.answer_to or not _claimed(row, now=now):
        return False
    said = row.answer_to
    try:
        fate = line.say(row.pk.hex, said["to"], carriers.number_of(pool), said["text"])
    except NotCalled:
        fate = Fate.NOT_TRIED
    except NoAnswer:
        fate = Fate.UNCLEAR
    if fate in _STATES:
        return _settled(row, _STATES[fate], now=now)
    IncomingText.objects.filter(pk=row.pk).update(answer_state=IncomingText.State.DUE)
    return False


def _claimed(row: IncomingText, *, now: datetime) -> bool:
    waiting = IncomingText.objects.filter(pk=row.pk, answer_state=IncomingText.State.DUE)
    return waiting.update(answer_state=IncomingText.State.SENDING, answered_at=now) == 1


def _settled(row: IncomingText, state: str, *, now: datetime) -> bool:
    """Write what became of it, and drop the number and the words."""
    IncomingText.objects.filter(pk=row.pk).update(
        answer_state=state, answered_at=now, answer_to=None
    )
    trail.record(
        "text.answered", subject=f"text:{row.pk}", detail={"answer": row.answer, "state": state}
    )
    return True
