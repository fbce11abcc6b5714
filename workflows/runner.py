"""Move everybody who is due, hundreds at a time, in one transaction.

    claim the due enrolments, skipping those that another worker holds
    leave alone whom the brake holds: their workflow runs away, and is paused
    let the pure engine take each as far as it gets, asked once for all who stand at one place
    do what the steps passed ask for, then find out what the engine asked: messages are accepted or
        refused by the outbox, unless the ceiling or the brake holds the person; engagement and
        segments are read, each kind with one statement
    repeat until everybody waits or is out
    write the places and the moves

Killed at any statement, all of it is undone together: the moves, the messages, the list changes.
Nobody is lost, and the unique keys of moves and messages hold even if two workers met. Where one
person breaks the turn, that one is set apart (`workflows.apart`) and the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from audit import trail
from workflows import answers, apart, effects, journeys, written
from workflows.asks import Leave
from workflows.brakes.turn import Turn
from workflows.journeys import Engine, Journey

logger = logging.getLogger(__name__)

LIMIT = 2_000
"""People in one turn. More would be a little quicker, and hold back who waits for its end."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run did."""

    claimed: int = 0
    moves: int = 0
    finished: int = 0
    stopped: int = 0

    def __add__(self, other: Ran) -> Ran:
        return Ran(*(getattr(self, one) + getattr(other, one) for one in self.__slots__))


def run_once(*, now: datetime, limit: int = LIMIT, newest: bool = False) -> Ran:
    """Move up to `limit` people of the current organisation, the longest due first, or the last."""
    if not journeys.anybody_due(now=now):
        return Ran()
    try:
        return _turn(lambda: journeys.claim(now=now, limit=limit, newest=newest), now=now)
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy: nobody's fault, and the next tick tries again
    except Exception:
        logger.exception("a turn broke; its people are taken in halves")
        due = journeys.due(now=now, limit=limit, newest=newest)

        def these(part: Sequence[int]) -> Ran:
            return _turn(lambda: journeys.claim_these(part, now=now), now=now)

        return sum(apart.in_halves(due, these, now=now), Ran())


def _turn(claim: Callable[[], list[Journey]], *, now: datetime) -> Ran:
    """Move whom the claim takes in hand, in one transaction."""
    with transaction.atomic():
        people = claim()
        if not people:
            return Ran()
        turn = Turn.begin(people, now=now)
        people = turn.admit(people)
        travel(people, turn, now=now)
        moves = written.write(people, now=now)
        turn.end()
        trail.record("workflow.advanced", detail={"count": len(people)})
    ended = [one.stopped.outcome for one in people if isinstance(one.stopped, Leave)]
    finished = ended.count("finished")
    return Ran(len(people), moves, finished, len(ended) - finished)


def travel(people: Sequence[Journey], turn: Turn, *, now: datetime) -> None:
    """Take everybody on until each has to wait or is out."""
    engine, under_way = Engine(now=now), list(people)
    while under_way:
        heard = [(journey, engine.move(journey)) for journey in under_way]
        effects.apply(heard, now=now)
        asked = turn.hold([(one, outcome) for one, outcome in heard if one.stopped is None])
        answers.find(asked, now=now)
        under_way = [journey for journey, _ in asked if journey.stopped is None]
