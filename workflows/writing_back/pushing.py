"""The loop that tells receivers: each in the order of the feed, outside of every transaction.

    claim one receiver that is due, for a time, with a number that no other attempt has
    open what comes next for it, as far as it may be told today
    call, one after the other; mark each with the number, and go on from there

What the receiver accepts moves its position. What it will not have, ever, is set aside by name, and
the others go on. Anything else is tried again, more and more rarely, and nothing overtakes it. A
crash between call and mark repeats the call with the same key: HTTP's id, FHIR's identifier,
HL7's MSH-10.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction

from audit import actions, disclosures, trail
from workflows import writing_back
from workflows.webhooks import answering, delivering, endpoints
from workflows.webhooks.building import Built
from workflows.webhooks.client import Answered, Said, Unanswered
from workflows.webhooks.models import Endpoint
from workflows.writing_back import Told, hl7, telling
from workflows.writing_back.models import WriteBackReceiver, WriteBackSetAside

LIMIT = 32
BUDGET = 60.0
"""Seconds after which a turn begins no other call."""
LEASE = timedelta(seconds=120)
"""Longer than a turn and the one call that it may have begun."""
NEVER = frozenset({400, 409, 410, 412, 413, 415, 422})
"""Statuses by which a receiver says that this one thing will not do, now or later."""

actions.register("write_back.pushed", ("receiver", "attempt", "status", "reason", "classes"))

CLAIM = """
with due as (
    select r.id from workflows_writebackreceiver r
    join workflows_endpoint p on p.id = r.endpoint_id
    where r.archived_at is null and r.due_at <= %(now)s
      and p.archived_at is null and not p.paused
      and (p.rests_until is null or p.rests_until <= %(now)s)
      and (exists (select from workflows_writeback b where b.position > r.position)
           or exists (select from workflows_writebacksetaside a
                      where a.receiver_id = r.id and a.again))
    order by r.due_at limit 1 for update of r skip locked
)
update workflows_writebackreceiver r set fence = r.fence + 1, due_at = %(lease)s
from due where r.id = due.id returning r.id
"""
HELD = """
select id from workflows_writebackreceiver
where id = %s and fence = %s and archived_at is null for update
"""


class End(StrEnum):
    """What became of one thing."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer means; `code` says why where it was not accepted."""

    end: End
    code: str = ""
    after: timedelta | None = None


