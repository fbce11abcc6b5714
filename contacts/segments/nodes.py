"""A definition as typed nodes. Pure.

Each clause says in its docstring when it holds. `path` is its place in the JSON and takes no part
in equality: two clauses that ask the same are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any, Literal, Protocol
from uuid import UUID

from contacts.fields import FIELDS, Field, FieldType
from contacts.segments.facts import Facts
from contacts.segments.moments import Point, Span

ENTERED, LEFT = "segment.entered", "segment.left"
Affix = Literal["starts_with", "ends_with", "contains"]
Total = Literal["sum", "avg", "min", "max", "count_distinct"]


@dataclass(frozen=True, slots=True)
class Clause:
    path: str = field(default="$", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class All(Clause):
    """Every part holds. `said` names the parts together, where they stand for a rule."""

    parts: tuple[Clause, ...]
    said: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Any_(Clause):  # noqa: N801 - `Any` is taken by typing
    """At least one part holds."""

    parts: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Not(Clause):
    """The part does not hold: everyone else."""

    part: Clause


@dataclass(frozen=True, slots=True)
class Several(Clause):
    """The number of parts that hold lies between these, both included."""

    parts: tuple[Clause, ...]
    low: int = 0
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Everyone(Clause):
    """Holds for everybody."""


@dataclass(frozen=True, slots=True)
class Share(Clause):
    """The person's lot by this name lies in low <= lot < high, in hundredths of a percent."""

    name: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Exists(Clause):
    """The field has a value; a list field has an entry."""

    field: str


@dataclass(frozen=True, slots=True)
class OneOf(Clause):
    """The value is one of these."""

    field: str
    values: tuple[Any, ...]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class TextIs(Clause):
    """The text starts with, ends with or contains one of these."""

    field: str
    how: Affix
    values: tuple[str, ...]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Matches(Clause):
    """The pattern is found somewhere in the text."""

    field: str
    pattern: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class HasWords(Clause):
    """The list has one of these choices; with `every`, all of them."""

    field: str
    values: tuple[str, ...]
    every: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Size(Clause):
    """The number of choices in the list lies between these, both included."""

    field: str
    low: int = 0
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Between(Clause):
    """The value lies between the bounds; an absent bound is no bound."""

    field: str
    low: float | time | Point | None = None
    high: float | time | Point | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class Age(Clause):
    """The whole years since the date, today or on a fixed day, lie between these, both included."""

    field: str
    low: int | None = None
    high: int | None = None
    on: Any = None


@dataclass(frozen=True, slots=True)
class MonthIs(Clause):
    """The date falls in one of these months, of any year."""

    field: str
    months: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Anniversary(Clause):
    """The date's next anniversary is today or at most so many days ahead."""

    field: str
    days: int


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time; each part that is given narrows it."""

    since: Point | None = None
    before: Point | None = None
    last: Span | None = None
    next: Span | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Which entries of a list field are meant; an empty part asks nothing."""

    codes: tuple[str, ...] = ()
    system: str = ""
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    unit: str = ""
    window: Window = Window()
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    groups: tuple[UUID, ...] = ()
    meant: frozenset[tuple[str, str]] | None = None
    """The (system, code) pairs of the groups, once they were looked up."""


@dataclass(frozen=True, slots=True)
class Count(Clause):
    """The number of matching entries lies between these, both included."""

    field: str
    where: Where
    low: int = 0
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Latest(Clause):
    """The newest matching entry has a value between the bounds, or one of these answers."""

    field: str
    where: Where
    answers: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class Property(Clause):
    """A property of an event, read as this type, passes the test; `test` asks it by its name."""

    name: str
    type: FieldType
    test: Clause


@dataclass(frozen=True, slots=True)
class Happened(Clause):
    """The number of such events lies between these, both included."""

    kind: str
    low: int = 1
    high: int | None = None
    window: Window = Window()
    campaign: UUID | None = None
    link: str = ""
    machine: bool = False
    where: Clause | None = None
    """Holds of the event's properties."""
    told_of: Clause | None = field(default=None, compare=False)
    """What the segment asks that somebody came into or left, once it was looked up."""


@dataclass(frozen=True, slots=True)
class Totalled(Clause):
    """What a property of such events comes to lies between the bounds."""

    such: Happened
    name: str
    how: Total
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class OneHappened(Clause):
    """The first, or the last, of these events is such a one."""

    which: Literal["first", "last"]
    of: Happened
    such: Happened


@dataclass(frozen=True, slots=True)
class Been(Clause):
    """The person came into the segment at such a time, and has not left it since."""

    entered: Happened


@dataclass(frozen=True, slots=True)
class Household(Clause):
    """The part holds for someone else of the person's household."""

    part: Clause


@dataclass(frozen=True, slots=True)
class OnList(Clause):
    """The contact is on the list."""

    list_id: UUID


@dataclass(frozen=True, slots=True)
class InSegment(Clause):
    """The other segment's definition holds; `means` is that definition once it was looked up."""

    segment_id: UUID
    means: Clause | None = None


class Question(Protocol):
    """A clause that a higher floor brings: consent, for one. Must be hashable."""

    @property
    def data_classes(self) -> frozenset[str]: ...

    def in_words(self) -> str: ...

    def holds(self, facts: Facts, *, now: Any) -> bool:
        """The meaning, from `facts.registered`."""

    def contact_ids(self, *, now: Any, among: Any = None) -> Any:
        """Those for whom it holds, in one statement; only of `among` when that is given."""


@dataclass(frozen=True, slots=True)
class Registered(Clause):
    """A registered question is answered yes."""

    key: str
    question: Any


@dataclass(frozen=True, slots=True)
class Definition:
    """A parsed definition, the JSON it was read from, and the fields it was read with."""

    root: Clause
    tree: Any = field(compare=False)
    fields: Mapping[str, Field] = field(default_factory=lambda: FIELDS, compare=False, repr=False)


def children(clause: Clause) -> tuple[Clause, ...]:
    if isinstance(clause, All | Any_ | Several):
        return clause.parts
    if isinstance(clause, Not | Household):
        return (clause.part,)
    if isinstance(clause, InSegment) and clause.means is not None:
        return (clause.means,)
    return ()


def walk(clause: Clause) -> Iterator[Clause]:
    """The clause and all below it, outermost first, other segments' clauses and those asked of
    others in the household included."""
    yield clause
    for child in children(clause):
        yield from walk(child)


def walk_own(clause: Clause) -> Iterator[Clause]:
    """The same without what is asked of others in the household."""
    yield clause
    if not isinstance(clause, Household):
        for child in children(clause):
            yield from walk_own(child)


def asked_of_events(clause: Clause) -> tuple[Happened, ...]:
    """The descriptions of events that a clause holds its person's events against."""
    if isinstance(clause, Happened):
        return (clause,)
    if isinstance(clause, Totalled):
        return (clause.such,)
    if isinstance(clause, Been):
        return (clause.entered, replace(clause.entered, kind=LEFT))
    return (clause.of, clause.such) if isinstance(clause, OneHappened) else ()


def properties_asked(clause: Clause) -> Iterator[Property]:
    """The tests of events' properties that one clause about events makes."""
    for such in asked_of_events(clause):
        if such.where is not None:
            yield from (each for each in walk(such.where) if isinstance(each, Property))
