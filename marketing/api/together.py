"""Questions that come at one moment are answered together, by one of the threads that ask."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence, Sized
from threading import Event, Lock
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

MOMENT = 0.001
"""Seconds that are waited for company by who has reason to expect it."""
Asked = TypeVar("Asked", bound=Sized)
Answer = TypeVar("Answer")


class _Question(Generic[Asked, Answer]):
    """A question, and a lock that is held until it is its turn: to be answered, or to work."""

    __slots__ = ("answer", "asked", "is_over", "turn")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answer: Answer | None = None
        self.is_over = False
        self.turn = Lock()
        self.turn.acquire()


class Together(Generic[Asked, Answer]):
    """Gathers what threads ask while others of them work.

    Who finds room at work works at once, for itself alone: nobody is kept waiting for company.
    Those who come meanwhile wait, and the first of them then works for all of them. So the more
    come, the less each costs. After a group of several, who works next waits a moment for as many
    again: they were just answered, and mostly ask again at once.

    `most` bounds the sum of the lengths of what is answered at once; a question that is
    longer is answered alone. `at_once` is how many threads may work at a time: more than one where
    the work mostly waits for others, and gathering saves little.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Sequence[Answer | None]],
        *,
        most: int,
        at_once: int = 1,
    ) -> None:
        self._work, self._most, self._at_once = work, most, at_once
        self._state = Lock()
        self._company = Event()
        self._at_work, self._expected = 0, 0
        self._waiting: deque[_Question[Asked, Answer]] = deque()

    def ask(self, asked: Asked) -> Answer | None:
        """Return the answer; None where there is none, or where the work failed."""
        mine: _Question[Asked, Answer] = _Question(asked)
        with self._state:
            if must_wait := self._at_work >= self._at_once:
                self._waiting.append(mine)
            else:
                self._at_work += 1
            if len(self._waiting) >= self._expected:
                self._company.set()
        if must_wait:
            mine.turn.acquire()
        if not mine.is_over:
            self._work_for(mine)
        return mine.answer

    def _work_for(self, mine: _Question[Asked, Answer]) -> None:
        """Answer this thread's own question, and with it the first who wait."""
        if self._expected:
            self._company.wait(MOMENT)
        questions = self._with(mine)
        answers: Sequence[Answer | None] = [None] * len(questions)
        try:
            answers = self._work([question.asked for question in questions])
        except Exception:
            logger.exception("what was asked together failed, and is asked again one by one")
        finally:
            self._hand_over(len(questions) - 1)
            for question, answer in zip(questions, answers, strict=True):
                question.answer, question.is_over = answer, True
                question.turn.release()

    def _with(self, mine: _Question[Asked, Answer]) -> list[_Question[Asked, Answer]]:
        questions, room = [mine], self._most - len(mine.asked)
        with self._state:
            while self._waiting and len(self._waiting[0].asked) <= room:
                room -= len(self._waiting[0].asked)
                questions.append(self._waiting.popleft())
        return questions

    def _hand_over(self, company: int) -> None:
        """Let the first who waits work next; it may expect so many beside itself."""
        with self._state:
            self._expected = company
            if self._waiting:
                self._waiting.popleft().turn.release()
            else:
                self._at_work -= 1
            if len(self._waiting) < company:
                self._company.clear()
