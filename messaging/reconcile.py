"""Settle messages whose fate is unclear, by what the receiving side says of their Message-ID.

The mail system's own record decides: a mailbox, or a relay's log. A message found there was sent.
One not found is put back in the queue only when the record is known to be complete up to a moment
after the hand-over; without that, not finding it proves nothing and it stays `unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import tenancy
from audit import trail
from audit.actor import Actor, acting_as
from contacts import events
from crypto.rows import binary_cursor
from messaging import claims
from messaging.models import Message
from messaging.pools import facts
from messaging.pools.facts import RELAYS, PoolFacts

RECONCILE = Actor("system", "reconcile")
_LOGGED = re.compile(r"message-id=(<[^>\s]+>)")

_SETTLE = """
UPDATE messaging_message SET state = %b, refusal_code = '', sent_at = %b
WHERE organisation_id = %b AND state = 'unknown' AND id = ANY(%b::int8[]) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Reconciled:
    found: int
    requeued: int
    left: int


def from_log(lines: Iterable[str]) -> set[str]:
    """Return the Message-IDs that a Postfix log (its cleanup lines) has taken in."""
    return set(logged(lines))


def logged(lines: Iterable[str]) -> Iterator[str]:
    return (match[1] for line in lines for match in _LOGGED.finditer(line))


def reconcile(
    taken_in: Collection[str],
    *,
    complete_until: datetime | None,
    absent: Collection[str] = (),
    now: datetime,
) -> Reconciled:
    """Settle the current organisation's `unknown` messages against the Message-IDs taken in.

    A record that is complete until some moment speaks for mail that went by the relay alone. Of
    what a gateway carried only itself can say that it never had it: those are `absent`.
    """
    with acting_as(RECONCILE), transaction.atomic():
        unclear = list(
            Message.objects.select_for_update()
            .filter(state="unknown")
            .select_related("version")
            .order_by("id")
        )
        found = [one for one in unclear if one.message_id_header in taken_in]
        pools = facts.read() if unclear else {}
        never = [
            one
            for one in unclear
            if one not in found
            and (one.message_id_header in absent or _proves_absence(one, complete_until, pools))
        ]
        _settle(found, "sent", now=now)
        _settle(never, "queued", now=now)
        _tell(found, now=now)
    return Reconciled(len(found), len(never), len(unclear) - len(found) - len(never))


def _proves_absence(
    message: Message, complete_until: datetime | None, pools: Mapping[str, PoolFacts]
) -> bool:
    if not pools[message.pool].carried_then(message.handed_over_at, by=RELAYS):
        return False
    handed_over = message.handed_over_at
    return bool(complete_until and handed_over and handed_over < complete_until)


def _settle(messages: Collection[Message], state: str, *, now: datetime) -> None:
    if not messages:
        return
    at = now if state == "sent" else None
    with binary_cursor() as cursor:
        cursor.execute(_SETTLE, [state, at, tenancy.current(), [one.pk for one in messages]])
    claims.note([(one.pk, state, "reconciled") for one in messages], now=now)
    action = "message.sent" if state == "sent" else "message.queued"
    trail.record_many(
        trail.Entry(action, subject=f"message:{one.pk}", outcome="reconciled") for one in messages
    )


def _tell(found: Collection[Message], *, now: datetime) -> None:
    events.append(
        [
            events.NewEvent(
                contact_id=one.contact_id,
                kind="message.sent",
                occurred_at=one.handed_over_at or now,
                source="reconcile",
                campaign=one.version.template_id,
                message_id=one.pk,
            )
            for one in found
        ],
        now=now,
    )
