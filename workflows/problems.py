"""What is wrong with a graph, and at which step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend: the step (empty for the whole), a stable code, a sentence."""

    node: str
    code: str
    message: str


class GraphInvalid(ValueError):
    """The graph cannot be used; `problems` names everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{one.node or 'workflow'}: {one.message}" for one in problems))
