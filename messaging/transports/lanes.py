"""Several connections to one relay at once; every mail goes over exactly one of them.

A relay keeps each mail on its disk before it agrees, which takes milliseconds; with several
connections it does so for several mails together. Each lane takes the next mail when it is free.
One that breaks ends with its own mail's fate and leaves the rest to the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock

from messaging.protect import Hop
from messaging.transports.base import Fate, Outcome, Outgoing, Stays, none_stays
from messaging.transports.smtp import Relay, Smtp, hop_of

FEW = 8
"""Mails that one more connection is worth."""


class Lanes:
    """The transport. `limits` say how many lanes at most carry mails for a provider."""

    overlaps = True
    whole = True

    def __init__(
        self, relay: Relay, *, connections: int, limits: Mapping[str, int] | None = None
    ) -> None:
        self.relay = relay
        self.limits = dict(limits or {})
        self._lanes = [Smtp(relay) for _ in range(max(1, connections))]
        self._threads: list[ThreadPoolExecutor] = []
        """One of one thread for each lane."""
        self._lock = Lock()

    @property
    def hop(self) -> Hop:
        return hop_of(self.relay)

    def send(self, batch: Sequence[Outgoing], *, stays: Stays = none_stays) -> list[Outcome]:
        """Hand over. A second batch may be given before the first is through: each lane goes on
        with it as soon as it finds nothing left of the first."""
        feed = _Feed(batch, self.limits)
        lanes = zip(self._started(), self._lanes[: max(1, -(-len(batch) // FEW))], strict=False)
        working = [
            thread.submit(copy_context().run, _carry, lane, feed.lane(at), stays)
            for at, (thread, lane) in enumerate(lanes)
        ]
        carried = [one.result() for one in working]
        outcomes = [each for some, _ in carried for each in some]
        code = next((code for _, code in carried if code), "connection_lost")
        return outcomes + [Outcome(one.number, Fate.NOT_TRIED, code=code) for one in feed.rest()]

    def _started(self) -> Sequence[ThreadPoolExecutor]:
        with self._lock:
            if not self._threads:
                self._threads = [ThreadPoolExecutor(1, "lane") for _ in self._lanes]
        return self._threads

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()
        for thread in self._threads:
            thread.shutdown()
        self._threads = []


def _carry(lane: Smtp, waiting: Iterator[Outgoing], stays: Stays) -> tuple[list[Outcome], str]:
    return lane.carry(waiting, stays=stays)


class _Feed:
    """What waits, given out in order; a lane beyond a provider's limit gets none of its mails."""

    def __init__(self, batch: Sequence[Outgoing], limits: Mapping[str, int]) -> None:
        self._waiting = deque(batch)
        self._limits = limits
        self._lock = Lock()

    def lane(self, at: int) -> Iterator[Outgoing]:
        while (mail := self._next(at)) is not None:
            yield mail

    def _next(self, at: int) -> Outgoing | None:
        with self._lock:
            if not self._limits:
                return self._waiting.popleft() if self._waiting else None
            for place, mail in enumerate(self._waiting):
                if at < max(1, self._limits.get(mail.provider, at + 1)):
                    del self._waiting[place]
                    return mail
        return None

    def rest(self) -> list[Outgoing]:
        """Return what no lane took."""
        return list(self._waiting)
