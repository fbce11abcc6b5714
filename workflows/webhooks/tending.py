"""Endpoints: added, changed, given another secret, tried, put away. Each act is in the trail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from audit import actions, trail
from crypto.ids import uuid7
from messaging import signed
from workflows.webhooks import building
from workflows.webhooks.client import Answered, Said
from workflows.webhooks.models import Endpoint

BOTH = timedelta(days=2)
"""How long the earlier secret signs too, once there is another."""
TEST = "endpoint.test"

for _act in ("added", "secret_renewed", "archived"):
    actions.register(f"endpoint.{_act}", ("classes",))
actions.register("endpoint.changed", ("changed",))
actions.register("endpoint.tested", ("status", "reason"))


@transaction.atomic
def add(given: Mapping[str, Any], *, random: Callable[[int], bytes], now: datetime) -> Endpoint:
    """Add an endpoint with a secret of its own."""
    secret = signed.written(random(32))
    made = Endpoint(secret=secret, created_at=now, **{key: given[key] for key in given})
    made.save(force_insert=True)
    trail.record(
        "endpoint.added", subject=f"endpoint:{made.pk}", detail={"classes": sorted(made.classes)}
    )
    return made


@transaction.atomic
def change(endpoint: Endpoint, given: Mapping[str, Any]) -> list[str]:
    """Set what is given; return the names of what differs now."""
    changed = sorted(key for key in given if getattr(endpoint, key) != given[key])
    for key in changed:
        setattr(endpoint, key, given[key])
    if changed:
        endpoint.rests_until = None
        endpoint.save()
        trail.record(
            "endpoint.changed", subject=f"endpoint:{endpoint.pk}", detail={"changed": changed}
        )
    return changed


@transaction.atomic
def renew_secret(endpoint: Endpoint, *, random: Callable[[int], bytes], now: datetime) -> str:
    """Make another secret; both sign for a while."""
    endpoint.earlier_secret, endpoint.earlier_until = str(endpoint.secret), now + BOTH
    endpoint.secret = signed.written(random(32))
    endpoint.save()
    trail.record("endpoint.secret_renewed", subject=f"endpoint:{endpoint.pk}")
    return str(endpoint.secret)


@transaction.atomic
def archive(endpoint: Endpoint, *, now: datetime) -> None:
    """Call it no more; who waits for it goes on as its step says once the time there is over."""
    Endpoint.objects.filter(pk=endpoint.pk).update(archived_at=now)
    trail.record("endpoint.archived", subject=f"endpoint:{endpoint.pk}")


@dataclass(frozen=True, slots=True)
class Tried:
    """What a test call came to."""

    said: Said

    @property
    def good(self) -> bool:
        return isinstance(self.said, Answered) and 200 <= self.said.status < 300


def test(
    endpoint: Endpoint,
    *,
    post: Callable[[str, bytes, Mapping[str, str]], Said],
    now: datetime,
) -> Tried:
    """Make one signed call that is about nobody."""
    made = building.request(endpoint, uuid7(), TEST, {}, frozenset(), now=now)
    tried = Tried(post(made.url, made.body, made.headers))
    status = tried.said.status if isinstance(tried.said, Answered) else 0
    reason = "" if isinstance(tried.said, Answered) else tried.said.code
    trail.record(
        "endpoint.tested",
        subject=f"endpoint:{endpoint.pk}",
        outcome="done" if tried.good else "failed",
        detail={"status": status, **({"reason": reason} if reason else {})},
    )
    return tried
