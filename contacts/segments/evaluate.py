"""Who is in: over sealed columns, and for contacts changed since then, from their records.

The columns and the list of changed contacts are read by one statement, so they are of one instant:
a contact is answered either by columns that are true of it or by its record, never by columns that
it has outgrown. Memory holds a block at a time, and one bit of answer for each contact.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection, transaction
from psycopg import IsolationLevel

from accounts import tenancy
from accounts.models import Organisation
from contacts.models import BLOCK_SIZE, Ordinal, first_id
from contacts.segments import (
    catalogue,
    from_records,
    gathered,
    happenings,
    narrowing,
    opening,
    vectors,
)
from contacts.segments.arrays import Ints, Mask
from contacts.segments.building import PLACES, PRESENT
from contacts.segments.changed import CHANGE, Changed
from contacts.segments.counting import Counts, Preview, standing
from contacts.segments.nodes import Clause, Definition
from contacts.segments.planning import Block, BuiltBlock
from contacts.segments.sealed_blocks import SealedBlock
from crypto import columns as sealing
from crypto import keyring
from crypto.rows import in_portions, streamed
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


def members(definition: Definition, *, now: datetime) -> Members:
    """Return everyone in the current organisation for whom the definition holds."""
    return _everyone(definition, now, None)


def preview(
    definition: Definition, *, now: datetime, turn: Callable[[], None] | None = None
) -> Preview:
    """Count the whole, and each clause on its own. `turn` is called before each block, and ends
    the count by what it raises (`contacts.segments.asking`)."""
    started = time.perf_counter()
    counts = Counts(turn=turn)
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
    ids = sorted(set(contact_ids))
    definition, now = _ready(definition, now)
    holding: set[int] = set()
    for at in range(0, len(ids), BLOCK_SIZE):
        some = ids[at : at + BLOCK_SIZE]
        outside = {c: _mask_of(c, some, now) for c in vectors.answered_outside(definition)}
        found, _ = from_records.holding(definition, some, outside, now)
        holding |= {some[place] for place in np.flatnonzero(found)}
    return holding


def _holding(definition: Definition, ids: Sequence[int] | None, now: datetime) -> Collection[int]:
    """What `among` returns, or of everyone."""
    if ids is None:
        return members(definition, now=now).contact_ids()
    return among(definition, ids, now=now)


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
        outside = gathered.masks_of(asked, some, now=now, ask=_holding)
        block, people = from_records.built(names, some, np.arange(len(some)))
        for definition, held in zip(definitions, holding, strict=True):
            found = vectors.plan(definition, now=now, outside=outside)(block) & people
            held.update(some[place] for place in np.flatnonzero(found))
    return holding


def verdicts(definition: Definition, contact_id: int, *, now: datetime) -> dict[str, bool]:
    """Return each clause's answer for one contact, by the clause's place."""
    definition, now = _ready(definition, now)
    told: dict[str, bool] = {}
    own = standing(definition.root)

    def watch(clause: Clause, found: Mask) -> None:
        if own.get(clause.path) is clause:
            told[clause.path] = bool(found[0])

    outside = {c: _mask_of(c, [contact_id], now) for c in vectors.answered_outside(definition)}
    block, _ = from_records.built(vectors.columns_read(definition), [contact_id], np.arange(1))
    vectors.plan(definition, now=now, outside=outside, watch=watch)(block)
    return told


def zone() -> ZoneInfo:
    """The acting organisation's zone: its days are those that segments mean."""
    return _zone_and_size()[0]


def _ready(definition: Definition, now: datetime) -> tuple[Definition, datetime]:
    """Look referred segments up, and put the clock into the organisation's zone."""
    return catalogue.expanded(definition), now.astimezone(zone())


def _everyone(definition: Definition, now: datetime, counts: Counts | None) -> Members:
    """Evaluate; once more, with the keys read anew, where one was made since they were read."""
    organisation_id = tenancy.current()
    try:
        return _over_all(organisation_id, definition, now, counts)
    except KeyUnavailable:
        keyring.forget(organisation_id)
        return _over_all(organisation_id, definition, now, counts)


def _over_all(
    organisation_id: int, definition: Definition, now: datetime, counts: Counts | None
) -> Members:
    keyring.for_organisation(organisation_id)
    with _one_instant():
        zone, size = _zone_and_size()
        definition, now = catalogue.expanded(definition), now.astimezone(zone)
        if counts is None:
            first, dear = narrowing.apart(definition)
        else:
            first, dear = definition, []
            counts.start(definition.root)
        whole = _asked_of_all(organisation_id, first, size, now, counts)
        for asked in dear:
            _narrow(whole.found, asked, now)
    return Members(organisation_id, np.flatnonzero(whole.found), whole.people)


def _asked_of_all(
    organisation_id: int, definition: Definition, size: int, now: datetime, counts: Counts | None
) -> _Whole:
    outside, whole = _outside(definition, size, now), _Whole(size)
    watch = counts.watch if counts else None
    run = vectors.plan(definition, now=now, outside=outside, watch=watch)
    may_ask = counts is not None and counts.turn is not None
    with closing(_blocks(organisation_id, definition, whole, may_ask=may_ask)) as blocks:
        for block, here in blocks:
            if counts is not None:
                counts.begin(here)
            whole.take(block.ordinals, run(block) & here, here)
    for some, ordinals in _in_batches(whole.left_open(organisation_id)):
        if counts is None:
            masks = {clause: mask[ordinals] for clause, mask in outside.items()}
            found, there = from_records.holding(definition, some, masks, now)
        else:
            built, there = from_records.built(vectors.columns_read(definition), some, ordinals)
            counts.begin(there)
            found = run(built) & there
        whole.take(ordinals, found, there)
    return whole


