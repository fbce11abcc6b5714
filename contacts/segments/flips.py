"""When time alone changes an answer. Pure.

Between two neighbours of `candidates` the clock changes nothing, so the first candidate at which
the whole definition answers otherwise is the next flip. What other rows may change meanwhile
(events, values, lists) is not time's doing and is not foreseen here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final

from contacts.segments import kinds, moments, properties, semantics
from contacts.segments.facts import Facts
from contacts.segments.moments import MICROSECOND, Relative, Start
from contacts.segments.nodes import (
    Age,
    Anniversary,
    Between,
    Clause,
    Count,
    Definition,
    Household,
    Latest,
    Registered,
    Window,
    asked_of_events,
    properties_asked,
    walk,
    walk_own,
)

ASKED_AGAIN: Final = timedelta(hours=1)
"""How soon a question of a higher floor, whose clock is not known here, is asked again."""
MAX_TRIED: Final = 250
"""After so many candidates the last one tried is given: earlier than the flip, never later."""
_DAY: Final = timedelta(days=1)


def next_flip(definition: Definition, facts: Facts, now: datetime) -> datetime | None:
    """Return the next moment at which the answer changes by time alone, or an earlier one to ask
    again at; None when it never will. `now` is in the organisation's zone."""
    asked_again = _asked_again(definition, now)
    ahead = sorted(
        {
            at
            for clause in walk_own(definition.root)
            for at in candidates(clause, facts, now)
            if at > now and (asked_again is None or at < asked_again)
        }
    )
    if not ahead:
        return asked_again
    answer = semantics.matches(definition, facts, now=now)
    for at in ahead[:MAX_TRIED]:
        if semantics.matches(definition, facts, now=at.astimezone(now.tzinfo)) != answer:
            return at
    return ahead[MAX_TRIED - 1] if len(ahead) > MAX_TRIED else asked_again


def moves_with_time(clause: Clause) -> bool:
    """Whether the clock alone can change the clause's own answer, for anyone."""
    if isinstance(clause, Between):
        return isinstance(clause.low, Relative | Start) or isinstance(clause.high, Relative | Start)
    if isinstance(clause, Age):
        return clause.on is None
    if isinstance(clause, Count | Latest):
        return bool(relatives(clause.where.window))
    if isinstance(clause, Household):
        return any(moves_with_time(part) for part in walk(clause.part))
    if asked_of_events(clause):
        windows = (such.window for such in asked_of_events(clause))
        return any(relatives(window) for window in windows) or properties_move(clause)
    if isinstance(clause, Registered):
        return bool(getattr(clause.question, "moves_with_time", True))
    return isinstance(clause, Anniversary)


def properties_move(clause: Clause) -> bool:
    """Whether the clock changes what a clause asks of events' properties."""
    tests = (test for asked in properties_asked(clause) for test in walk(asked.test))
    return any(moves_with_time(test) for test in tests)


def candidates(clause: Clause, facts: Facts, now: datetime) -> Iterator[datetime]:
    """The moments, past ones too, at which the clock can change what the clause answers."""
    if isinstance(clause, Household):
        for other in facts.household:
            for part in walk_own(clause.part):
                yield from candidates(part, other, now)
    if not moves_with_time(clause):
        return
    if isinstance(clause, Age):
        yield from _ages(clause, facts, now)
    elif isinstance(clause, Anniversary):
        yield from _anniversaries(clause, facts, now)
    else:
        for value, points in _compared(clause, facts, now):
            yield from _crossings(value, points, now)


def _compared(clause: Clause, facts: Facts, now: datetime) -> Iterator[tuple[Any, list[Any]]]:
    """The dates and moments that the clause holds against points which move with the clock."""
    if isinstance(clause, Between):
        yield facts.values.get(clause.field), [clause.low, clause.high]
    elif isinstance(clause, Count | Latest):
        entries: Any = facts.values.get(clause.field, ())
        yield from ((entry.at, relatives(clause.where.window)) for entry in entries)
    else:
        yield from _compared_in_events(clause, facts, now)


def _compared_in_events(
    clause: Clause, facts: Facts, now: datetime
) -> Iterator[tuple[Any, list[Any]]]:
    points = [point for such in asked_of_events(clause) for point in relatives(such.window)]
    names = {such.kind for such in asked_of_events(clause)}
    meant = (one for one in facts.events if any(kinds.means(name, one.kind) for name in names))
    for event in meant:
        yield event.at, points
        for asked in properties_asked(clause):
            values = properties.typed(properties.found(event, asked.name), asked.type, now)
            for test in walk(asked.test):
                if isinstance(test, Between):
                    yield from ((value, [test.low, test.high]) for value in values)


def _asked_again(definition: Definition, now: datetime) -> datetime | None:
    clauses = (clause for clause in walk(definition.root) if isinstance(clause, Registered))
    moving = any(moves_with_time(clause) for clause in clauses)
    return now + ASKED_AGAIN if moving else None


