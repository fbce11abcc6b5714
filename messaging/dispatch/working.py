"""One run: claim what is due, and take it through the steps slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from audit.actor import acting_as
from messaging import claims, recall, sender, versions
from messaging.claims import Claimed, Result
from messaging.dispatch.facts import DISPATCH, Dispatched, Pause, Ready, Run, no_pause
from messaging.dispatch.handing import begin, hand_over
from messaging.dispatch.noting import finish, result_of
from messaging.dispatch.preparing import composed
from messaging.pools import facts, fencing
from messaging.protect import Onward
from messaging.transports.base import Outcome, Transport
from messaging.versions import Loaded

BATCH = 500
SLICE = 100
"""Handed over between two marks: at most twice so many can be `unknown` after a crash."""
T = TypeVar("T")


def run_once(
    *,
    transport: Transport,
    now: datetime,
    limit: int = BATCH,
    onward: Onward | None = None,
    pause: Pause = no_pause,
    pool: str | None = None,
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
            granted = _claimed(run, limit=limit, pool=pool)
            loaded = versions.load({one.version_id for one in granted})
            _work(granted, loaded, run)
    return tally


def _claimed(run: Run, *, limit: int, pool: str | None) -> Sequence[Claimed]:
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
    return taken.granted


def _slices(claimed: Iterable[Claimed]) -> Iterator[list[Claimed]]:
    remaining = iter(claimed)
    while part := list(islice(remaining, SLICE)):
        yield part


@dataclass(slots=True)
class _Slice:
    """What of one slice is on its way, and what cannot go."""

    going: Sequence[Ready]
    results: list[Result]
    outcomes: Future[dict[int, Outcome]]


def _work(claimed: Iterable[Claimed], loaded: Mapping[UUID, Loaded], run: Run) -> None:
    """Take the slices through the steps.

    Where the transport overlaps, the next slice is made while one is handed over, and its results
    are written while the next is: at most two slices are between mark and result at any moment.
    """
    executor: Executor = ThreadPoolExecutor(1) if run.transport.overlaps else _Here()
    before: _Slice | None = None
    with executor:
        for part in _slices(claimed):
            ready, results = composed(part, loaded, run)
            run.pause("composed")
            if before is not None:
                before.outcomes.result()
            after = _begun(ready, results, run, executor)
            _noted(before, loaded, run)
            before = after
        _noted(before, loaded, run)


def _begun(ready: Sequence[Ready], results: list[Result], run: Run, executor: Executor) -> _Slice:
    ours = begin(ready, run)
    run.pause("marked")
    going = [one for one in ready if one.claimed.id in ours]
    outcomes = executor.submit(copy_context().run, hand_over, going, run)
    return _Slice(going, results, outcomes)


def _noted(part: _Slice | None, loaded: Mapping[UUID, Loaded], run: Run) -> None:
    if part is None:
        return
    outcomes = part.outcomes.result()
    run.pause("handed_over")
    results = part.results
    results += [result_of(one, outcomes[one.claimed.id], run) for one in part.going]
    finish(results, {one.claimed.id: one for one in part.going}, loaded, run)
    run.pause("noted")


class _Here(Executor):
    """Does the work at once, in the caller's thread."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
