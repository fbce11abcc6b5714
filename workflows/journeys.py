"""The rows of people who are due: claimed by many at once, written back by a few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from accounts import tenancy
from contacts.segments.live import touches
from crypto.rows import binary_cursor
from workflows import versions
from workflows.engine import Answer, Leave, Outcome, Passed, Place, Stay

ANYBODY = """
select exists (select from workflows_enrolment where state = 'waiting' and due_at <= %b)
"""
COLUMNS = """
select id, workflow_id, version_id, contact_id, occurrence, node, path, entered_at, arrived_at,
       reached, object_at, due_at = entered_at
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
STAGING = (
    """
create temporary table if not exists staged_place (
    id bigint, state text, node text, passed text, arrived_at timestamptz, due_at timestamptz,
    waiting_for text, outcome text, ended_at timestamptz
) on commit delete rows
""",
    """
create temporary table if not exists staged_move (
    enrolment_id bigint, version_id uuid, node text, way text,
    arrived_at timestamptz, left_at timestamptz, message_id bigint
) on commit delete rows
""",
)
COPY_PLACES = "copy staged_place from stdin (format binary)"
COPY_MOVES = "copy staged_move from stdin (format binary)"
PLACE_TYPES = (
    "int8", "text", "text", "text", "timestamptz", "timestamptz", "text", "text", "timestamptz"
)  # fmt: skip
MOVE_TYPES = ("int8", "uuid", "text", "text", "timestamptz", "timestamptz", "int8")
WRITE_PLACES = """
update workflows_enrolment e set
    state = s.state, node = s.node, arrived_at = s.arrived_at, due_at = s.due_at,
    path = case when s.passed = '' then e.path else e.path || string_to_array(s.passed, ',') end,
    waiting_for = s.waiting_for, outcome = s.outcome, ended_at = s.ended_at, reached = '{}'
from staged_place s where e.id = s.id
"""
WRITE_MOVES = """
insert into workflows_move
    (organisation_id, enrolment_id, version_id, node, way, arrived_at, left_at, message_id)
select %s, enrolment_id, version_id, node, way, arrived_at, left_at, message_id from staged_move
"""


@dataclass(slots=True)
class Journey:
    """One enrolment in hand: where it is, what it was told, and what it passed meanwhile."""

    id: int
    version: versions.Published
    contact_id: int
    occurrence: str
    place: Place
    object_at: datetime | None = None
    answer: Answer = None
    message_id: int | None = None
    stopped: Stay | Leave | None = None
    passed: list[tuple[Passed, int | None]] = field(default_factory=list)

    def take(self, outcome: Outcome) -> None:
        """Take the engine's word in; the message that was accepted belongs to the first step."""
        for one in outcome.passed:
            self.passed.append((one, self.message_id))
            self.message_id = None
        self.place, self.answer = outcome.place, None
        if isinstance(outcome.stopped, Stay | Leave):
            self.stopped = outcome.stopped


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
    """Return the journeys whose rows a claiming statement locks."""
    with binary_cursor() as cursor:
        cursor.execute(statement.encode(), told)
        rows = cursor.fetchall()
    if not rows:
        return []
    known = versions.load({row[2] for row in rows})
    return [
        Journey(
            id_,
            known[version],
            contact,
            occurrence,
            Place(node, arrived, entered, tuple(path), tuple(reached), fresh and not path),
            object_at,
        )
        for (
            id_,
            _,
            version,
            contact,
            occurrence,
            node,
            path,
            entered,
            arrived,
            reached,
            object_at,
            fresh,
        ) in rows
    ]


def write(journeys: Sequence[Journey], *, now: datetime) -> int:
    """Write every place and every move; return how many moves there were."""
    if touches.asked("journey"):
        touches.touch({one.contact_id for one in journeys}, "journey", now=now)
    with binary_cursor() as cursor:
        for statement in STAGING:
            cursor.execute(statement)
        _copy(cursor, COPY_PLACES, PLACE_TYPES, (_place_row(one, now) for one in journeys))
        cursor.execute(WRITE_PLACES)
        _copy(cursor, COPY_MOVES, MOVE_TYPES, _move_rows(journeys))
        cursor.execute(WRITE_MOVES.replace("%s", "%b").encode(), [tenancy.current()])
        moved = cursor.rowcount
        cursor.execute("truncate staged_place, staged_move")
    return moved


def _copy(
    cursor: psycopg.Cursor[tuple[object, ...]],
    statement: str,
    types: Sequence[str],
    rows: Iterator[tuple[object, ...]],
) -> None:
    with cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _place_row(journey: Journey, now: datetime) -> tuple[object, ...]:
    place, passed = journey.place, ",".join(one.node for one, _ in journey.passed)
    if isinstance(journey.stopped, Stay):
        due_at, waiting_for = journey.stopped.due_at, journey.stopped.waiting_for
        head = (journey.id, "waiting", place.node, passed, place.arrived_at)
        return (*head, due_at, waiting_for, "", None)
    outcome = journey.stopped.outcome if journey.stopped else "lost"
    state = "done" if outcome == "finished" or outcome.startswith("goal:") else "stopped"
    head = (journey.id, state, place.node, passed, place.arrived_at)
    return (*head, None, "", outcome, now)


def _move_rows(journeys: Sequence[Journey]) -> Iterator[tuple[object, ...]]:
    for journey in journeys:
        version_id = journey.version.id
        for one, message_id in journey.passed:
            yield (
                journey.id,
                version_id,
                one.node,
                one.way,
                one.arrived_at,
                one.left_at,
                message_id,
            )
