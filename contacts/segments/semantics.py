"""What each clause means: the reference. Pure, slow, obvious.

Two values: a test of something missing is false, and `not` is everything else. The evaluator over
sealed columns must give the same answer for every definition and every contact.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from contacts.segments import kinds, lots, moments, patterns, properties
from contacts.segments.facts import Entry, Facts, Happening
from contacts.segments.moments import Relative, Start
from contacts.segments.nodes import (
    Age,
    All,
    Anniversary,
    Any_,
    Been,
    Between,
    Clause,
    Count,
    Definition,
    Everyone,
    Exists,
    Happened,
    HasWords,
    Household,
    InSegment,
    Latest,
    Matches,
    MonthIs,
    Not,
    OneHappened,
    OneOf,
    OnList,
    Property,
    Registered,
    Several,
    Share,
    Size,
    TextIs,
    Totalled,
    Where,
    Window,
    asked_of_events,
    walk,
)

RETRACTED: Final = frozenset({"entered-in-error", "refuted"})
"""Entries with these statuses were taken back by their source: they count only when asked for."""


def matches(definition: Definition, facts: Facts, *, now: datetime) -> bool:
    """Tell whether the definition holds. `now` is in the organisation's zone."""
    return holds(definition.root, facts, now)


def holds(clause: Clause, facts: Facts, now: datetime) -> bool:
    return _MEANINGS[type(clause)](clause, facts, now)


