"""By which ways an audience would be reached, before anything is sent.

Set-based: for each thousand people the gate, the addresses, receivers and keys are asked once. A
domain that nobody wrote to yet counts as `looked_up` and becomes due, so a second forecast knows.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from audit.actor import Actor, acting_as
from consent import gate
from consent.gate import GateRequest
from consent.policy import Permit
from contacts import reveal
from contacts.fields import DataClass
from messaging import protect
from messaging.protect import Hold, Hop, Onward
from messaging.protection import ways

AT_A_TIME = 1_000
PATIENCE = 5.0
"""Seconds; a longer audience is answered for as many as could be asked."""
LABELS = protect.FORESEEN


@dataclass(slots=True)
class Forecast:
    members: int
    asked: int = 0
    by_way: Counter[str] = field(default_factory=Counter)


def of(
    people: Sequence[int], asked: GateRequest, *, hop: Hop, onward: Onward, now: datetime
) -> Forecast:
    """Count the ways of the message `asked` (whose contact is left open); the caller records
    who asked."""
    made, began = Forecast(len(people)), time.monotonic()
    while made.asked < len(people) and time.monotonic() - began < PATIENCE:
        some = people[made.asked : made.asked + AT_A_TIME]
        made.by_way.update(each(some, asked, hop=hop, onward=onward, now=now).values())
        made.asked += len(some)
    return made


def each(
    people: Sequence[int], asked: GateRequest, *, hop: Hop, onward: Onward, now: datetime
) -> dict[int, str]:
    """Return by which of `LABELS` the message would reach each of these people."""
    requests = [replace(asked, contact_id=one) for one in people]
    answers = dict(zip(people, gate.ask(requests, now=now), strict=True))
    granted = {one: permit for one, answer in answers.items() if (permit := _permit(answer))}
    with acting_as(Actor("system", "forecast")):
        records = reveal.reveal(sorted(granted), {DataClass.CONTACT_POINT}, purpose="forecast")
    addresses = {one: str(record["email"]) for one, record in records.items() if "email" in record}
    known = ways.of(addresses.values(), now=now)
    found = dict.fromkeys(people, "blocked")
    for one, address in addresses.items():
        way = known.choose(
            address,
            asked.classes,
            purpose=asked.purpose or "",
            hop=hop,
            onward=onward,
            plain=granted[one].plain,
        )
        found[one] = _name(way.code) if isinstance(way, Hold) else way.route.value
    return found


def _permit(answer: gate.Answer) -> Permit | None:
    """Who only has to wait for a quiet hour or a cap to pass is reached all the same."""
    if isinstance(answer, gate.Hold):
        return answer.permit
    return answer if isinstance(answer, Permit) else None


def _name(code: str) -> str:
    return "looked_up" if code == "receiver_unknown" else "blocked"
