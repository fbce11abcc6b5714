"""A pool, people to write to, and one run of the dispatcher: what the tests of pools share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from messaging import dispatch
from messaging.models import Message, Pool
from messaging.protect import Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import person, sign

LATER = NOON + timedelta(hours=1)
BOSTON = ZoneInfo("America/New_York")


def pool(kind: str = "marketing", **facts_: Any) -> Pool:
    return Pool.objects.create(kind=kind, changed_at=NOON, **facts_)


def people(number: int, *, at: str = "example.org") -> list[int]:
    ids = [person(f"p{one}", email=f"p{one}@{at}") for one in range(number)]
    sign(*ids)
    return ids


def send(memory: Memory, *, now: datetime = NOON, **more: object) -> dispatch.Dispatched:
    return dispatch.run_once(transport=memory, now=now, onward=Onward.ENFORCED, **more)  # type: ignore[arg-type]


def states() -> list[str]:
    return list(Message.objects.order_by("id").values_list("state", flat=True))
