"""Take whoever is overdue past the next message without it, while the brakes are on.

The ceiling and the rates count here as in a turn of the runner: a second message that comes due in
the same stride is asked for as ever, and waits where it must.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts import tenancy
from workflows import answers, effects, journeys, written
from workflows.asks import AskSend
from workflows.brakes.turn import Turn
from workflows.journeys import Engine, Journey

BATCH = 1_000
_CLAIM = f"""{journeys.COLUMNS}
where organisation_id = %b and workflow_id = %b and state = 'waiting' and due_at <= %b
order by due_at, id limit %b for update
"""


def skip(workflow_id: UUID, *, now: datetime) -> None:
    """Take each who is overdue past the next message without sending it."""
    told = [tenancy.current(), workflow_id, now, BATCH]
    while people := journeys.claimed(_CLAIM, told):
        turn = Turn.begin(people, now=now)
        turn.let_in(people)
        _past_the_message(people, turn, now=now)
        written.write(people, now=now)
        turn.end()


def _past_the_message(people: Sequence[Journey], turn: Turn, *, now: datetime) -> None:
    """The message that is skipped takes nobody's place; one after it is asked for as ever."""
    engine, under_way, skipped = Engine(now=now), list(people), set[int]()
    while under_way:
        heard = [(journey, engine.move(journey)) for journey in under_way]
        effects.apply(heard, now=now)
        asked = []
        for journey, outcome in heard:
            if isinstance(outcome.stopped, AskSend) and journey.id not in skipped:
                skipped.add(journey.id)
                journey.answer = True
            elif journey.stopped is None:
                asked.append((journey, outcome))
        answers.find(turn.hold(asked), now=now)
        under_way = [journey for journey in under_way if journey.stopped is None]