def _narrow(found: Mask, asked: Definition, now: datetime) -> None:
    """Take out of those found whom this does not hold for; it needs no columns."""
    ordinals = np.flatnonzero(found)
    outside = _outside(asked, len(found), now, only=found)
    run = vectors.plan(asked, now=now, outside=outside)
    found[ordinals] = run(BuiltBlock(len(ordinals), ordinals, {}))


@dataclass(slots=True)
class _Whole:
    """What an evaluation of everyone has found so far, and what the columns leave open."""

    size: int
    found: Mask = field(init=False)
    covered: Mask = field(init=False)
    changed: Changed = field(init=False)
    people: int = 0

    def __post_init__(self) -> None:
        self.found = np.zeros(self.size, np.bool_)
        self.covered = np.zeros(self.size // BLOCK_SIZE, np.bool_)

    def take(self, ordinals: Ints | slice, found: Mask, there: Mask) -> None:
        self.found[ordinals] |= found
        self.people += int(np.count_nonzero(there))

    def left_open(self, organisation_id: int) -> Ints:
        """Contacts that no column answered for: changed and in no side block, or in none at all."""
        first = first_id(organisation_id)
        uncovered = np.array(_uncovered(self.covered), np.int64)
        uncovered = np.setdiff1d(uncovered, self.changed.settled + first)
        return np.union1d(self.changed.left + first, uncovered)


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


def _outside(
    definition: Definition, size: int, now: datetime, *, only: Mask | None = None
) -> Mapping[Clause, Mask]:
    return {c: _mask_over(c, size, now, only) for c in vectors.answered_outside(definition)}


def _mask_over(clause: Clause, size: int, now: datetime, only: Mask | None) -> Mask:
    found = happenings.find(clause, now=now, ask=_holding, only=only)
    ordinals = found.ids - first_id(tenancy.current())
    mask = np.full(size, found.others, np.bool_)
    mask[ordinals[ordinals < size]] = not found.others
    return mask


def _mask_of(clause: Clause, ids: Sequence[int], now: datetime) -> Mask:
    found = happenings.find(clause, now=now, ask=_holding, among=ids)
    mask: Mask = np.isin(np.array(ids, np.int64), found.ids)
    return ~mask if found.others else mask


_ONE_STATEMENT = f"""
SELECT {1 - 2**31} AS block, '' AS field, 0 AS version,
    (SELECT array_send(array_agg({CHANGE})) FROM contacts_dirty WHERE organisation_id = %b)
    AS payload
UNION ALL
SELECT block, field, version, payload FROM contacts_segmentcolumn
WHERE organisation_id = %b AND field = ANY(%b)
ORDER BY block
"""
"""First what changed, then the side blocks, then the blocks."""
_AT_ONCE = 16
"""Rows; a column of a block is 32 kB at most, but for words."""


def _blocks(
    organisation_id: int, definition: Definition, whole: _Whole, *, may_ask: bool
) -> Generator[tuple[Block, Mask]]:
    """Yield every block that can answer, with the mask of its people for whom it does.

    With `may_ask`, the connection is free between blocks: whoever counts looks for newer questions.
    """
    names, opener = vectors.columns_read(definition), sealing.Opener(organisation_id)
    read = in_portions if may_ask else streamed
    given = [organisation_id, organisation_id, [*names, PRESENT, PLACES]]
    with closing(read(_ONE_STATEMENT.encode(), given, at_once=_AT_ONCE)) as rows:
        changed = whole.changed = Changed.read(next(rows)[3], whole.size)
        for number, held in groupby(rows, itemgetter(0)):
            of_block = {row[1]: (row[2], row[3]) for row in held}
            block = SealedBlock(opener, number, of_block, definition.fields)
            if (here := _answering(block, names, changed, whole)) is not None:
                yield block, here


def _answering(
    block: SealedBlock, names: frozenset[str], changed: Changed, whole: _Whole
) -> Mask | None:
    """For whom the block answers; None where it cannot."""
    if not block.covers([*names, PLACES] if block.aside else names):
        return None
    reach = block.ordinals
    if isinstance(reach, slice):
        whole.covered[block.number] = True
        here = block.people()
        here[changed.inside(reach)] = False
        return here
    if reach.max(initial=0) >= whole.size:
        return None  # it holds newcomers: records answer
    return block.people() & changed.answered(-block.number, reach)


def _uncovered(covered: Mask) -> list[int]:
    """Contacts of blocks that have not the columns asked for: new blocks, new fields, a restore."""
    first, found = first_id(tenancy.current()), []
    for number in np.flatnonzero(~covered):
        start = first + int(number) * BLOCK_SIZE
        found += opening.contacts_in(start, start + BLOCK_SIZE - 1)
    return found


def _in_batches(ids: Ints) -> Iterator[tuple[list[int], Ints]]:
    first = first_id(tenancy.current())
    for at in range(0, len(ids), BLOCK_SIZE):
        some = ids[at : at + BLOCK_SIZE]
        yield some.tolist(), some - first
