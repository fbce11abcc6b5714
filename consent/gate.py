"""The gate: asked when a message is enqueued, and again in the transaction that claims it.

`ask` reads what stands for everyone with four statements and lets the pure policy decide, so many
people get the same answers as one by one. `ask_again` first makes withdrawals wait, so that no
claim is ever later than a withdrawal (consent.precedence).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent import precedence, standing
from consent.policy import Permit, Question, Refusal, decide


@dataclass(frozen=True, slots=True)
class GateRequest:
    """One message to one contact: what for, by which channel, and what it says of the person."""

    contact_id: int
    purpose: str | None
    channel: str = "email"
    classes: frozenset[str] = frozenset()
    topic: str = ""


def ask(requests: Sequence[GateRequest], *, now: datetime) -> list[Permit | Refusal]:
    """Return one answer for each request, in the same order."""
    stands = standing.read({one.contact_id for one in requests}, now=now)
    return [decide(_question(one, stands, now=now)) for one in requests]


def ask_again(requests: Sequence[GateRequest], *, now: datetime) -> list[Permit | Refusal]:
    """Ask inside the claiming transaction; withdrawals wait until that transaction ends.

    Call it before the messages' rows are locked, or call `precedence.hold_for_claim` first.
    """
    precedence.hold_for_claim()
    return ask(requests, now=now)


def _question(request: GateRequest, stands: standing.Standing, *, now: datetime) -> Question:
    person = stands.people.get(request.contact_id)
    address = person.addresses.get(request.channel) if person else None
    return Question(
        purpose=request.purpose,
        channel=request.channel,
        now=now,
        classes=request.classes,
        topic=request.topic,
        authorizations=tuple(stands.signed.get(request.contact_id, ())),
        opt_outs=stands.refusals(request.contact_id, address),
        suppressed=(request.channel, address) in stands.suppressed,
        deceased=person is not None and person.deceased,
        has_address=address is not None,
        known=person is not None,
    )
