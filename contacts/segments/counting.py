"""What a preview counts: the whole, each clause alone, and who is left after each step. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from contacts.segments.arrays import Mask
from contacts.segments.nodes import All, Clause, InSegment, children


@dataclass(slots=True)
class Preview:
    """How many are in, how many each clause holds for, and how many are left after each step.

    `clause_counts` is by the clause's place in the JSON. `funnel` is for a definition that is one
    `all`: how many are left after its first part, its first two, and so on.
    """

    total: int
    population: int
    clause_counts: dict[str, int]
    funnel: list[tuple[str, int]]
    as_of: datetime
    took: float


@dataclass(slots=True)
class Counts:
    """Adds up what each clause answered, block by block."""

    steps: Sequence[Clause] = ()
    people: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    left: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    clauses: dict[str, int] = field(default_factory=dict)
    funnel: dict[str, int] = field(default_factory=dict)
    own: dict[str, Clause] = field(default_factory=dict)
    """The clause that stands at each place of this JSON: not those of other segments, whose places
    sound the same, and not the inside of an operator that is written as one word."""
    turn: Callable[[], None] | None = None

    def start(self, root: Clause) -> None:
        self.steps = root.parts if isinstance(root, All) and not root.said else (root,)
        self.own = standing(root)
        self.clauses, self.funnel = {}, {}
        if self.turn is not None:
            self.turn()

    def begin(self, people: Mask) -> None:
        self.people, self.left = people, people
        if self.turn is not None:
            self.turn()

    def watch(self, clause: Clause, found: Mask) -> None:
        if self.own.get(clause.path) is not clause:
            return
        here = found & self.people
        self.clauses[clause.path] = self.clauses.get(clause.path, 0) + int(here.sum())
        if any(clause is step for step in self.steps):
            self.left = self.left & found
            path = clause.path
            self.funnel[path] = self.funnel.get(path, 0) + int(self.left.sum())


def standing(root: Clause) -> dict[str, Clause]:
    """Return the outermost clause at each place of the definition's own JSON."""
    found: dict[str, Clause] = {}
    todo = [root]
    while todo:
        clause = todo.pop()
        found.setdefault(clause.path, clause)
        todo += () if _is_one_word(clause) else reversed(children(clause))
    return found


def _is_one_word(clause: Clause) -> bool:
    """Whether the JSON has nothing inside: it names a segment, or a rule."""
    return isinstance(clause, InSegment) or (isinstance(clause, All) and bool(clause.said))
