"""What a segment may know about one person. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list field: a condition, a medication, a result, a visit, a dose.

    `codings` are all (system, code) pairs under which it may be found. `at` is a date for
    conditions and medications, a moment (whole seconds) for the rest. `kind` is the class of a
    visit. A result has a number in `value` or words in `answer`.
    """

    codings: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    status: str = ""
    text: str = ""
    at: date | datetime | None = None
    value: float | None = None
    answer: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the contact."""

    kind: str
    at: datetime
    campaign: UUID | None = None
    link: str = ""
    machine: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Plain JSON, as it was sent."""


Value = str | float | bool | date | datetime | time | tuple[str, ...] | tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """`values` holds only what is known: a missing field has no key. Moments are whole seconds.

    A coded value is a list of one entry. Of events at one moment the later in `events` is the
    later. `registered` holds what the questions of higher floors need, by their key; `household`
    what is known of the others in the person's households.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    events: tuple[Happening, ...] = ()
    lists: frozenset[UUID] = frozenset()
    registered: Mapping[str, Any] = field(default_factory=dict)
    household: tuple[Facts, ...] = ()
    ordinal: int = 0
    """The person's place in the organisation, which lots are drawn by."""


NOTHING = Facts()