def run_once(
    *,
    now: datetime,
    post: delivering.Post | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Tell the receivers of the current organisation what is due; return how many calls there
    were."""
    ends, made, told = clock() + BUDGET, 0, post or delivering.usual()
    while clock() < ends and (receiver := _claim(now=now)):
        made += _turn(receiver, told, lambda: clock() < ends, now=now)
    return made


def _claim(*, now: datetime) -> WriteBackReceiver | None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, {"now": now, "lease": now + LEASE})
        row = cursor.fetchone()
        if row is None:
            return None
        return WriteBackReceiver.objects.select_related("endpoint").get(pk=row[0])


def _turn(
    receiver: WriteBackReceiver,
    post: delivering.Post,
    goes_on: Callable[[], bool],
    *,
    now: datetime,
) -> int:
    """Tell what comes next until something does not go through; then let the receiver go."""
    told = _next(receiver)
    built = telling.requests(receiver, receiver.endpoint, told, now=now)
    made = 0
    for one in told:
        if not goes_on():
            break
        request = built[one.position]
        said = request if isinstance(request, Unanswered) else post(
            request.url, request.body, request.headers
        )  # fmt: skip
        made += 1
        outcome = _settled(receiver, one, meaning(receiver.form, one, said), said)
        if not _mark(receiver, one, outcome, said, request, now=now):
            return made
    _let_go(receiver, now=now)
    return made


def _next(receiver: WriteBackReceiver) -> list[Told]:
    """What staff asked for again first; alone where the last attempt came to nothing, so that
    nobody's record is opened for a call that is not made."""
    again = WriteBackSetAside.objects.filter(receiver=receiver, again=True).order_by("position")
    positions = list(again.values_list("position", flat=True)[:LIMIT])
    limit, last = 1 if receiver.attempts else LIMIT, writing_back.last()
    told = writing_back.at(positions) + writing_back.read(after=receiver.position, limit=limit)
    gone = set(positions) - {one.position for one in told}
    again.filter(position__in=gone).delete()
    if not told:  # all that is left was of people who were erased
        WriteBackReceiver.objects.filter(pk=receiver.pk, fence=receiver.fence).update(position=last)
    return told[:limit]


def meaning(form: str, told: Told, said: Said) -> Outcome:
    """Return what the answer means; over HL7 the acknowledgement counts, whatever the status."""
    if isinstance(said, Unanswered):
        return Outcome(End.REFUSED if said.code == "class_not_allowed" else End.LATER, said.code)
    if form != WriteBackReceiver.Form.FHIR:
        if answer := hl7.answer(said.body, hl7.number(told)):
            return _acknowledged(answer)
        if 200 <= said.status < 300:
            return Outcome(End.LATER, "no_acknowledgement")
    if 200 <= said.status < 300:
        return Outcome(End.ACCEPTED)
    code = f"status_{said.status}"
    if said.status in NEVER:
        return Outcome(End.REFUSED, code)
    return Outcome(End.LATER, code, answering.asked_for(said.retry_after))


def _settled(receiver: WriteBackReceiver, told: Told, outcome: Outcome, said: Said) -> Outcome:
    """What was set aside before holds nobody up: an answer that is not good leaves it there."""
    before = told.position <= receiver.position
    if before and outcome.end is End.LATER and isinstance(said, Answered):
        return Outcome(End.REFUSED, outcome.code)
    return outcome


def _acknowledged(answer: hl7.Answer) -> Outcome:
    """An error lies in the message; a rejection does not, and may pass (HL7 v2.5.1, 2.9.2)."""
    if answer is hl7.Answer.ACCEPTED:
        return Outcome(End.ACCEPTED)
    if answer is hl7.Answer.ERROR:
        return Outcome(End.REFUSED, "acknowledged_error")
    return Outcome(End.LATER, "acknowledged_rejected")


def _mark(
    receiver: WriteBackReceiver,
    told: Told,
    outcome: Outcome,
    said: Said,
    built: Built,
    *,
    now: datetime,
) -> bool:
    """Write what became of it, in one transaction with the trail; say whether to go on."""
    status = said.status if isinstance(said, Answered) else 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(HELD, [receiver.pk, receiver.fence])
        held = cursor.fetchone() is not None
        _tell(receiver, told, outcome, status, built, now=now)
        if held:
            _write(receiver, told, outcome, now=now)
    called = not isinstance(built, Unanswered)
    if called:
        silent = outcome.end is End.LATER and not status
        endpoints.heard(receiver.endpoint, status, silent=silent, now=now)
    return held and outcome.end is not End.LATER


def _write(receiver: WriteBackReceiver, told: Told, outcome: Outcome, *, now: datetime) -> None:
    row = WriteBackReceiver.objects.filter(pk=receiver.pk)
    aside = WriteBackSetAside.objects.filter(receiver=receiver, position=told.position)
    if outcome.end is End.LATER:
        attempts = receiver.attempts + 1
        at = answering.next_attempt(attempts, outcome.after, told.key, now=now)
        row.update(attempts=attempts, reason=outcome.code, due_at=at)
        return
    if outcome.end is End.ACCEPTED:
        aside.delete()
        row.update(accepted_at=now)
    elif not aside.update(again=False, reason=outcome.code, at=now):
        set_aside(receiver, told.position, outcome.code, now=now)
    receiver.attempts, receiver.position = 0, max(receiver.position, told.position)
    row.update(attempts=0, reason="", position=receiver.position)


def set_aside(receiver: WriteBackReceiver, position: int, code: str, *, now: datetime) -> None:
    WriteBackSetAside.objects.create(receiver=receiver, position=position, reason=code, at=now)


def _let_go(receiver: WriteBackReceiver, *, now: datetime) -> None:
    """The rest is due at once; a turn that ended in a wait has its moment already."""
    mine = WriteBackReceiver.objects.filter(pk=receiver.pk, fence=receiver.fence)
    mine.update(due_at=now)


def _tell(
    receiver: WriteBackReceiver,
    told: Told,
    outcome: Outcome,
    status: int,
    built: Built,
    *,
    now: datetime,
) -> None:
    """Into the trail, and into the record of disclosures where somebody else got facts."""
    endpoint: Endpoint = receiver.endpoint
    classes = () if isinstance(built, Unanswered) else built.classes
    trail.record(
        "write_back.pushed",
        subject=f"contact:{told.contact_id}",
        outcome="done" if outcome.end is End.ACCEPTED else "failed",
        detail={
            "receiver": str(receiver.pk),
            "attempt": receiver.attempts + 1,
            "status": status,
            "classes": sorted(classes),
            **({"reason": outcome.code} if outcome.code else {}),
        },
    )
    if status and classes and not endpoint.own:
        disclosures.record(
            organisation_id=endpoint.organisation_id,
            contact_id=told.contact_id,
            recipient=endpoint.recipient,
            address=endpoint.address,
            what="what a workflow tells the record of care",
            purpose="write-back",
            basis="business_associate",
            at=now,
        )
