"""Who is in: over sealed columns, and for contacts changed since then, from their records.

The columns and the list of changed contacts are read by one statement, so they are of one instant:
a contact is answered either by columns that are true of it or by its record, never by columns that
it has outgrown. Memory holds a block at a time, and one bit of answer for each contact.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection, transaction
from psycopg import IsolationLevel

from accounts import tenancy
from accounts.models import Organisation
from contacts.models import BLOCK_SIZE, Ordinal, first_id, ordinal_of
from contacts.segments import building, catalogue, happenings, opening, vectors
from contacts.segments.arrays import Ints, Mask
from contacts.segments.columns import SealedBlock
from contacts.segments.nodes import All, Clause, Definition
from contacts.segments.planning import Block, BuiltBlock
from crypto import columns as sealing
from crypto import keyring
from crypto.seal import KeyUnavailable


@dataclass(frozen=True, slots=True)
class Members:
    """Ordinals of those who are in, ascending."""

    organisation_id: int
    ordinals: Ints
    population: int

    @property
    def count(self) -> int:
        return len(self.ordinals)

    def contact_ids(self) -> list[int]:
        ids: list[int] = (self.ordinals + first_id(self.organisation_id)).tolist()
        return ids


@dataclass(slots=True)
class Preview:
    """How many are in, how many each clause holds for, and how many are left after each step.

    `clause_counts` is by the clause's place in the JSON. `funnel` is for a definition that is one
    `all`: how many are left after its first part, its first two, and so on.
    """

    total: int
    population: int
    clause_counts: dict[str, int]
    funnel: list[tuple[str, int]]
    as_of: datetime
    took: float


@dataclass(slots=True)
class _Counts:
    """Adds up what each clause answered, block by block."""

    steps: Sequence[Clause] = ()
    people: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    left: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    clauses: dict[str, int] = field(default_factory=dict)
    funnel: dict[str, int] = field(default_factory=dict)

    def start(self, root: Clause) -> None:
        self.steps = root.parts if isinstance(root, All) else (root,)
        self.clauses, self.funnel = {}, {}

    def begin(self, people: Mask) -> None:
        self.people, self.left = people, people

    def watch(self, clause: Clause, found: Mask) -> None:
        here = found & self.people
        self.clauses[clause.path] = self.clauses.get(clause.path, 0) + int(here.sum())
        if any(clause is step for step in self.steps):
            self.left = self.left & found
            path = clause.path
            self.funnel[path] = self.funnel.get(path, 0) + int(self.left.sum())


def members(definition: Definition, *, now: datetime) -> Members:
    """Return everyone in the current organisation for whom the definition holds."""
    return _everyone(definition, now, None)


def preview(definition: Definition, *, now: datetime) -> Preview:
    """Count the whole, and each clause on its own."""
    started = time.perf_counter()
    counts = _Counts()
    found = _everyone(definition, now, counts)
    return Preview(
        total=found.count,
        population=found.population,
        clause_counts=counts.clauses,
        funnel=list(counts.funnel.items()),
        as_of=now,
        took=time.perf_counter() - started,
    )


def among(definition: Definition, contact_ids: Collection[int], *, now: datetime) -> set[int]:
    """Return those of these contacts for whom the definition holds, from their records."""
    definition, now = _ready(definition, now)
    return among_each([definition], contact_ids, now=now)[0]


def among_each(
    definitions: Sequence[Definition], contact_ids: Collection[int], *, now: datetime
) -> list[set[int]]:
    """Return, for each definition, those of these contacts for whom it holds.

    Each record is opened once for all of them, and a question that several ask is asked once. The
    definitions are expanded already (`catalogue.expanded`) and `now` is in the organisation's zone.
    """
    ids = sorted(set(contact_ids))
    names = frozenset(name for one in definitions for name in vectors.columns_read(one))
    asked = {c for one in definitions for c in vectors.answered_outside(one)}
    holding: list[set[int]] = [set() for _ in definitions]
    for at in range(0, len(ids), BLOCK_SIZE):
        some = ids[at : at + BLOCK_SIZE]
        outside = {c: _mask_of(c, some, now) for c in asked}
        block, people = _built(names, some, np.arange(len(some)))
        for definition, held in zip(definitions, holding, strict=True):
            found = vectors.plan(definition, now=now, outside=outside)(block) & people
            held.update(some[place] for place in np.flatnonzero(found))
    return holding


def verdicts(definition: Definition, contact_id: int, *, now: datetime) -> dict[str, bool]:
    """Return each clause's answer for one contact, by the clause's place."""
    definition, now = _ready(definition, now)
    told: dict[str, bool] = {}

    def watch(clause: Clause, found: Mask) -> None:
        told[clause.path] = bool(found[0])

    outside = {c: _mask_of(c, [contact_id], now) for c in vectors.answered_outside(definition)}
    block, _ = _built(vectors.columns_read(definition), [contact_id], np.arange(1))
    vectors.plan(definition, now=now, outside=outside, watch=watch)(block)
    return told


def _ready(definition: Definition, now: datetime) -> tuple[Definition, datetime]:
    """Look referred segments up, and put the clock into the organisation's zone."""
    return catalogue.expanded(definition), now.astimezone(_zone_and_size()[0])


