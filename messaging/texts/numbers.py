"""What a gateway's or carrier's answer means for a number: nobody there, or a no given to them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from consent import ledger, suppression
from consent.addresses import SMS
from contacts.points import keeping

UNUSABLE, OPTED_OUT = "number_unusable", "opted_out"
DEAD: Final = frozenset({UNUSABLE, OPTED_OUT})
"""After one of these the number gets no more texts; every other answer may be different next time.
"""
UNDELIVERED: Final = frozenset({UNUSABLE, "not_delivered", "carrier_blocked"})


def usable(number: str) -> bool:
    """Say whether a gateway takes it: numbers with their country only (E.164)."""
    return number.startswith("+") and 8 <= len(number) <= 16 and number[1:].isdigit()


def give_up(contact_id: int, number: str, code: str, *, now: datetime) -> None:
    """Suppress a number that takes no texts; record a STOP that the carrier heard as a no of ours.

    Call `precedence.hold_for_withdrawal` before rows of messages are locked.
    """
    if code == OPTED_OUT:
        for whom in (contact_id, None):
            ledger.opt_out(
                whom, address=number, channel=SMS, keyword=True, received_by="carrier", now=now
            )
        return
    keeping.bounced(contact_id, "phone", number, now=now)
    suppression.suppress(
        number,
        channel=SMS,
        reason="hard_bounce",
        received_by="carrier",
        now=now,
        contact_id=contact_id,
    )
