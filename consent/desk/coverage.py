"""What the gate would say of an audience before launch: how many may get it, and why not the rest.

The gate is asked set-based, thousands at a time, until `enough` says stop; what was not asked is
told, never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from numpy.typing import NDArray

from consent import gate
from consent.policy import Permit
from consent.purposes import Remuneration

AT_A_TIME = 5_000
PAGE = 50
PERMITTED = "permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What would be sent: for what, by which channel, and what it says of a person."""

    purpose: str
    channel: str
    classes: frozenset[str]
    topic: str = ""
    paid: tuple[Remuneration, ...] = ()
    """What others pay for it: by its template, its campaign or its step."""
    drug: UUID | None = None
    new_formulation: bool = False


@dataclass(slots=True)
class Coverage:
    members: int
    asked: int = 0
    permitted: int = 0
    stopped: Counter[str] = field(default_factory=Counter)
    """By the code of the refusal, or of the reason to wait."""
    sentences: dict[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        return self.stopped.total()


def cover(
    ids: Sequence[int] | NDArray[Any],
    sending: Sending,
    *,
    now: datetime,
    enough: Callable[[], bool] = lambda: False,
) -> Coverage:
    """Ask the gate for everyone."""
    found = Coverage(len(ids))
    for at in range(0, len(ids), AT_A_TIME):
        if enough():
            break
        some = [int(one) for one in ids[at : at + AT_A_TIME]]
        for _, answer in _asked(some, sending, now=now):
            found.asked += 1
            if isinstance(answer, Permit):
                found.permitted += 1
            else:
                found.stopped[answer.code] += 1
                found.sentences.setdefault(answer.code, answer.sentence.partition(" Outside")[0])
    return found


def people(
    ids: Sequence[int], sending: Sending, *, code: str, now: datetime, size: int = PAGE
) -> tuple[list[int], int | None]:
    """Return who gets this answer, in the order given, and after whom to go on.

    `ids` begin after the last one seen.
    """
    found: list[int] = []
    for at in range(0, len(ids), AT_A_TIME):
        for contact_id, answer in _asked(ids[at : at + AT_A_TIME], sending, now=now):
            if (PERMITTED if isinstance(answer, Permit) else answer.code) == code:
                if len(found) == size:
                    return found, found[-1]
                found.append(contact_id)
    return found, None


def _asked(
    ids: Sequence[int], sending: Sending, *, now: datetime
) -> Iterator[tuple[int, gate.Answer]]:
    requests = [
        gate.GateRequest(
            one,
            sending.purpose,
            sending.channel,
            sending.classes,
            sending.topic,
            drug=sending.drug,
            new_formulation=sending.new_formulation,
            further_paid=sending.paid,
        )
        for one in ids
    ]
    return zip(ids, gate.ask(requests, now=now), strict=True)