def relatives(window: Window) -> list[Relative | Start]:
    """The points of a window that move with the clock."""
    ends = (window.since, window.before)
    found = [point for point in ends if isinstance(point, Relative | Start)]
    if last := window.last:
        found += [Relative(-last.count, last.unit), Relative(0, last.unit)]
    if ahead := window.next:
        found += [Relative(ahead.count, ahead.unit), Relative(0, ahead.unit)]
    return found


def _crossings(value: Any, points: Any, now: datetime) -> Iterator[datetime]:
    for point in points:
        if isinstance(point, Start):
            yield from _start_crossings(value, point, now)
        elif not isinstance(point, Relative):
            continue
        elif isinstance(value, datetime):
            yield from _moment_crossings(value, point, now)
        elif isinstance(value, date):
            days = (_first_day(value + past * _DAY, point) for past in (0, 1))
            yield from (moments.start_of(day, now) for day in days if day)


def _start_crossings(value: Any, point: Start, now: datetime) -> Iterator[datetime]:
    """The beginnings of the stretches in which the point reaches the value's day, and passes it."""
    if isinstance(value, datetime):
        value = value.astimezone(now.tzinfo).date()
    if not isinstance(value, date) or value.year > moments.LATEST:
        return
    here = moments.start_day(value, 0, point.stretch)
    reached = 0 if here == value else 1
    for ahead in {reached, 1}:
        day = moments.start_day(here, ahead - point.count, point.stretch)
        yield moments.start_of(day, now)


def _first_day(value: date, point: Relative) -> date | None:
    """The first day on which the relative point is this day or later; None beyond the calendar."""
    try:
        guess = moments.shift_day(value, -point.count, point.unit) - 5 * _DAY
        for ahead in range(12):
            if moments.shift_day(guess + ahead * _DAY, point.count, point.unit) >= value:
                return guess + ahead * _DAY
    except OverflowError:
        pass
    return None


def _moment_crossings(value: datetime, point: Relative, now: datetime) -> Iterator[datetime]:
    """A relative moment walks on the wall clock, so it can pass a moment more than once: where a
    month is short, and where clocks change on the day it starts from or on the day it reaches."""
    if point.unit in moments.EXACT or point.count == 0:
        at = moments.shift(value, -point.count, point.unit)
        yield from (at, at + MICROSECOND)
        return
    here = value.astimezone(now.tzinfo).date()
    reached = _clock_changes(here - _DAY, here + 2 * _DAY, now)
    around = 1 if reached else 0
    first, last = _first_day(here - around * _DAY, point), _first_day(here + _DAY, point)
    if first is None or last is None:
        return
    started = _clock_changes(first - _DAY, last + _DAY, now)
    yield from started
    walls = _walls(value, reached, now)
    for day in (first + ahead * _DAY for ahead in range((last - first).days + 1 + around)):
        if reached or started or point.unit in ("months", "years"):
            yield moments.start_of(day, now)
        yield from _at_walls(day, walls, now)


def _walls(value: datetime, changes: list[datetime], now: datetime) -> set[time]:
    """The times of day at which a day moved to here may stand at the value, or jump past it."""
    near = [value, *changes, *(at - MICROSECOND for at in changes)]
    offsets = {_offset(at, now) for at in near}
    return {(at.astimezone(UTC) + offset).time() for at in (value, *changes) for offset in offsets}


def _at_walls(day: date, walls: set[time], now: datetime) -> Iterator[datetime]:
    for wall in walls:
        for fold in (0, 1):
            at = datetime.combine(day, wall, now.tzinfo).replace(fold=fold).astimezone(UTC)
            yield from (at, at + MICROSECOND)


def _clock_changes(first: date, last: date, now: datetime) -> list[datetime]:
    """The moments, to the second, at which the zone's offset changes between these days."""
    starts = [
        moments.start_of(first + ahead * _DAY, now) for ahead in range((last - first).days + 1)
    ]
    return [
        _change_between(before, after, now)
        for before, after in pairwise(starts)
        if _offset(before, now) != _offset(after, now)
    ]


def _change_between(before: datetime, after: datetime, now: datetime) -> datetime:
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _offset(middle, now) == _offset(before, now):
            before = middle
        else:
            after = middle
    return after


def _offset(at: datetime, now: datetime) -> timedelta:
    return at.astimezone(now.tzinfo).utcoffset() or timedelta(0)


def _ages(clause: Age, facts: Facts, now: datetime) -> Iterator[datetime]:
    birth = facts.values.get(clause.field)
    bounds = [clause.low, None if clause.high is None else clause.high + 1]
    for years in bounds:
        if isinstance(birth, date) and years is not None and birth.year + years <= moments.LATEST:
            yield moments.start_of(_birthday(birth, birth.year + years), now)


def _birthday(birth: date, year: int) -> date:
    try:
        return birth.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _anniversaries(clause: Anniversary, facts: Facts, now: datetime) -> Iterator[datetime]:
    value = facts.values.get(clause.field)
    if not isinstance(value, date):
        return
    for year in range(now.year - 1, now.year + 4):
        day = _birthday(value, year)
        yield moments.start_of(day - clause.days * _DAY, now)
        yield moments.start_of(day + _DAY, now)
