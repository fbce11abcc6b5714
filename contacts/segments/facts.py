"""What a segment may know about one person. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
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


Value = str | float | bool | date | datetime | tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """`values` holds only what is known: a missing field has no key. Moments are whole seconds.

    `registered` holds what the questions of higher floors need, by their key.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    events: tuple[Happening, ...] = ()
    lists: frozenset[UUID] = frozenset()
    registered: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Facts()