def fold(text: str) -> str:
    """Text as it is compared when case does not count: Unicode case folding of the NFC form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _all(clause: All, facts: Facts, now: datetime) -> bool:
    return all(holds(part, facts, now) for part in clause.parts)


def _any(clause: Any_, facts: Facts, now: datetime) -> bool:
    return any(holds(part, facts, now) for part in clause.parts)


def _not(clause: Not, facts: Facts, now: datetime) -> bool:
    return not holds(clause.part, facts, now)


def _several(clause: Several, facts: Facts, now: datetime) -> bool:
    found = sum(holds(part, facts, now) for part in clause.parts)
    return _in_range(found, clause.low, clause.high)


def _everyone(clause: Everyone, facts: Facts, now: datetime) -> bool:
    return True


def _share(clause: Share, facts: Facts, now: datetime) -> bool:
    return clause.low <= lots.of(facts.ordinal, clause.name) < clause.high


def _exists(clause: Exists, facts: Facts, now: datetime) -> bool:
    values = _values(clause, facts)
    return any(not isinstance(one, Entry) or one.status not in RETRACTED for one in values)


def _values(clause: Any, facts: Facts) -> tuple[Any, ...]:
    """What is known of the field: nothing, one value, or the values of a list."""
    value = facts.values.get(clause.field, ())
    return value if isinstance(value, tuple) else (value,)


def _one_of(clause: OneOf, facts: Facts, now: datetime) -> bool:
    same = _same(clause)
    wanted = {same(value) for value in clause.values}
    return any(same(value) in wanted for value in _values(clause, facts))


def _same(clause: Any) -> Callable[[Any], Any]:
    """How values are made ready to be compared: text is folded, unless by the letter."""
    return lambda value: fold(value) if isinstance(value, str) and not clause.exact else value


def _text_is(clause: TextIs, facts: Facts, now: datetime) -> bool:
    same = _same(clause)
    texts, wanted = map(same, _values(clause, facts)), [same(one) for one in clause.values]
    if clause.how == "starts_with":
        return any(text.startswith(one) for text in texts for one in wanted)
    if clause.how == "ends_with":
        return any(text.endswith(one) for text in texts for one in wanted)
    return any(one in text for text in texts for one in wanted)


def _matches(clause: Matches, facts: Facts, now: datetime) -> bool:
    found = patterns.finder(clause.pattern, exact=clause.exact)
    return any(found(text) for text in _values(clause, facts))


def _has_words(clause: HasWords, facts: Facts, now: datetime) -> bool:
    same = _same(clause)
    held = {same(value) for value in _values(clause, facts)}
    meant = [same(value) in held for value in clause.values]
    return all(meant) if clause.every else any(meant)


def _size(clause: Size, facts: Facts, now: datetime) -> bool:
    return _in_range(len(_values(clause, facts)), clause.low, clause.high)


def _between(clause: Between, facts: Facts, now: datetime) -> bool:
    return any(_lies_between(value, clause, now) for value in _values(clause, facts))


def _lies_between(value: Any, clause: Between | Latest | Totalled | Where, now: datetime) -> bool:
    above = clause.low is None or _compare(value, clause.low, now) >= (1 if clause.low_open else 0)
    below = clause.high is None or _compare(value, clause.high, now) <= (
        -1 if clause.high_open else 0
    )
    return above and below


def _compare(value: Any, bound: Any, now: datetime) -> int:
    """-1, 0 or 1 as the value lies before, at or after the bound.

    A moment lies "at" a day from the day's start to the next day's start, in the zone of `now`.
    """
    if isinstance(bound, Relative) and isinstance(value, datetime):
        bound = moments.shift(now, bound.count, bound.unit)
    elif isinstance(bound, Relative | Start):
        bound = moments.day_meant(bound, now.date())
    if isinstance(value, datetime) and not isinstance(bound, datetime):
        start, end = moments.day_of(bound, now)
        return -1 if value < start else int(value >= end)
    return int(value > bound) - int(value < bound)


def _age(clause: Age, facts: Facts, now: datetime) -> bool:
    birth = facts.values.get(clause.field)
    if not isinstance(birth, date):
        return False
    age = moments.age_on(birth, clause.on or now.date())
    return (clause.low is None or age >= clause.low) and (clause.high is None or age <= clause.high)


def _month_is(clause: MonthIs, facts: Facts, now: datetime) -> bool:
    value = facts.values.get(clause.field)
    return isinstance(value, date) and value.month in clause.months


def _anniversary(clause: Anniversary, facts: Facts, now: datetime) -> bool:
    value = facts.values.get(clause.field)
    if not isinstance(value, date):
        return False
    return (value.month, value.day) in moments.anniversaries(now.date(), clause.days)


def _count(clause: Count, facts: Facts, now: datetime) -> bool:
    found = sum(1 for _ in _matching(clause.field, clause.where, facts, now))
    return _in_range(found, clause.low, clause.high)


def _latest(clause: Latest, facts: Facts, now: datetime) -> bool:
    """Of two entries of the same moment the later in the record is the newer; undated is oldest."""
    newest: Entry | None = None
    for entry in _matching(clause.field, clause.where, facts, now):
        if newest is None or newest.at is None or (entry.at is not None and entry.at >= newest.at):
            newest = entry
    if newest is None:
        return False
    if clause.answers:
        return fold(newest.answer) in {fold(answer) for answer in clause.answers}
    return newest.value is not None and _lies_between(newest.value, clause, now)


def _matching(field: str, where: Where, facts: Facts, now: datetime) -> Iterable[Entry]:
    entries: Any = facts.values.get(field, ())
    return (entry for entry in entries if entry_matches(entry, where, now))


def entry_matches(entry: Entry, where: Where, now: datetime) -> bool:
    if entry.status in RETRACTED and entry.status not in where.statuses:
        return False
    if where.codes or where.system or where.groups:
        meant = (is_meant(system, code, where) for system, code in entry.codings)
        return any(meant) and _described(entry, where, now)
    return _described(entry, where, now)


def is_meant(system: str, code: str, where: Where) -> bool:
    """Whether a coding is of the system, and one of the codes or in one of the groups."""
    if where.groups and where.meant is None:
        raise ValueError("look the code groups up first: references.expand")
    if where.system and system != where.system:
        return False
    named = not (where.codes or where.groups)
    return named or code in where.codes or (system, code) in (where.meant or ())


def _described(entry: Entry, where: Where, now: datetime) -> bool:
    text = fold(entry.text)
    return (
        (not where.kinds or entry.kind in where.kinds)
        and (not where.statuses or entry.status in where.statuses)
        and (not where.texts or any(fold(wanted) in text for wanted in where.texts))
        and (not where.unit or unit_form(entry.unit) == unit_form(where.unit))
        and _measured(entry, where, now)
        and in_window(entry.at, where.window, now)
    )


def unit_form(unit: str) -> str:
    """A unit as it is compared: by the letter, but the micro sign is the Greek letter it looks."""
    return unit.replace("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}")


def _measured(entry: Entry, where: Where, now: datetime) -> bool:
    if where.low is None and where.high is None:
        return True
    return entry.value is not None and _lies_between(entry.value, where, now)


def in_window(at: date | datetime | None, window: Window, now: datetime) -> bool:
    """Undated things lie in no window, but a window that asks nothing holds for them too."""
    if window == Window():
        return True
    if at is None:
        return False
    asked: list[tuple[Any, Callable[[int], bool]]] = [
        (window.since, lambda order: order >= 0),
        (window.before, lambda order: order < 0),
    ]
    if window.last:
        asked.append((Relative(-window.last.count, window.last.unit), lambda order: order >= 0))
        asked.append((Relative(0, window.last.unit), lambda order: order <= 0))
    if window.next:
        asked.append((Relative(0, window.next.unit), lambda order: order >= 0))
        asked.append((Relative(window.next.count, window.next.unit), lambda order: order <= 0))
    return all(bound is None or test(_compare(at, bound, now)) for bound, test in asked)


def _happened(clause: Happened, facts: Facts, now: datetime) -> bool:
    found = sum(_is_such(clause, event, now) for event in facts.events)
    return _in_range(found, clause.low, clause.high)


def _totalled(clause: Totalled, facts: Facts, now: datetime) -> bool:
    """Sum, average, least and greatest of no number are missing; no value is 0 different ones."""
    events = [event for event in facts.events if _is_such(clause.such, event, now)]
    values = [value for event in events for value in properties.found(event, clause.name)]
    total = properties.total(values, clause.how)
    return total is not None and _lies_between(total, clause, now)


def _one_happened(clause: OneHappened, facts: Facts, now: datetime) -> bool:
    """Of events at one moment the later written is the later."""
    events = [event for event in facts.events if _is_such(clause.of, event, now)]
    if not events:
        return False
    ordered = sorted(events, key=lambda event: event.at)
    return _is_such(clause.such, ordered[0 if clause.which == "first" else -1], now)


def _been(clause: Been, facts: Facts, now: datetime) -> bool:
    """Coming in and leaving at one moment: the later written is the later."""
    asked = [replace(one, window=Window()) for one in asked_of_events(clause)]
    events = [event for event in facts.events if any(_is_such(such, event, now) for such in asked)]
    newest = max(enumerate(events), key=lambda one: (one[1].at, one[0]), default=None)
    return newest is not None and _is_such(clause.entered, newest[1], now)


def _property(clause: Property, facts: Facts, now: datetime) -> bool:
    """`facts` are those of one event: its properties."""
    typed = properties.typed(facts.values.get(clause.name, ()), clause.type, now)
    return holds(clause.test, Facts({clause.name: typed} if typed else {}), now)


def _household(clause: Household, facts: Facts, now: datetime) -> bool:
    return any(holds(clause.part, other, now) for other in facts.household)


def _is_such(clause: Happened, event: Happening, now: datetime) -> bool:
    return (
        kinds.means(clause.kind, event.kind)
        and (clause.machine or not event.machine)
        and (clause.campaign is None or event.campaign == clause.campaign)
        and (not clause.link or event.link == clause.link)
        and in_window(event.at, clause.window, now)
        and (clause.where is None or holds(clause.where, _facts_of(event, clause.where), now))
    )


def _facts_of(event: Happening, where: Clause) -> Facts:
    names = (each.name for each in walk(where) if isinstance(each, Property))
    return Facts({name: tuple(properties.found(event, name)) for name in names})


def _on_list(clause: OnList, facts: Facts, now: datetime) -> bool:
    return clause.list_id in facts.lists


def _in_segment(clause: InSegment, facts: Facts, now: datetime) -> bool:
    if clause.means is None:
        raise ValueError("look the referred segments up first: references.expand")
    return holds(clause.means, facts, now)


def _registered(clause: Registered, facts: Facts, now: datetime) -> bool:
    return bool(clause.question.holds(facts, now=now))


def _in_range(count: int, low: int, high: int | None) -> bool:
    return count >= low and (high is None or count <= high)


_MEANINGS: Final[dict[type, Callable[[Any, Facts, datetime], bool]]] = {
    All: _all,
    Any_: _any,
    Not: _not,
    Several: _several,
    Everyone: _everyone,
    Share: _share,
    Exists: _exists,
    OneOf: _one_of,
    TextIs: _text_is,
    Matches: _matches,
    HasWords: _has_words,
    Size: _size,
    Between: _between,
    Age: _age,
    MonthIs: _month_is,
    Anniversary: _anniversary,
    Count: _count,
    Latest: _latest,
    Happened: _happened,
    Totalled: _totalled,
    OneHappened: _one_happened,
    Been: _been,
    Property: _property,
    Household: _household,
    OnList: _on_list,
    InSegment: _in_segment,
    Registered: _registered,
}
