"""One run: claim what is due, and take it through the steps slice by slice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from audit.actor import acting_as
from messaging import claims, recall, sender, versions
from messaging.claims import Claimed
from messaging.dispatch.facts import DISPATCH, Dispatched, Pause, Run, no_pause
from messaging.dispatch.handing import begin, hand_over
from messaging.dispatch.noting import finish, result_of
from messaging.dispatch.preparing import composed
from messaging.protect import Onward
from messaging.transports.base import Transport
from messaging.versions import Loaded

BATCH = 500
SLICE = 100
"""Handed over between two marks: at most so many can be `unknown` after a crash."""


def run_once(
    *,
    transport: Transport,
    now: datetime,
    limit: int = BATCH,
    onward: Onward | None = None,
    pause: Pause = no_pause,
) -> Dispatched:
    """Send what is due for the current organisation, at most `limit` messages."""
    with acting_as(DISPATCH), recall.watching() as watch:
        who, way = sender.current(), onward or sender.onward()
        run = Run(transport, who, way, now, pause, watch=watch)
        run.tally.count("unknown", len(claims.recover(now=now)))
        claimed, refused = claims.claim(limit=limit, now=now)
        run.tally.count("refused", sum(code != "too_late" for _, code in refused))
        run.tally.count("failed", sum(code == "too_late" for _, code in refused))
        pause("claimed")
        loaded = versions.load({one.version_id for one in claimed})
        for part in _slices(claimed):
            _send(part, loaded, run)
    return run.tally


def _slices(claimed: Iterable[Claimed]) -> Iterator[list[Claimed]]:
    remaining = iter(claimed)
    while part := list(islice(remaining, SLICE)):
        yield part


def _send(part: Sequence[Claimed], loaded: Mapping[UUID, Loaded], run: Run) -> None:
    ready, results = composed(part, loaded, run)
    run.pause("composed")
    ours = begin(ready, run)
    run.pause("marked")
    going = [one for one in ready if one.claimed.id in ours]
    outcomes = hand_over(going, run)
    run.pause("handed_over")
    results += [result_of(one, outcomes[one.claimed.id], run) for one in going]
    finish(results, {one.claimed.id: one for one in going}, loaded, run)
    run.pause("noted")
