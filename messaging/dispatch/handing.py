"""Mark what is about to leave, and hand it over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from messaging import claims, links, recall
from messaging.claims import Evidence
from messaging.dispatch.facts import Ready, Run
from messaging.hearing import providers, return_path
from messaging.models import Pickup
from messaging.pools import lanes, places
from messaging.protect import Route
from messaging.transports import carriers
from messaging.transports.base import Outcome, Outgoing
from messaging.words import known


@transaction.atomic
def begin(ready: Sequence[Ready], run: Run) -> set[int]:
    evidence = [
        Evidence(
            one.claimed,
            one.merged.route.value,
            one.composed.message_id,
            one.composed.sha256,
            one.merge,
            providers.of(one.recipient),
        )
        for one in ready
    ]
    ours = claims.begin_hand_over(evidence, now=run.now)
    _count([one for one in ready if one.claimed.id in ours], run)
    Pickup.objects.bulk_create(
        [
            Pickup(
                message_id=one.claimed.id,
                expires_at=run.now + links.PICKUP_LASTS,
                language=known(one.merged.spoken),
            )
            for one in ready
            if one.merged.route is Route.PORTAL and one.claimed.id in ours
        ],
        ignore_conflicts=True,
    )
    return ours


def _count(ready: Sequence[Ready], run: Run) -> None:
    """Write the places taken; those of limited pools were taken before (`preparing`)."""
    by_pool: dict[str, list[str]] = defaultdict(list)
    for one in ready:
        if not run.pools[one.claimed.pool].limited:
            by_pool[one.claimed.pool].append(providers.of(one.recipient))
    for pool, destinations in by_pool.items():
        places.tried(pool, destinations, now=run.now)


def hand_over(going: Sequence[Ready], run: Run, heard: int) -> dict[int, Outcome]:
    """Return what became of each; `heard` counts the withdrawals known when they were claimed."""
    if not going:
        return {}
    batch = [
        Outgoing(
            one.claimed.id,
            _from(one, run),
            one.recipient,
            one.composed.data,
            one.claimed.public_id.hex,
            providers.of(one.recipient),
        )
        for one in going
    ]
    claimed = {one.claimed.id: one.claimed for one in going}
    part = recall.Slice(
        run.watch,
        lambda waiting: claims.recalled([claimed[one] for one in waiting], now=run.now),
        set(claimed),
        heard,
    )
    outcomes = run.transport.send(batch, stays=part.stays)
    run.recalled |= part.recalled
    return {outcome.number: outcome for outcome in outcomes}


def _from(one: Ready, run: Run) -> str:
    """Return whom it comes from: a number, or the address that a bounce of this mail goes to."""
    if one.claimed.channel == lanes.SMS:
        return carriers.number_of(run.pools[one.claimed.pool])
    return return_path.of(run.sender_of(one.claimed).address, one.claimed.public_id)
