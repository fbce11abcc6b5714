"""Why someone is in, or out: each clause in words, what the person's record says, and its answer.

Values and answers are shown to roles that may see the classes they come from. A group whose parts
are partly hidden is hidden itself: its answer beside the others would give the hidden one away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from accounts import tenancy
from contacts import stages
from contacts.models import Event
from contacts.segments import (
    bounds,
    building,
    catalogue,
    evaluate,
    kinds,
    moments,
    opening,
    references,
    semantics,
)
from contacts.segments.facts import Entry
from contacts.segments.nodes import (
    Age,
    All,
    Any_,
    Been,
    Clause,
    Definition,
    Happened,
    Not,
    Registered,
    Several,
    Window,
    children,
    walk,
)
from contacts.segments.phrases import number_in_words
from contacts.segments.words import clause_in_words

SHOWN: Final = 3
"""Entries of a list that are spelled out."""


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """One line of the table. `depth` is how far it is indented; a group says how it joins.

    `holds` is None and `value` empty where the role may not see the `classes` they come from.
    """

    path: str
    words: str
    holds: bool | None
    depth: int
    group: bool
    value: str = ""
    classes: tuple[str, ...] = ()


def explain(
    definition: Definition,
    contact_id: int,
    *,
    now: datetime,
    names: Mapping[UUID, str] | None = None,
    granted: Collection[str] | None = None,
) -> list[ClauseVerdict]:
    """Return the clause table, the whole first; `granted` are the reader's data classes."""
    definition = catalogue.expanded(definition)
    told = evaluate.verdicts(definition, contact_id, now=now)
    person = _Person(definition, contact_id, now.astimezone(evaluate.zone()))
    table = _Table(definition, told, names or {}, person, granted)
    return list(table.lines(definition.root, 0))


def classes_of(clause: Clause, definition: Definition) -> frozenset[str]:
    """The data classes that a clause's answer betrays."""
    part = Definition(clause, None, definition.fields)
    return frozenset(kind.value for kind in references.data_classes(part))


@dataclass(slots=True)
class _Table:
    definition: Definition
    told: Mapping[str, bool]
    names: Mapping[UUID, str]
    person: _Person
    granted: Collection[str] | None

    def lines(self, clause: Clause, depth: int) -> list[ClauseVerdict]:
        group = isinstance(clause, All | Any_ | Not | Several) and not _rule(clause)
        classes = classes_of(clause, self.definition)
        seen = self.granted is None or classes <= frozenset(self.granted)
        line = ClauseVerdict(
            clause.path,
            self._said(clause),
            self.told.get(clause.path) if seen else None,
            depth,
            group,
            self.person.value_of(clause) if seen and not group else "",
            tuple(sorted(classes)),
        )
        below = children(clause) if group else ()
        return [line, *(each for part in below for each in self.lines(part, depth + 1))]

    def _said(self, clause: Clause) -> str:
        if isinstance(clause, All) and not clause.said:
            return "all of these"
        if isinstance(clause, Any_):
            return "at least one of these"
        if isinstance(clause, Several):
            return f"{_times(clause)} of these"
        if isinstance(clause, Not):
            return "not this"
        return clause_in_words(clause, fields=self.definition.fields, names=self.names)


def _times(clause: Several) -> str:
    if clause.high is None:
        return f"at least {clause.low}"
    return f"exactly {clause.low}" if clause.low == clause.high else f"at most {clause.high}"


def _rule(clause: Clause) -> bool:
    """Whether it is a rule that has a name: told in one line, by what came of it."""
    return isinstance(clause, All) and bool(clause.said)


class _Person:
    """What the person's own record says to each clause."""

    def __init__(self, definition: Definition, contact_id: int, now: datetime) -> None:
        keys = references.fields_read(definition)
        if any(map(_rule, walk(definition.root))):
            keys |= {*stages.READS, "last_visit"}
        held = opening.values_of(tenancy.current(), [contact_id], keys).get(contact_id, {})
        self.values = building.facts_values(held, definition.fields)
        self.held, self.contact_id, self.now = held, contact_id, now

    def value_of(self, clause: Clause) -> str:
        if isinstance(clause, Happened):
            return self._events(clause)
        if isinstance(clause, Been):
            return self._events(replace(clause.entered, window=Window()))
        if _rule(clause):
            return stages.stage_of(self.held, now=self.now)
        if isinstance(clause, Registered):
            evidence = getattr(clause.question, "evidence", None)
            return evidence(self.contact_id, now=self.now) if evidence else ""
        key = getattr(clause, "field", "")
        return self._field(clause, key) if key else ""

    def _field(self, clause: Clause, key: str) -> str:
        value = self.values.get(key)
        if value is None or value == ():
            return "nothing known"
        if isinstance(value, tuple):
            return self._entries(clause, value)
        if isinstance(clause, Age) and isinstance(value, date):
            years = moments.age_on(value, clause.on or self.now.date())
            return f"{value.isoformat()}, {years} years"
        return self._plain(value)

    def _entries(self, clause: Clause, value: tuple[Any, ...]) -> str:
        if not all(isinstance(one, Entry) for one in value):
            return ", ".join(str(one) for one in value)
        where = getattr(clause, "where", None)
        found = [
            one for one in value if where is None or semantics.entry_matches(one, where, self.now)
        ]
        if not found:
            return f"none of {len(value)}"
        said = "; ".join(self._entry(one) for one in found[:SHOWN])
        return said if len(found) <= SHOWN else f"{said}; and {len(found) - SHOWN} more"

    def _entry(self, one: Entry) -> str:
        what = one.text or ", ".join(code for _, code in one.codings)
        number = "" if one.value is None else f"{number_in_words(one.value)} {one.unit}".strip()
        at = "" if one.at is None else self._plain(one.at)
        return ", ".join(part for part in (what, number or one.answer, one.status, at) if part)

    def _plain(self, value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, datetime):
            return f"{value.astimezone(self.now.tzinfo):%Y-%m-%d %H:%M %Z}"
        return number_in_words(value) if isinstance(value, float) else str(value)

    def _events(self, clause: Happened) -> str:
        """How many there were, and when the last one was; properties are not looked into."""
        beginning = kinds.is_beginning(clause.kind)
        named = {"kind__startswith": clause.kind[:-1]} if beginning else {"kind": clause.kind}
        rows = Event.objects.filter(contact_id=self.contact_id, **named)
        if clause.campaign is not None:
            rows = rows.filter(campaign=clause.campaign)
        if clause.link:
            rows = rows.filter(link=clause.link)
        rows = rows if clause.machine else rows.filter(machine=False)
        first, after = bounds.window_bounds(clause.window, self.now)
        rows = rows if first is None else rows.filter(occurred_at__gte=first)
        rows = rows if after is None else rows.filter(occurred_at__lt=after)
        found = list(rows.order_by("-occurred_at").values_list("occurred_at", flat=True)[:1000])
        if not found:
            return "never"
        times = "once" if len(found) == 1 else f"{len(found)} times"
        such = " before its properties are looked at" if clause.where is not None else ""
        return f"{times}{such}, last {self._plain(found[0])}"
