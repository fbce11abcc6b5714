"""The shapes in which facts about a person travel: from an intake, into a record, out to a reader.

List values are plain dictionaries, so that they can be sealed, sent as JSON and read in a template
without translation. Dates are `YYYY-MM-DD`, times `YYYY-MM-DDTHH:MM:SSZ` (UTC); both order as text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NotRequired, TypedDict


class Coding(TypedDict):
    """A code of a system: what every clinical item has."""

    system: str
    code: str


class CodedItem(TypedDict):
    """A condition (`conditions`) or an ordered medication (`medications`).

    `status` is the clinical status of a condition (active, resolved ...) or that of the order.
    `date` is the onset or the day of the order; `end` the day on which a condition ended.
    `also` holds further codes that mean the same; `ref` names the item in its source.
    """

    system: str
    code: str
    display: str
    status: str
    date: NotRequired[str]
    end: NotRequired[str]
    also: NotRequired[list[list[str]]]
    ref: NotRequired[str]


class ResultItem(TypedDict):
    """The newest result of one code. `value` is a number where the source gave one, else text."""

    system: str
    code: str
    display: str
    value: float | str
    unit: NotRequired[str]
    at: NotRequired[str]
    also: NotRequired[list[list[str]]]
    ref: NotRequired[str]


OccurrenceItem = TypedDict(
    "OccurrenceItem",
    {
        "system": str,
        "code": str,
        "display": str,
        "status": str,
        "class": NotRequired[str],
        "at": NotRequired[str],
        "also": NotRequired[list[list[str]]],
        "ref": NotRequired[str],
    },
)
"""A visit (`class` is AMB, EMER, IMP ...), an immunization, a procedure or an appointment."""


class RecordNumber(TypedDict):
    """The number of the person in one source system."""

    source: str
    value: str


class _Clear:
    """The value that removes what is known; a field that is absent from a change stays as it is."""

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR: Final = _Clear()


def codings(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every (system, code) under which an item may be found."""
    yield item["system"], item["code"]
    yield from ((system, code) for system, code in item.get("also", ()))


HAPPENED = frozenset({"finished", "in-progress", "arrived", "triaged", "onleave", "unknown", ""})
"""Statuses of visits that took place; planned and cancelled ones are no visit."""


def last_visit(encounters: Collection[OccurrenceItem]) -> str | None:
    """Return the start of the newest visit that took place."""
    return max(
        (visit["at"] for visit in encounters if "at" in visit and visit["status"] in HAPPENED),
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFact:
    """One address that a source gives: `value` is a text, or the parts of a postal address."""

    kind: str
    value: str | dict[str, str] = field(repr=False)
    use: str = "home"
    rank: int = 1
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """What one source says about one person.

    `numbers` are (source, value), the first one that identifies best. A person with no `numbers`
    cannot be stored. `references` are the names under which other resources of the same file speak
    of the person. `whole` is False where the file holds things about a person but not the person.
    `retracted` names items that the source has taken back. `points` are all addresses of a kind
    of which the source gives more than one, or one with a period.
    """

    place: str
    numbers: tuple[tuple[str, str], ...]
    values: Mapping[str, Any]
    whole: bool = True
    as_of: datetime | None = None
    references: tuple[str, ...] = ()
    retracted: frozenset[str] = field(default_factory=frozenset)
    points: tuple[PointFact, ...] = ()
