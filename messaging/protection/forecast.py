"""By which ways an audience would be reached, before anything is sent.

Set-based: for each thousand people the gate, the addresses, receivers and keys are asked once. A
domain that nobody wrote to yet counts as `looked_up` and becomes due, so a second forecast knows.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.actor import Actor, acting_as
from consent import gate
from consent.policy import Permit
from contacts import reveal
from contacts.fields import DataClass
from messaging.protect import Hold, Hop, Onward
from messaging.protection import ways

AT_A_TIME = 1_000
PATIENCE = 5.0
"""Seconds; a longer audience is answered for as many as could be asked."""
LABELS = {
    "mail": "Mail over TLS",
    "smime": "S/MIME",
    "pgp": "OpenPGP",
    "portal": "Portal",
    "looked_up": "Being looked up",
    "blocked": "Blocked",
}


@dataclass(slots=True)
class Forecast:
    members: int
    asked: int = 0
    by_way: Counter[str] = field(default_factory=Counter)


def of(
    people: Sequence[int],
    *,
    purpose: str,
    classes: frozenset[str],
    hop: Hop,
    onward: Onward,
    now: datetime,
) -> Forecast:
    """Count the ways; the caller records who asked."""
    made, began = Forecast(len(people)), time.monotonic()
    while made.asked < len(people) and time.monotonic() - began < PATIENCE:
        some = people[made.asked : made.asked + AT_A_TIME]
        made.by_way += _ways(some, purpose, classes, hop, onward, now)
        made.asked += len(some)
    return made


def _ways(
    people: Sequence[int],
    purpose: str,
    classes: frozenset[str],
    hop: Hop,
    onward: Onward,
    now: datetime,
) -> Counter[str]:
    requests = [gate.GateRequest(one, purpose, "email", classes) for one in people]
    answers = dict(zip(people, gate.ask(requests, now=now), strict=True))
    granted = {one: answer for one, answer in answers.items() if isinstance(answer, Permit)}
    with acting_as(Actor("system", "forecast")):
        records = reveal.reveal(sorted(granted), {DataClass.CONTACT_POINT}, purpose="forecast")
    addresses = {one: str(record["email"]) for one, record in records.items() if "email" in record}
    known = ways.of(addresses.values(), now=now)
    counted: Counter[str] = Counter({"blocked": len(people) - len(addresses)})
    for one, address in addresses.items():
        way = known.choose(
            address, classes, purpose=purpose, hop=hop, onward=onward, plain=granted[one].plain
        )
        counted[_name(way.code) if isinstance(way, Hold) else way.route.value] += 1
    return counted


def _name(code: str) -> str:
    return "looked_up" if code == "receiver_unknown" else "blocked"
