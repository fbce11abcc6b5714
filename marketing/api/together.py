"""Questions that come at one moment are answered together, by one of the threads that ask."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

MOST = 100
"""Questions answered at once."""
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(slots=True, eq=False)
class _Question(Generic[Asked, Answer]):
    asked: Asked
    answer: Answer | None = None
    is_over: bool = False


class Together(Generic[Asked, Answer]):
    """Gathers what threads ask while one of them works.

    Who finds nobody at work works at once, for itself alone: nobody is kept waiting for company.
    Those who come meanwhile wait, and the first of them then works for all of them. So the more
    come, the less each costs.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Answer | None]]) -> None:
        self._work = work
        self._turn = Lock()
        self._waiting: deque[_Question[Asked, Answer]] = deque()

    def ask(self, asked: Asked) -> Answer | None:
        """Return the answer; None where there is none, or where the work failed."""
        mine: _Question[Asked, Answer] = _Question(asked)
        self._waiting.append(mine)
        with self._turn:
            while not mine.is_over:
                self._answer_those_waiting()
        return mine.answer

    def _answer_those_waiting(self) -> None:
        questions = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        answers: Sequence[Answer | None] = [None] * len(questions)
        try:
            answers = self._work([question.asked for question in questions])
        except Exception:
            logger.exception("what was asked together failed, and is asked again one by one")
        finally:
            for question, answer in zip(questions, answers, strict=True):
                question.answer, question.is_over = answer, True
