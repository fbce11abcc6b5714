"""Write where people stand and what they passed: one statement for the places, one for the moves.

People who went the same way travel as one row with a stretch of the list of all, so that a thousand
who were let in together cost little more than a thousand numbers.

The lists stand in a `with` of their own: the planner then takes each for ten rows and goes to every
enrolment by its key. Told how many they are, it reads a table of a hundred thousand from end to end
for one turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from accounts import tenancy
from contacts.segments.live import touches
from crypto.rows import Bigints, binary_cursor
from workflows.asks import Passed, Stay
from workflows.journeys import Journey

PLACES = """
with given (people, first, last, state, node, passed, arrived_at, due_at, waiting_for, outcome,
            ended_at) as materialized (
    values (%b::int8[], %b::int4[], %b::int4[], %b::text[], %b::text[], %b::text[],
            %b::timestamptz[], %b::timestamptz[], %b::text[], %b::text[], %b::timestamptz[])
)
update workflows_enrolment e set
    state = w.state, node = w.node, arrived_at = w.arrived_at, due_at = w.due_at,
    path = case when w.passed = '' then e.path else e.path || string_to_array(w.passed, ',') end,
    waiting_for = w.waiting_for, outcome = w.outcome, ended_at = w.ended_at, reached = '{}'
from given g
cross join lateral unnest(
    g.first, g.last, g.state, g.node, g.passed, g.arrived_at, g.due_at, g.waiting_for, g.outcome,
    g.ended_at
) as w (first, last, state, node, passed, arrived_at, due_at, waiting_for, outcome, ended_at)
cross join lateral unnest(g.people[w.first:w.last]) as p (id)
where e.id = p.id
"""
MOVES = """
with given (people, messages) as materialized (values (%b::int8[], %b::int8[]))
insert into workflows_move
    (organisation_id, enrolment_id, version_id, node, way, arrived_at, left_at, message_id)
select %b, p.id, w.version_id, w.node, w.way, w.arrived_at, w.left_at, p.message_id
from given g
cross join unnest(
    %b::int4[], %b::int4[], %b::int4[], %b::int4[], %b::uuid[], %b::text[], %b::text[],
    %b::timestamptz[], %b::timestamptz[]
) as w (first, last, told_first, told_last, version_id, node, way, arrived_at, left_at)
cross join lateral unnest(
    g.people[w.first:w.last], g.messages[w.told_first:w.told_last]
) as p (id, message_id)
"""


MOVES_APART = """
with given (people, words, arrived, messages) as materialized (
    values (%b::int8[], %b::int8[], %b::timestamptz[], %b::int8[])
), word as materialized (
    select * from unnest(%b::uuid[], %b::text[], %b::text[], %b::timestamptz[]) with ordinality
        as w (version_id, node, way, left_at, number)
)
insert into workflows_move
    (organisation_id, enrolment_id, version_id, node, way, arrived_at, left_at, message_id)
select %b, p.id, w.version_id, w.node, w.way, p.arrived_at, w.left_at, nullif(p.message_id, 0)
from given g
cross join lateral unnest(g.people, g.words, g.arrived, g.messages)
    as p (id, word, arrived_at, message_id)
join word w on w.number = p.word
"""
"""For people who came one by one: each with a row of their own, and what they share by number."""


class PlaceLost(RuntimeError):
    """Somebody in hand has no row any more: the turn is undone, and nobody is moved."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class _Place(NamedTuple):
    """Where people stand now."""

    state: str
    node: str
    passed: str
    arrived_at: datetime
    due_at: datetime | None
    waiting_for: str
    outcome: str
    ended_at: datetime | None


