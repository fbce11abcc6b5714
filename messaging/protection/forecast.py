"""By which ways an audience would be reached, before anything is sent.

Set-based: for each thousand people the gate, the addresses, receivers and keys are asked once. A
domain that nobody wrote to yet counts as `looked_up` and becomes due, so a second forecast knows.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from audit.actor import Actor, acting_as
from consent import gate
from consent.gate import GateRequest
from consent.policy import Permit, Refusal
from contacts import reveal
from contacts.canonical import phone_form
from contacts.fields import DataClass
from messaging import protect
from messaging.pools.lanes import SMS
from messaging.protect import Hold, Hop, Onward, Way
from messaging.protection import ways
from messaging.texts.numbers import usable as number_usable

AT_A_TIME = 1_000
PATIENCE = 5.0
"""Seconds; a longer audience is answered for as many as could be asked."""
LABELS = protect.FORESEEN
OF_TEXTS = {"text": "Text message", "blocked": "Blocked"}
"""What a forecast says of a text message: it has one way, or none."""


@dataclass(slots=True)
class Forecast:
    """How many would be reached by which way, and by which codes the blocked ones are held."""

    members: int
    asked: int = 0
    by_way: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)


def labels(channel: str) -> Mapping[str, str]:
    """Return the names of the ways that a message of this channel can go, with their labels."""
    return OF_TEXTS if channel == SMS else LABELS


def of(
    people: Sequence[int], asked: GateRequest, *, hop: Hop, onward: Onward, now: datetime
) -> Forecast:
    """Count the ways of the message `asked` (whose contact is left open); the caller records
    who asked."""
    made, began = Forecast(len(people)), time.monotonic()
    while made.asked < len(people) and time.monotonic() - began < PATIENCE:
        some = people[made.asked : made.asked + AT_A_TIME]
        judged = _judged(some, asked, hop=hop, onward=onward, now=now)
        made.by_way.update(way for way, _ in judged.values())
        made.why.update(code for way, code in judged.values() if way == "blocked")
        made.asked += len(some)
    return made


def each(
    people: Sequence[int], asked: GateRequest, *, hop: Hop, onward: Onward, now: datetime
) -> dict[int, str]:
    """Return by which of the channel's ways the message would reach each of these people."""
    judged = _judged(people, asked, hop=hop, onward=onward, now=now)
    return {one: way for one, (way, _) in judged.items()}


Judged = dict[int, tuple[str, str]]
"""The way of each person, and the code of what is in it, if anything is."""


def _judged(
    people: Sequence[int], asked: GateRequest, *, hop: Hop, onward: Onward, now: datetime
) -> Judged:
    requests = [replace(asked, contact_id=one) for one in people]
    answers = dict(zip(people, gate.ask(requests, now=now), strict=True))
    refused = {one: answer.code for one, answer in answers.items() if isinstance(answer, Refusal)}
    granted = {one: permit for one, answer in answers.items() if (permit := _permit(answer))}
    kind = "phone" if asked.channel == SMS else "email"
    with acting_as(Actor("system", "forecast")):
        records = reveal.reveal(sorted(granted), {DataClass.CONTACT_POINT}, purpose="forecast")
    addresses = {one: str(record[kind]) for one, record in records.items() if kind in record}
    found = {one: ("blocked", refused.get(one, "no_address")) for one in people}
    if asked.channel == SMS:
        return found | _by_text(addresses, granted, asked, hop)
    known = ways.of(addresses.values(), now=now)
    for one, address in addresses.items():
        way = known.choose(
            address,
            asked.classes,
            purpose=asked.purpose or "",
            hop=hop,
            onward=onward,
            plain=granted[one].plain,
        )
        found[one] = _way(way)
    return found


def _by_text(
    numbers: Mapping[int, str], granted: Mapping[int, Permit], asked: GateRequest, hop: Hop
) -> Judged:
    """Judge who has a number, as dispatch does; how long each text gets is not known before."""
    found: Judged = {}
    for one, number in numbers.items():
        way = protect.choose_text(asked.classes, hop=hop, plain=granted[one].plain)
        usable = isinstance(way, Hold) or number_usable(phone_form(number))
        found[one] = _way(way) if usable else ("blocked", "number_unusable")
    return found


def _way(way: Way | Hold) -> tuple[str, str]:
    return (_name(way.code), way.code) if isinstance(way, Hold) else (way.route.value, "")


def _permit(answer: gate.Answer) -> Permit | None:
    """Who only has to wait for a quiet hour or a cap to pass is reached all the same."""
    if isinstance(answer, gate.Hold):
        return answer.permit
    return answer if isinstance(answer, Permit) else None


def _name(code: str) -> str:
    return "looked_up" if code == "receiver_unknown" else "blocked"
