"""The rows of people who are due: claimed by many at once, each with where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.abc import AdaptContext, Buffer
from psycopg.types.composite import RecordBinaryLoader

from crypto.rows import binary_cursor
from workflows import versions
from workflows.asks import Answer, Leave, Outcome, Place, Stay
from workflows.engine import advance

ANYBODY = """
select exists (select from workflows_enrolment where state = 'waiting' and due_at <= %b)
"""
COLUMNS = """
select id, contact_id, occurrence, object_at,
       row(version_id, node, path, entered_at, arrived_at, reached, due_at = entered_at)
from workflows_enrolment
"""
"""What a claiming statement returns: see `claimed`."""
CLAIM = f"""{COLUMNS}
where state = 'waiting' and due_at <= %b and workflow_id not in (
    select id from workflows_workflow where state = 'paused'
)
order by due_at limit %b for update skip locked
"""
CLAIM_NEWEST = CLAIM.replace("order by due_at", "order by due_at desc")
"""Who was woken a moment ago comes before a backlog."""
CLAIM_THESE = CLAIM.replace("order by due_at limit %b", "and id = any(%b::int8[]) order by id")
DUE = """
select id from workflows_enrolment where state = 'waiting' and due_at <= %b
  and workflow_id not in (select id from workflows_workflow where state = 'paused')
order by due_at limit %b
"""


@dataclass(slots=True)
class Journey:
    """One enrolment in hand: where it is, what it was told, and what it passed meanwhile."""

    id: int
    version: versions.Published
    place: Place
    contact_id: int
    occurrence: str
    object_at: datetime | None = None
    answer: Answer = None
    message_id: int | None = None
    stopped: Stay | Leave | None = None
    took: tuple[Outcome, ...] = ()
    """What the engine said, one after the other."""
    messages: tuple[tuple[int, int], ...] = ()
    """The messages that were accepted, each with the place of its step among those passed."""

    def take(self, outcome: Outcome) -> None:
        """Take the engine's word in; the message that was accepted belongs to the first step."""
        if self.message_id is not None and outcome.passed:
            before = sum(len(one.passed) for one in self.took)
            self.messages += ((before, self.message_id),)
            self.message_id = None
        self.took += (outcome,)
        self.place, self.answer = outcome.place, None
        if isinstance(outcome.stopped, Stay | Leave):
            self.stopped = outcome.stopped


class Engine:
    """The engine of one turn, asked once for all who stand at one place with one answer.

    It is pure, so it would say the same to each. People who came to a step in the same turn stand
    at one place: whoever was let in together, until their ways part.
    """

    def __init__(self, *, now: datetime) -> None:
        self._now = now
        self._said: dict[tuple[int, Answer], tuple[Place, Outcome]] = {}

    def move(self, journey: Journey) -> Outcome:
        """Take this one on until the engine asks something, or has said what there is to say."""
        place, answer = journey.place, journey.answer
        said = self._said.get((id(place), answer))
        if said is None:
            outcome = advance(journey.version.graph, place, now=self._now, answer=answer)
            # The place stays with it, so that its id is nobody else's.
            said = self._said[id(place), answer] = place, outcome
        journey.take(said[1])
        return said[1]


class _SameRecord(RecordBinaryLoader):
    """Reads a record once: wherever the same comes, it is the same tuple."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._read: dict[bytes, tuple[Any, ...]] = {}

    def load(self, data: Buffer) -> tuple[Any, ...]:
        written = bytes(data)
        found = self._read.get(written)
        if found is None:
            found = self._read[written] = super().load(data)
        return found


def anybody_due(*, now: datetime) -> bool:
    """Say, with one statement and no transaction, whether there is anything to do."""
    with binary_cursor() as cursor:
        cursor.execute(ANYBODY, [now])
        found = cursor.fetchone()
    return bool(found and found[0])


def claim(*, now: datetime, limit: int, newest: bool = False) -> list[Journey]:
    """Lock and return those who are due and whom nobody else has in hand."""
    return claimed(CLAIM_NEWEST if newest else CLAIM, [now, limit])


def claim_these(enrolments: Sequence[int], *, now: datetime) -> list[Journey]:
    """Lock and return those of these who are due still, and whom nobody else has in hand."""
    return claimed(CLAIM_THESE, [now, list(enrolments)])


def due(*, now: datetime, limit: int, newest: bool = False) -> list[int]:
    """Return whom `claim` would take, without taking them."""
    statement = DUE.replace("order by due_at", "order by due_at desc") if newest else DUE
    with binary_cursor() as cursor:
        cursor.execute(statement.encode(), [now, limit])
        return [int(id_) for (id_,) in cursor.fetchall()]


def claimed(statement: str, told: Sequence[object]) -> list[Journey]:
    """Return the journeys whose rows a claiming statement locks.

    Who stands at the same place in the same version shares it, as one object.
    """
    with binary_cursor() as cursor:
        cursor.adapters.register_loader("record", _SameRecord)
        cursor.execute(statement.encode(), told)
        rows = cursor.fetchall()
    stand = _standing({id(record): record for *_, record in rows})
    return [
        Journey(id_, *stand[id(record)], contact_id, occurrence, object_at)
        for id_, contact_id, occurrence, object_at, record in rows
    ]


def _standing(
    records: Mapping[int, tuple[Any, ...]],
) -> dict[int, tuple[versions.Published, Place]]:
    known = versions.load({record[0] for record in records.values()}) if records else {}
    found = {}
    for key, (version, node, path, entered, arrived, reached, as_entered) in records.items():
        fresh = as_entered and not path
        place = Place(node, arrived, entered, tuple(path), tuple(reached), fresh)
        found[key] = known[version], place
    return found
