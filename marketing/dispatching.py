"""Send for every organisation: whoever waits in the most urgent pool first, in short turns.

A relay may be slow, and several organisations and pools may share it. So nobody sends until nothing
is left: each pool of each organisation has one turn (`dispatch.TURN`), and after a turn it is asked
again whether something more urgent came. A care mail waits for the turn that is under way and for
others as urgent, never for a campaign. What had its turn waits until something less urgent had one,
so a flood of urgent mail slows a campaign and never stops it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts import tenancy
from audit.actor import Actor, acting_as
from messaging import claims, dispatch, sender
from messaging.pools import facts, fencing, lanes
from messaging.texts import answering

logger = logging.getLogger(__name__)

BUDGET: Final = 20.0
"""Seconds after which no further turn begins; what is left waits for the next tick."""
FRESH: Final = 1.0
"""Seconds for which it is known who has something to send."""


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """One pool of one organisation that has something due; the most urgent is the least."""

    rank: int
    organisation_id: int

    @property
    def pool(self) -> str:
        return lanes.POOLS[self.rank]


def run(now: datetime, *, budget: float = BUDGET) -> None:
    """Send what is due until nothing moves any more or the time is over."""
    end, idle = time.monotonic() + budget, set[Waiting]()
    while time.monotonic() < end and (due := _prepared_due(idle, now)):
        for one in _in_turn(due, idle, now):
            if not _served(one, now):
                idle.add(one)
            if time.monotonic() >= end:
                return


def _prepared_due(idle: Collection[Waiting], now: datetime) -> list[Waiting]:
    for organisation_id in tenancy.organisation_ids():
        _prepared(organisation_id, now)
    return _due(idle, now)


def _in_turn(
    due: Collection[Waiting], idle: Collection[Waiting], now: datetime
) -> Iterator[Waiting]:
    """Yield each once, the most urgent first, and before any that is less urgent those who came
    meanwhile."""
    waiting, had, looked = deque(sorted(due)), set[Waiting](), time.monotonic()
    while waiting:
        one = waiting.popleft()
        if had and one.rank > min(had).rank:
            had.clear()
        had.add(one)
        yield one
        if waiting and time.monotonic() - looked >= FRESH:
            came = _due({*idle, *had, *waiting}, now)
            waiting.extendleft(sorted((x for x in came if x.rank < waiting[0].rank), reverse=True))
            looked = time.monotonic()


def _due(but: Collection[Waiting], now: datetime) -> list[Waiting]:
    """Return who has something due, in a look at an index each."""
    found: list[Waiting] = []
    for organisation_id in tenancy.organisation_ids():
        with tenancy.acting_for(organisation_id):
            if not claims.anything_due(now=now):
                continue
            asked = (Waiting(rank, organisation_id) for rank in range(len(lanes.POOLS)))
            wanted = [one for one in asked if one not in but]
            found += [one for one in wanted if claims.anything_due(now=now, pool=one.pool)]
    return found


def _prepared(organisation_id: int, now: datetime) -> None:
    """Take back what a lost worker held, and answer those who wrote to us."""
    try:
        with tenancy.acting_for(organisation_id), acting_as(Actor("system", "dispatch")):
            if not fencing.check(now=now):
                claims.recover(now=now)
                answering.run_once(now=now)
    except Exception:
        logger.exception("loop dispatch failed for organisation %s", organisation_id)


def _served(one: Waiting, now: datetime) -> int:
    """Serve a pool by its own relay for one turn, and return how many messages moved; a database
    older than its mails sends nothing."""
    try:
        with tenancy.acting_for(one.organisation_id), acting_as(Actor("system", "dispatch")):
            pool = facts.of(one.pool)
            carrier = None if fencing.check(now=now) else sender.carrier(pool)
            if carrier is None:
                return 0
            with closing(carrier) as transport:
                onward = sender.onward(pool)
                done = dispatch.run_once(transport=transport, now=now, onward=onward, pool=one.pool)
            return done.moved
    except Exception:
        logger.exception("loop dispatch failed for organisation %s", one.organisation_id)
        return 0
