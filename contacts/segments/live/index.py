"""Which segments rest on what: from changes to the segments whose members they may change.

Compiled once for each state of an organisation's definitions and kept by the process; one
statement tells whether the state is still the same.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from accounts import tenancy
from contacts.segments import catalogue, kinds, references
from contacts.segments.definition import Definition, DefinitionInvalid
from contacts.segments.live import foresight
from contacts.segments.models import Segment
from contacts.segments.references import EVERY_EVENT, Dependencies

_KEPT: Final = 16
_known: OrderedDict[tuple[int, bytes], Index] = OrderedDict()

# Whatever a definition may name: other segments, lists, fields, code groups.
_MARK = """
SELECT sha256(convert_to(concat_ws('|',
    (SELECT string_agg(id::text || version || status, ',' ORDER BY id)
     FROM contacts_segment WHERE organisation_id = %(o)s AND archived_at IS NULL),
    (SELECT string_agg(id::text, ',' ORDER BY id)
     FROM contacts_contactlist WHERE organisation_id = %(o)s),
    (SELECT mark::text FROM contacts_fieldmark WHERE organisation_id = %(o)s),
    (SELECT string_agg(id::text || version || (archived_at IS NULL), ',' ORDER BY id)
     FROM contacts_codegroup WHERE organisation_id = %(o)s),
    {others}
    ''
), 'UTF8'))
"""
_others: list[str] = []


@dataclass(frozen=True, slots=True)
class Followed:
    """A segment that is kept up to date."""

    id: UUID
    definition: Definition
    rests_on: Dependencies
    clock: foresight.Clock


@dataclass(slots=True)
class Index:
    """The segments by what they rest on."""

    segments: dict[UUID, Followed] = field(default_factory=dict)
    by_field: dict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    by_kind: dict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    by_beginning: dict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    by_list: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    by_journey: set[UUID] = field(default_factory=set)
    by_household: set[UUID] = field(default_factory=set)
    by_consent: set[UUID] = field(default_factory=set)
    by_any_event: set[UUID] = field(default_factory=set)
    soon: dict[tuple[UUID, datetime, datetime], Definition | None] = field(default_factory=dict)
    """Who may be moved soon, by segment, hour and horizon: see `soon_moved`."""

    def add(self, one: Followed) -> None:
        rests = one.rests_on
        self.segments[one.id] = one
        for key in rests.fields:
            self.by_field[key].add(one.id)
        for kind in rests.event_kinds - {EVERY_EVENT}:
            named = self.by_beginning if kinds.is_beginning(kind) else self.by_kind
            named[kind].add(one.id)
        for list_id in rests.lists:
            self.by_list[list_id].add(one.id)
        for asked, group in (
            (rests.journeys, self.by_journey),
            (rests.households, self.by_household),
            (rests.consent, self.by_consent),
            (EVERY_EVENT in rests.event_kinds, self.by_any_event),
        ):
            if asked:
                group.add(one.id)

    def soon_moved(self, one: Followed, *, now: datetime, until: datetime) -> Definition | None:
        """The same as foresight's from the beginning of the hour; made once an hour."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        key = (one.id, hour, until)
        if key not in self.soon:
            if len(self.soon) > 8 * len(self.segments):
                self.soon.clear()
            self.soon[key] = foresight.soon_moved(one.clock, now=hour, until=until)
        return self.soon[key]

    def of_fields(self, keys: Iterable[str]) -> set[UUID]:
        """Those that a change of these fields concerns."""
        found: set[UUID] = set()
        for key in keys:
            found |= self.by_field.get(key, set())
        return found

    def of_event(self, kind: str, campaign: UUID | None) -> set[UUID]:
        """Those that an event of this kind concerns, apart from what it says of the record."""
        found = set(self.by_kind.get(kind, ()))
        for name, ids in self.by_beginning.items():
            if kinds.means(name, kind):
                found |= ids
        if not kind.startswith("segment."):
            found |= self.by_any_event
        if kind.startswith("list.") and campaign is not None:
            found |= self.by_list.get(campaign, set())
        if kind.startswith("consent."):
            found |= self.by_consent
        return found

    def of_touch(self, what: str) -> set[UUID]:
        if what == "journey":
            return self.by_journey | self.by_any_event
        if what == "household":
            return set(self.by_household)
        if what == "consent":
            return self.by_consent | self.by_any_event
        return set(self.segments)


def also_names(table: str, columns: str = "id::text") -> None:
    """Definitions may name rows of this table too, by a question of a higher floor.

    `columns` is SQL for what matters of a row: when it changes, definitions are looked at again.
    """
    said = (
        f"(SELECT string_agg({columns}, ',' ORDER BY id) FROM {table}"
        " WHERE organisation_id = %(o)s),"
    )
    if said not in _others:
        _others.append(said)


def mark() -> bytes:
    """Return a hash of all that the organisation's definitions are and name."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK.replace("{others}", "".join(_others)), {"o": tenancy.current()})
        return bytes(cursor.fetchone()[0])


def current() -> tuple[bytes, Index]:
    """Return the mark and the index of the acting organisation's valid segments."""
    organisation_id, now_marked = tenancy.current(), mark()
    found = _known.get((organisation_id, now_marked))
    if found is None:
        found = _known[organisation_id, now_marked] = _compiled()
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return now_marked, found


def _compiled() -> Index:
    made = Index()
    for segment in Segment.objects.filter(archived_at=None, status=Segment.Status.VALID):
        definition = readable(segment)
        if definition is not None:
            rests, clock = references.dependencies(definition), foresight.clock(definition)
            made.add(Followed(segment.id, definition, rests, clock))
    return made


def readable(segment: Segment) -> Definition | None:
    try:
        return catalogue.definition_of(segment)
    except DefinitionInvalid:
        return None


def kinds_read(index: Index) -> list[str] | None:
    """The kinds of events to read, or beginnings of their names; None for all of them."""
    if index.by_any_event:
        return None
    return sorted({*index.by_kind, *index.by_beginning})


def by_id(index: Index, ids: Iterable[UUID]) -> Mapping[UUID, Followed]:
    return {one: index.segments[one] for one in ids if one in index.segments}
