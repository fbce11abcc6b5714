"""What a simulation runs on: the heap of all that is to happen, the dice, and the world to ask."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Protocol
from uuid import UUID

from consent.policy import Answer as Decided
from workflows.asks import Clock, Effect
from workflows.graph import Graph
from workflows.simulate.people import Did, Person
from workflows.simulate.plan import Plan
from workflows.steps import Foreseen, InSegment, Until

DOES, STEPS, MAILS = range(3)
"""The kinds of thing that happen, in the order in which one instant's are worked off."""


class World(Protocol):
    """What the course has to ask."""

    def accept(self, people: Sequence[tuple[Person, str]], *, now: datetime) -> list[Decided]:
        """May the message of this step be queued for each?"""

    def send(self, people: Sequence[tuple[Person, str]], *, now: datetime) -> list[Decided]:
        """May the message go out now? Asked again at the moment of sending, caps included."""

    def inside(
        self, condition: InSegment, people: Sequence[Person], *, now: datetime
    ) -> set[int] | None:
        """Return the numbers of those in the segment; None where it cannot be asked."""

    def foreseen(self, condition: Foreseen, people: Sequence[Person]) -> dict[int, bool | None]:
        """Say by a person's number whether such a message would go one of these ways, as far as
        is known when the simulation begins; None where nothing is."""

    def clock(self, person: Person, step: Until) -> Clock:
        """Return the person's zone, and the date that the step waits for."""

    def lot(self, person: Person, node: str) -> float | None:
        """Return the lot that a known person draws live at this split; None for the invented."""

    def hear(self, person: Person, did: Did) -> None:
        """Take in what an event does to consent."""

    def change(self, person: Person, effect: Effect) -> str:
        """Keep what a step changed for the rest of the simulation; return it in a word or two."""


@dataclass(slots=True)
class Clockwork:
    """Everybody, the virtual moment, and what is to happen when."""

    graph: Graph
    plan: Plan
    world: World
    people: Sequence[Person]
    now: datetime = field(init=False)
    ceiling: int = 0
    """So many messages for one person within 24 hours, as behind the live runner; 0 for no limit.
    What people got before, or from other workflows, is not counted here."""
    onward: dict[UUID, int] = field(default_factory=dict)
    """How many went on to each other workflow; what they do there is not simulated."""
    _heap: list[tuple[datetime, int, int, Person, object]] = field(default_factory=list)
    _ticket: Iterator[int] = field(default_factory=count)

    def _put(self, at: datetime, kind: int, person: Person, what: object = None) -> None:
        heapq.heappush(self._heap, (at, kind, next(self._ticket), person, what))

    def _dice(self, person: Person, what: str) -> Random:
        """Dice of one's own for each person and thing: one more message changes no other draw."""
        return Random(f"{self.plan.seed} {person.number} {what}")  # noqa: S311  # no secret
