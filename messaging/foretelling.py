"""By which way a message would reach people, by the line that its purpose's pool really uses."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from consent.gate import GateRequest
from messaging import sender
from messaging.pools import facts, lanes
from messaging.protect import Hop, Onward
from messaging.protection import forecast
from messaging.protection.forecast import Forecast


def count(people: Sequence[int], asked: GateRequest, *, now: datetime) -> Forecast:
    """Count the ways of a whole audience, as far as the forecast's patience reaches."""
    hop, onward = _line(asked.purpose or "", asked.channel)
    return forecast.of(people, asked, hop=hop, onward=onward, now=now)


def each(people: Sequence[int], asked: GateRequest, *, now: datetime) -> dict[int, str]:
    """Return the way to each of a few thousand people at most."""
    hop, onward = _line(asked.purpose or "", asked.channel)
    return forecast.each(people, asked, hop=hop, onward=onward, now=now)


def _line(purpose: str, channel: str) -> tuple[Hop, Onward]:
    pool = facts.of(lanes.pool_of(purpose, channel))
    with closing(sender.transport(pool)) as transport:
        return transport.hop, sender.onward(pool)
