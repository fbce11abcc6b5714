"""One run: claim what is due, and take it through the steps slice by slice."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from audit.actor import acting_as
from messaging import claims, recall, sender, versions
from messaging.claims import Claimed, Result, Taken
from messaging.dispatch.facts import DISPATCH, Dispatched, Pause, Ready, Run, no_pause
from messaging.dispatch.handing import begin, hand_over
from messaging.dispatch.noting import finish, result_of
from messaging.dispatch.preparing import Grounds, composed, gathered
from messaging.pools import facts, fencing
from messaging.protect import Onward
from messaging.transports.base import Outcome, Transport

FIRST, BATCH = 50, 500
"""Messages of a run's first claim, and at most of any other."""
SLICE = 100
"""Handed over between two marks: at most twice so many can be `unknown` after a crash."""
MOST = 5_000
"""Messages of one run."""
TURN = 2.0
"""Seconds after which a run claims no more: whoever is next waits no longer for a slow relay."""
T = TypeVar("T")


def run_once(
    *,
    transport: Transport,
    now: datetime,
    limit: int = MOST,
    onward: Onward | None = None,
    pause: Pause = no_pause,
    pool: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Dispatched:
    """Send what is due for the current organisation, of one pool or of all, at most `limit`."""
    with acting_as(DISPATCH):
        tally = Dispatched(unknown=len(claims.recover(now=now)))
        if not claims.anything_due(now=now, pool=pool):
            return tally
        with recall.watching() as watch:
            way, known = onward or sender.onward(), facts.read()
            run = Run(
                transport, sender.current(), way, now, pause, tally=tally, watch=watch, pools=known
            )
            _work(_parts(run, limit=limit, pool=pool, clock=clock), run)
    return tally


@dataclass(frozen=True, slots=True)
class _Part:
    """A slice of what was claimed at once."""

    claimed: Sequence[Claimed]
    grounds: Grounds
    heard: int
    """Withdrawals that had been heard of before the claim."""


def _parts(
    run: Run, *, limit: int, pool: str | None, clock: Callable[[], float]
) -> Iterator[_Part]:
    """Claim, and claim again once the last slice is on its way, while this run has time.

    A claim is for what the relay takes in the time that is left, as far as it showed: what is
    claimed waits for nothing else than its turn on the line, and its Permit is fresh.
    """
    began, size = clock(), FIRST
    while limit > 0 and size > 0:
        asked, heard = min(size, limit), run.watch.heard()
        granted = (taken := _claimed(run, limit=asked, pool=pool)).granted
        if granted:
            grounds = gathered(granted, versions.load({one.version_id for one in granted}), run)
        for start in range(0, len(granted), SLICE):
            yield _Part(granted[start : start + SLICE], grounds, heard)
        limit -= asked
        if _found(taken) < asked:  # nothing more is due
            return
        size = _affordable(run.tally, spent=clock() - began)


def _affordable(tally: Dispatched, *, spent: float) -> int:
    """Return how many messages to claim next, after so many seconds; none of a line that is down.

    A line that takes half a batch in a turn gets whole ones: each claim costs the gate's questions.
    """
    if spent >= TURN or (tally.deferred and not tally.moved):
        return 0
    pace = tally.moved / max(spent, 0.001)
    return BATCH if 2 * pace * TURN >= BATCH else max(FIRST, int(pace * (TURN - spent)))


def _found(taken: Taken) -> int:
    return len(taken.granted) + len(taken.refused) + taken.set_aside


def _claimed(run: Run, *, limit: int, pool: str | None) -> Taken:
    """Claim, and keep the claim's number beside the database before anything leaves."""
    with transaction.atomic():
        taken = claims.claim(limit=limit, now=run.now, pool=pool)
        number = fencing.draw() if taken.granted else 0
    if number:
        fencing.keep(number)
    run.tally.count("paused", taken.set_aside)
    run.tally.count("refused", sum(code != "too_late" for _, code in taken.refused))
    run.tally.count("failed", sum(code == "too_late" for _, code in taken.refused))
    run.pause("claimed")
    return taken


@dataclass(slots=True)
class _Slice:
    """What of one slice is on its way, and what cannot go."""

    part: _Part
    going: Sequence[Ready]
    results: list[Result]
    outcomes: Future[dict[int, Outcome]]


def _work(parts: Iterator[_Part], run: Run) -> None:
    """Take the slices through the steps.

    Where the transport overlaps, one slice is handed over, the next is marked and waits for the
    line, and the one after is made: the line never waits for us. At most two slices are between
    mark and result at any moment.
    """
    on_the_way: deque[_Slice] = deque()
    ahead = 1 if run.transport.overlaps else 0
    executor: Executor = ThreadPoolExecutor(2) if run.transport.overlaps else _Here()
    with executor:
        for part in parts:
            ready, results = composed(part.claimed, part.grounds, run)
            run.pause("composed")
            _noted(on_the_way, run, leave=ahead)
            on_the_way.append(_begun(part, ready, results, run, executor))
            _noted(on_the_way, run, leave=2 * ahead)
        _noted(on_the_way, run, leave=0)


def _begun(
    part: _Part, ready: Sequence[Ready], results: list[Result], run: Run, executor: Executor
) -> _Slice:
    ours = begin(ready, run)
    run.pause("marked")
    going = [one for one in ready if one.claimed.id in ours]
    outcomes = executor.submit(copy_context().run, hand_over, going, run, part.heard)
    return _Slice(part, going, results, outcomes)


def _noted(on_the_way: deque[_Slice], run: Run, *, leave: int) -> None:
    """Wait for the oldest slices and write what they came to, but for so many of the last."""
    while len(on_the_way) > leave:
        one = on_the_way.popleft()
        outcomes = one.outcomes.result()
        run.pause("handed_over")
        one.results += [result_of(each, outcomes[each.claimed.id], run) for each in one.going]
        going = {each.claimed.id: each for each in one.going}
        finish(one.results, going, one.part.grounds.loaded, run)
        run.pause("noted")


class _Here(Executor):
    """Does the work at once, in the caller's thread."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