def write(journeys: Sequence[Journey], *, now: datetime) -> int:
    """Write every place and every move; return how many moves there were."""
    if not journeys:
        return 0
    if touches.asked("journey"):
        touches.touch({one.contact_id for one in journeys}, "journey", now=now)
    companies = _companies(journeys)
    with binary_cursor() as cursor:
        cursor.execute(PLACES.encode(), _places(companies, now))
        if cursor.rowcount != len(journeys):
            raise PlaceLost
        if 2 * len(companies) > len(journeys):
            return _write_apart(cursor, companies)
        people = Bigints([one.id for company in companies for one in company])
        moves, messages = _moves(companies)
        if moves[0]:
            cursor.execute(MOVES.encode(), [people, messages, tenancy.current(), *moves])
    return sum(last - first + 1 for first, last in zip(*moves[:2], strict=True))


def _companies(journeys: Sequence[Journey]) -> list[list[Journey]]:
    """Put together who heard the same from the engine, and stopped by the same word."""
    found: dict[tuple[int, ...], list[Journey]] = {}
    for one in journeys:
        key = (id(one.stopped), len(one.messages), *map(id, one.took))
        found.setdefault(key, []).append(one)
    return list(found.values())


def _passed(one: Journey) -> list[Passed]:
    return [step for outcome in one.took for step in outcome.passed]


def _places(companies: Sequence[Sequence[Journey]], now: datetime) -> list[Any]:
    """Return everybody, and a stretch of them for each place where somebody stands now."""
    found: dict[_Place, list[int]] = {}
    for company in companies:
        found.setdefault(_place(company[0], now), []).extend(one.id for one in company)
    rows, last = [], 0
    for place, ids in found.items():
        first, last = last + 1, last + len(ids)
        rows.append((first, last, *place))
    people = Bigints([id_ for ids in found.values() for id_ in ids])
    return [people, *(list(column) for column in zip(*rows, strict=True))]


def _place(one: Journey, now: datetime) -> _Place:
    place, passed = one.place, ",".join(step.node for step in _passed(one))
    head = (place.node, passed, place.arrived_at)
    if isinstance(one.stopped, Stay):
        due_at, waiting_for = one.stopped.due_at, one.stopped.waiting_for
        return _Place("waiting", *head, due_at, waiting_for, "", None)
    outcome = one.stopped.outcome if one.stopped else "lost"
    state = "done" if outcome == "finished" or outcome.startswith("goal:") else "stopped"
    return _Place(state, *head, None, "", outcome, now)


def _write_apart(cursor: Any, companies: Sequence[Sequence[Journey]]) -> int:
    words: dict[tuple[Any, ...], int] = {}
    rows = []
    for company in companies:
        version_id, passed = company[0].version.id, _passed(company[0])
        for one in company:
            told = dict(one.messages)
            for at, step in enumerate(passed):
                word = (version_id, step.node, step.way, step.left_at)
                number = words.setdefault(word, len(words) + 1)
                rows.append((one.id, number, step.arrived_at, told.get(at, 0)))
    if rows:
        people, numbers, arrived, messages = zip(*rows, strict=True)
        given = [Bigints(people), Bigints(numbers), list(arrived), Bigints(messages)]
        shared = [list(column) for column in zip(*words, strict=True)]
        cursor.execute(MOVES_APART.encode(), [*given, *shared, tenancy.current()])
    return len(rows)


def _moves(companies: Sequence[Sequence[Journey]]) -> tuple[list[list[Any]], list[int]]:
    """Return a row for each step that a company passed, by columns, and the messages of all."""
    rows: list[tuple[Any, ...]] = []
    messages: list[int] = []
    last = 0
    for company in companies:
        first, last = last + 1, last + len(company)
        told = {place: at for at, (place, _) in enumerate(company[0].messages)}
        for place, step in enumerate(_passed(company[0])):
            heard = len(messages)
            if place in told:
                messages += [one.messages[told[place]][1] for one in company]
            own = (company[0].version.id, step.node, step.way, step.arrived_at, step.left_at)
            rows.append((first, last, heard + 1, len(messages), *own))
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[], []]
    return columns, messages
