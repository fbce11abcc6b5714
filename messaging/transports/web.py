"""What every transport over HTTP has in common: several calls at once, one outcome each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from messaging.outside import Answer, NoAnswer, NotCalled
from messaging.protect import Hop
from messaging.transports.base import Fate, Outcome, Outgoing, Stays, none_stays

Hand = Callable[[Outgoing], Outcome]
LATER = frozenset({408, 425, 429, 503})
"""Answers that say: not taken, come again."""
NOT_US = frozenset({401, 402, 403})
"""Answers about the account, not the message."""


class Web:
    """Hand each message over by one call of `hand`, `connections` at a time."""

    overlaps = True

    def __init__(self, hand: Hand, *, hop: Hop, connections: int, whole: bool = True) -> None:
        self.hand = hand
        self.hop = hop
        self.whole = whole
        self._connections = max(1, connections)
        self._threads: ThreadPoolExecutor | None = None

    def send(self, batch: Sequence[Outgoing], *, stays: Stays = none_stays) -> list[Outcome]:
        if len(batch) == 1:
            return [self._one(batch[0], stays)]
        threads = self._executor()
        going = [threads.submit(copy_context().run, self._one, one, stays) for one in batch]
        return [one.result() for one in going]

    def _one(self, mail: Outgoing, stays: Stays) -> Outcome:
        if code := stays(mail.number):
            return Outcome(mail.number, Fate.NOT_TRIED, code=code)
        try:
            return self.hand(mail)
        except NotCalled as why:
            return Outcome(mail.number, Fate.NOT_TRIED, code=why.code)
        except NoAnswer:
            return Outcome(mail.number, Fate.UNCLEAR)

    def _executor(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._connections, thread_name_prefix="web")
        return self._threads

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None


def fate_of(answer: Answer) -> Fate:
    """Return what an answer's status means; see `fate_of_status`."""
    return fate_of_status(answer.status)


def fate_of_status(status: int) -> Fate:
    """Return what a status means where nothing more is known of it.

    500 and 502 and 504 may be said after the message was taken in; it is never sent again blindly.
    An account that is refused says nothing of the message: raises NotCalled, and it waits.
    """
    if status in NOT_US:
        raise NotCalled("sign_in_failed")
    if 200 <= status < 300:
        return Fate.ACCEPTED
    if status in LATER:
        return Fate.DEFERRED
    return Fate.UNCLEAR if status >= 500 or status < 200 else Fate.REJECTED
