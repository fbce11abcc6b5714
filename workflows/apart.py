"""A person whose turn breaks is set apart, named, and tried again; everybody else goes on.

A turn moves hundreds in one transaction, so one row that cannot be worked off would hold up all of
the organisation's. Where a turn breaks, the same people are taken in halves until the broken one is
alone. It stays exactly where it was, shows what kind of error it met (its name alone: the text of
an error may say what must not be kept), and is tried again each hour.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min

from audit import trail
from workflows.models import Enrolment

AGAIN = timedelta(hours=1)
STUCK = "stuck."
MOST = 20
"""People set apart in one turn; more than that is no matter of single people, and all waits."""

Ran = TypeVar("Ran")


@dataclass(frozen=True, slots=True)
class Stuck:
    """So many at one step met the same error."""

    version_id: UUID
    node: str
    error: str
    people: int
    next_at: datetime | None


def in_halves(
    enrolments: Sequence[int], turn: Callable[[Sequence[int]], Ran], *, now: datetime
) -> list[Ran]:
    """Run the turn over ever smaller parts; set apart whoever breaks it alone.

    Raises what broke the turn where more than MOST would be set apart.
    """
    done, apart = list[Ran](), 0
    parts: deque[Sequence[int]] = deque([enrolments])
    while parts:
        part = parts.popleft()
        try:
            done.append(turn(part))
        except Exception as why:
            if len(part) > 1:
                middle = len(part) // 2
                parts.extendleft([part[middle:], part[:middle]])
                continue
            apart += 1
            if apart > MOST:
                raise
            _set_apart(part[0], type(why).__name__, now=now)
    return done


@transaction.atomic
def _set_apart(enrolment_id: int, error: str, *, now: datetime) -> None:
    waiting = Enrolment.objects.filter(id=enrolment_id, state=Enrolment.State.WAITING)
    waiting.update(due_at=now + AGAIN, waiting_for=f"{STUCK}{error}"[:60])
    trail.record("workflow.held", detail={"count": 1, "reason": f"{STUCK}{error}"})


def standing() -> list[Stuck]:
    """Return where people of the current organisation are stuck, the most first."""
    rows = (
        Enrolment.objects.filter(
            state=Enrolment.State.WAITING, waiting_for__startswith=STUCK, due_at__isnull=False
        )
        .values_list("version_id", "node", "waiting_for")
        .annotate(people=Count("id"), next_at=Min("due_at"))
        .order_by("-people")[:200]
    )
    return [
        Stuck(version, node, said.removeprefix(STUCK), people, next_at)
        for version, node, said, people, next_at in rows
    ]