def _everyone(definition: Definition, now: datetime, counts: _Counts | None) -> Members:
    """Evaluate; once more, with the keys read anew, where one was made since they were read."""
    organisation_id = tenancy.current()
    try:
        return _over_all(organisation_id, definition, now, counts)
    except KeyUnavailable:
        keyring.forget(organisation_id)
        return _over_all(organisation_id, definition, now, counts)


def _over_all(
    organisation_id: int, definition: Definition, now: datetime, counts: _Counts | None
) -> Members:
    keyring.for_organisation(organisation_id)
    with _one_instant():
        zone, size = _zone_and_size()
        definition, now = catalogue.expanded(definition), now.astimezone(zone)
        if counts is not None:
            counts.start(definition.root)
        outside = _outside(definition, size, now)
        run = vectors.plan(
            definition, now=now, outside=outside, watch=counts.watch if counts else None
        )
        found, people = np.zeros(size, np.bool_), 0
        for block, here in _blocks(organisation_id, definition, size):
            if counts is not None:
                counts.begin(here)
            found[block.ordinals] |= run(block) & here
            people += int(np.count_nonzero(here))
    return Members(organisation_id, np.flatnonzero(found), people)


@contextmanager
def _one_instant() -> Iterator[None]:
    """Let all statements see the same instant, where this is the outermost transaction.

    Inside another's transaction they may not; the columns and the changed contacts still do,
    because one statement reads both.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    connection.ensure_connection()
    raw = connection.connection
    before = raw.isolation_level
    raw.isolation_level = IsolationLevel.REPEATABLE_READ  # said in BEGIN itself: no trip of its own
    try:
        with transaction.atomic():
            yield
    finally:
        if not raw.closed:
            raw.isolation_level = before


def _zone_and_size() -> tuple[ZoneInfo, int]:
    """The organisation's zone, and places for every ordinal given so far, in whole blocks.

    There is a block to spare, for those who come in meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ZONE_AND_NEXT, [tenancy.current()])
        zone, given = cursor.fetchone()
    return ZoneInfo(zone), (given // BLOCK_SIZE + 2) * BLOCK_SIZE


_ZONE_AND_NEXT = f"""
SELECT o.timezone, coalesce(n.next, 0) FROM {Organisation._meta.db_table} o
LEFT JOIN {Ordinal._meta.db_table} n ON n.organisation_id = o.id WHERE o.id = %s
"""


def _outside(definition: Definition, size: int, now: datetime) -> Mapping[Clause, Mask]:
    return {c: _mask_over(c, size, now) for c in vectors.answered_outside(definition)}


def _mask_over(clause: Clause, size: int, now: datetime) -> Mask:
    found = happenings.find(clause, now=now)
    ordinals = found.ids - first_id(tenancy.current())
    mask = np.full(size, found.others, np.bool_)
    mask[ordinals[ordinals < size]] = not found.others
    return mask


def _mask_of(clause: Clause, ids: Sequence[int], now: datetime) -> Mask:
    found = happenings.find(clause, now=now, among=ids)
    mask: Mask = np.isin(np.array(ids, np.int64), found.ids)
    return ~mask if found.others else mask


_ONE_STATEMENT = """
COPY (
    SELECT -1 AS block, '' AS field, 0 AS version, NULL::bytea AS payload,
        (SELECT array_agg(DISTINCT contact_id) FROM contacts_dirty WHERE organisation_id = %(o)s)
            AS changed
    UNION ALL
    SELECT block, field, version, payload, NULL FROM contacts_segmentcolumn
    WHERE organisation_id = %(o)s AND field = ANY(%(fields)s)
    ORDER BY block
) TO STDOUT (FORMAT binary)
"""
_TYPES = ("int4", "text", "int4", "bytea", "int8[]")


def _blocks(
    organisation_id: int, definition: Definition, size: int
) -> Iterator[tuple[Block, Mask]]:
    """Yield every block with the mask of its people, then the changed in blocks of their own."""
    names = vectors.columns_read(definition)
    stored = _stored(organisation_id, [*names, building.PRESENT])
    changed = sorted(next(stored))
    overlay = [contact_id for contact_id in changed if ordinal_of(contact_id) < size]
    places = np.array([ordinal_of(contact_id) for contact_id in overlay], np.int64)
    covered = np.zeros(size // BLOCK_SIZE, np.bool_)
    for block in stored:
        if not block.covers(names):
            continue
        covered[block.number] = True
        here = block.people()
        reach = block.ordinals
        inside = places[slice(*np.searchsorted(places, [reach.start, reach.stop]))]
        here[inside - reach.start] = False
        yield block, here
    yield from _overlaid(definition, [*overlay, *_uncovered(organisation_id, covered)])


def _stored(organisation_id: int, fields: list[str]) -> Iterator[Any]:
    """First the ids of the changed contacts, then the blocks, from one statement.

    COPY streams them: one trip to the server, and never more than a block in memory.
    """
    opener = sealing.Opener(organisation_id)
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        connection.connection.cursor() as cursor,
        cursor.copy(_ONE_STATEMENT, {"o": organisation_id, "fields": fields}) as copy,
    ):
        copy.set_types(_TYPES)
        rows = iter(copy.rows())
        yield next(rows)[4] or []
        for number, held in groupby(rows, itemgetter(0)):
            yield SealedBlock(opener, number, {row[1]: (row[2], row[3]) for row in held})


def _uncovered(organisation_id: int, covered: Mask) -> list[int]:
    """Contacts of blocks that have not the columns asked for: new blocks, new fields, a restore."""
    first, found = first_id(organisation_id), []
    for number in np.flatnonzero(~covered):
        start = first + int(number) * BLOCK_SIZE
        found += opening.contacts_in(start, start + BLOCK_SIZE - 1)
    return found


def _overlaid(definition: Definition, ids: Sequence[int]) -> Iterator[tuple[Block, Mask]]:
    everyone = sorted(set(ids))
    for at in range(0, len(everyone), BLOCK_SIZE):
        some = everyone[at : at + BLOCK_SIZE]
        ordinals = np.array([ordinal_of(contact_id) for contact_id in some], np.int64)
        yield _built(vectors.columns_read(definition), some, ordinals)


def _built(names: Collection[str], ids: Sequence[int], ordinals: Ints) -> tuple[BuiltBlock, Mask]:
    """Columns made on the fly from records, and which of these contacts are there at all."""
    keys = {name.partition(".")[0] for name in names}
    values = opening.values_of(tenancy.current(), ids, keys)
    columns = building.build([values.get(contact_id, {}) for contact_id in ids], names)
    there = np.array([contact_id in values for contact_id in ids], np.bool_)
    return BuiltBlock(len(ids), ordinals, columns), there
