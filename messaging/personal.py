"""What a batch of messages is told of its people beside their fields: language, clock, conditions.

One question a condition and one look at the rules for the whole batch, never one a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consent.rules import shelf
from contacts.fields import DataClass
from contacts.segments.reading import DefinitionInvalid
from messaging.claims import Claimed
from messaging.filters import Locale
from messaging.making import conditions
from messaging.versions import Loaded

LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Personal:
    """How one message is written for its person."""

    locale: Locale
    when: frozenset[str]


def opened(version: Loaded) -> frozenset[str]:
    """Return the class in which the preferred language stands, where there is one to choose."""
    return frozenset({DataClass.DEMOGRAPHIC.value} if version.translations else ())


def of(
    part: Sequence[Claimed],
    loaded: Mapping[UUID, Loaded],
    records: Mapping[int, Mapping[str, Any]],
    *,
    zone: str,
    now: datetime,
) -> dict[int, Personal | None]:
    """Return what to write each message by; None where one of its version's conditions broke."""
    holding = _holding(part, loaded, now=now)
    rules = shelf.at(now)
    told: dict[int, Personal | None] = {}
    for one in part:
        version, record = loaded[one.version_id], records.get(one.contact_id, {})
        held = holding[one.version_id]
        if held is None:
            told[one.id] = None
            continue
        language = version.speaks(str(record.get(LANGUAGE) or ""))
        # A State with one clock says which; where it has several, times are on our own.
        clocks = rules.zones_of(str(record.get("state") or ""))
        there = clocks[0] if record.get("state") and len(clocks) == 1 else zone
        when = frozenset(name for name, people in held.items() if one.contact_id in people)
        told[one.id] = Personal(Locale(language, there, there != zone), when)
    return told


def _holding(
    part: Sequence[Claimed], loaded: Mapping[UUID, Loaded], *, now: datetime
) -> dict[UUID, dict[str, set[int]] | None]:
    """Return, for each version, for whom each of its conditions holds."""
    people: dict[UUID, set[int]] = defaultdict(set)
    for one in part:
        people[one.version_id].add(one.contact_id)
    found: dict[UUID, dict[str, set[int]] | None] = {}
    for version_id, ids in people.items():
        try:
            found[version_id] = conditions.among(loaded[version_id].conditions, ids, now=now)
        except DefinitionInvalid:
            found[version_id] = None
    return found
