"""Questions that come at one moment are answered together, by one of the threads that ask."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence, Sized
from threading import Lock
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
    """Gathers what threads ask while one of them works.

    Who finds nobody at work works at once, for itself alone: nobody is kept waiting for company.
    Those who come meanwhile wait, and the first of them then works for all of them. So the more
    come, the less each costs. After a group of several, who works next waits a moment for company:
    they were just answered, and mostly ask again at once.

    `most` bounds the sum of the lengths of what is answered at once; a question that is
    longer is answered alone.
    """

    def __init__(
        self, work: Callable[[Sequence[Asked]], Sequence[Answer | None]], *, most: int
    ) -> None:
        self._work, self._most = work, most
        self._state = Lock()
        self._at_work = self._had_company = False
        self._waiting: deque[_Question[Asked, Answer]] = deque()

    def ask(self, asked: Asked) -> Answer | None:
        """Return the answer; None where there is none, or where the work failed."""
        mine: _Question[Asked, Answer] = _Question(asked)
        with self._state:
            self._waiting.append(mine)
            must_wait, self._at_work = self._at_work, True
        if must_wait:
            mine.turn.acquire()
        if not mine.is_over:
            self._work_for_those_waiting()
        return mine.answer

    def _work_for_those_waiting(self) -> None:
        """Answer the first who wait, this thread's own question among them."""
        if self._had_company:
            time.sleep(MOMENT)
        questions = self._next()
        self._had_company = len(questions) > 1
        answers: Sequence[Answer | None] = [None] * len(questions)
        try:
            answers = self._work([question.asked for question in questions])
        except Exception:
            logger.exception("what was asked together failed, and is asked again one by one")
        finally:
            self._hand_over()
            for question, answer in zip(questions, answers, strict=True):
                question.answer, question.is_over = answer, True
                question.turn.release()

    def _next(self) -> list[_Question[Asked, Answer]]:
        with self._state:
            questions = [self._waiting.popleft()]
            room = self._most - len(questions[0].asked)
            while self._waiting and len(self._waiting[0].asked) <= room:
                room -= len(self._waiting[0].asked)
                questions.append(self._waiting.popleft())
        return questions

    def _hand_over(self) -> None:
        """Let the first who waits work next."""
        with self._state:
            if self._waiting:
                self._waiting[0].turn.release()
            else:
                self._at_work = False
