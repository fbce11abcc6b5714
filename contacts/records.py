"""Put what sources say about people into their sealed records, thousands at a time.

A person is known by source and record number, never by an e-mail address. `prepare` brings changes
into canonical form and packs the records of those whom nobody knows; it locks nothing, so that many
can prepare at once. The steps of `store`: find who is known by number; claim ordinals for the
others under the organisation's ordinal lock, so that two imports of one person make one contact;
merge each change into what is known; seal; write rows, indexes, numbers, dirty marks and events,
all in one transaction and a handful of statements. `upsert` does both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from contacts import identity, merging, registry, writing
from contacts.changes import Change, ChangeRefused, check, clean
from contacts.fields import DataClass, Field
from contacts.history import keeping as keeping_history
from contacts.merge import proposing, since
from contacts.models import ordinal_of
from contacts.packing import Record
from contacts.points import keeping
from contacts.preparing import (
    Prepared,
    as_of,
    micros,
    no_collector,
    numbers,
    prepare,
    with_numbers,
)
from contacts.writing import Row
from crypto.rows import writing_ahead

__all__ = [
    "Change", "ChangeRefused", "NobodyKnown", "Outcome", "Prepared", "check", "clean", "foresee",
    "micros", "prepare", "store", "upsert",
]  # fmt: skip

SEALED_AT_ONCE = 1_000
ANALYZE_FROM = 5_000
"""New contacts at once; the planner is told where the table grew by a fourth or more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the changes. `contact_ids` has one id for each change, in their order;
    `origins` the merged contact that it named, where it did.
    """

    created: int
    updated: int
    unchanged: int
    contact_ids: tuple[int, ...]
    origins: tuple[int | None, ...] = ()


Journal = Callable[[Sequence[int], Sequence[tuple[Mapping[DataClass, Record], Row]]], None]
"""Told the ids of new contacts, and for each written one its records before and its row."""


class NobodyKnown(LookupError):
    """A change for someone whom `may_create=False` expected to be known."""

    def __init__(self, position: int) -> None:
        super().__init__(f"change {position + 1}: nobody is known by this number")
        self.position = position


def upsert(
    changes: Sequence[Change],
    *,
    now: datetime,
    run: UUID | None = None,
    may_create: bool = True,
    is_clean: bool = False,
    journal: Journal | None = None,
) -> Outcome:
    """Prepare and store the changes; return what became of each."""
    with transaction.atomic():
        registry.held(change.values for change in changes)
        prepared = prepare(changes, now=now, is_clean=is_clean)
        return store(prepared, now=now, run=run, may_create=may_create, journal=journal)


def store(
    prepared: Prepared,
    *,
    now: datetime,
    run: UUID | None = None,
    may_create: bool = True,
    journal: Journal | None = None,
) -> Outcome:
    """Store what was prepared and return what became of each change.

    `journal` is told, in the transaction, whom this made, and what stood before in each record that
    it changed.
    """
    changes = prepared.changes
    if not changes:
        return Outcome(0, 0, 0, ())
    with no_collector(), transaction.atomic():
        fields = registry.held(change.values for change in changes)
        found, groups, met = _settled(prepared, now, fields, may_create=may_create)
        by = _origins(found, groups, met, run=run, now=now)
        ready = prepared.rows if prepared.fields == fields else {}
        fresh = _create(found, _Fresh(ready, groups, now, fields), by=by, now=now, run=run)
        _write_met(met, now=now, run=run)
        _keep_history(met, fresh, by)
        _besides(found, changes, now)
        if journal is not None:
            journal([row.contact_id for row in fresh], met.with_records_before())
    _tell_planner(fresh)
    return Outcome(
        len(fresh),
        len(met.changed),
        len(groups) - len(fresh) - len(met.changed),
        tuple(found.ids),
        tuple(found.origins),
    )


class _Met(NamedTuple):
    """What stood in the records of those who were known, and the rows that differ: `changed` for a
    reader, `touched` where only a time is newer.
    """

    before: Mapping[int, Mapping[DataClass, Record]]
    changed: list[Row]
    touched: list[Row]

    def with_records_before(self) -> list[tuple[Mapping[DataClass, Record], Row]]:
        return [(self.before[row.contact_id], row) for row in (*self.changed, *self.touched)]


def _settled(
    prepared: Prepared, now: datetime, fields: Mapping[str, Field], *, may_create: bool
) -> tuple[identity.Found, dict[int, list[Change]], _Met]:
    """Find everybody, and lock and merge those who were known.

    Who was merged or erased while the lock was waited for is looked for again, or what was said of
    them would be lost without a word.
    """
    for again in (True, True, False):
        with transaction.atomic():
            found = _resolved(prepared, may_create=may_create)
            groups = _grouped(found.ids, prepared.changes)
            met = _met(found, groups, now, fields)
            if not again or groups.keys() - found.new <= met.before.keys():
                break
            transaction.set_rollback(True)
    return found, groups, met


def _resolved(prepared: Prepared, *, may_create: bool) -> identity.Found:
    """Find or claim everybody's id."""
    found = identity.resolve(
        tenancy.current(),
        [numbers(change) for change in prepared.changes],
        create=may_create,
        same=[change.same_as for change in prepared.changes],
        tokens=prepared.tokens,
        likely_new=bool(prepared.rows),
    )
    _all_known(found.ids, may_create=may_create)
    return found


def _met(
    found: identity.Found,
    groups: Mapping[int, list[Change]],
    now: datetime,
    fields: Mapping[str, Field],
) -> _Met:
    """Lock those who were known, and merge what was said into what is known of them."""
    known = [id_ for id_ in groups if id_ not in found.new]
    before = writing.lock_and_open(tenancy.current(), known) if known else {}
    return _Met(before, *_merge_known(before, groups, now, fields))


def _origins(
    found: identity.Found,
    groups: Mapping[int, list[Change]],
    met: _Met,
    *,
    run: UUID | None,
    now: datetime,
) -> keeping_history.Origins:
    first = (groups[id_][0] for id_ in found.new)
    return keeping_history.origins([*first, *met.changed], run=run, now=now)


def _write_met(met: _Met, *, now: datetime, run: UUID | None) -> None:
    """Write the rows of those who were known, and tell of those that changed."""
    organisation_id = tenancy.current()
    writing.update(organisation_id, met.changed + met.touched, now=now)
    writing.announce(organisation_id, [], met.changed, now=now, run=run)


def _keep_history(met: _Met, fresh: Sequence[Row], by: keeping_history.Origins) -> None:
    """Keep what changed, and what came of new people with a message of its own."""
    rows = [*(row for row in fresh if row.message_id), *met.changed]
    keeping_history.keep(met.before, rows, by)


def _tell_planner(fresh: Sequence[Row]) -> None:
    if len(fresh) >= ANALYZE_FROM and ordinal_of(fresh[0].contact_id) < 4 * len(fresh):
        writing.analyze()


class _Fresh(NamedTuple):
    """Makes the rows of new contacts, of those that were prepared where that is still right."""

    prepared: Mapping[identity.Number, Row]
    groups: Mapping[int, list[Change]]
    now: datetime
    fields: Mapping[str, Field]

    def of(self, contact_id: int) -> Row:
        changes = self.groups[contact_id]
        if len(changes) == 1:
            ready = self.prepared.get((changes[0].source, changes[0].record_number))
            if ready is not None:
                return Row._make((contact_id, *ready[1:]))
        return _fresh(contact_id, changes, self.now, self.fields)


def _create(
    found: identity.Found,
    new_row: _Fresh,
    *,
    by: keeping_history.Origins,
    now: datetime,
    run: UUID | None,
) -> list[Row]:
    """Write the new contacts and every number to remember; return the rows of the new.

    The database writes one part while the next is sealed.
    """
    organisation_id, fresh = tenancy.current(), list[Row]()
    everybody = iter(sorted(found.new))
    with writing_ahead() as insert:
        writing.remember_numbers(organisation_id, found.numbers, insert=insert)
        while part := [new_row.of(id_) for id_ in islice(everybody, SEALED_AT_ONCE)]:
            writing.create(organisation_id, part, now=now, origins=by, insert=insert)
            writing.announce(organisation_id, part, [], now=now, run=run, insert=insert)
            fresh += part
    return fresh


def foresee(changes: Sequence[Change], *, now: datetime) -> Outcome:
    """Return what `upsert` would do with clean changes; writes nothing and locks nothing.

    Nobody has an id before being made: the unknown are counted by their first number.
    """
    organisation_id, fields = tenancy.current(), registry.current()
    found = identity.resolve(
        organisation_id,
        [numbers(c) for c in changes],
        create=False,
        same=[c.same_as for c in changes],
    )
    by_id: dict[int, list[Change]] = {}
    unknown = set()
    ids: Sequence[int | None] = found.ids
    for contact_id, change in zip(ids, changes, strict=True):
        if contact_id is None:
            unknown.add((change.source, change.record_number))
        else:
            by_id.setdefault(contact_id, []).append(change)
    stored = writing.lock_and_open(organisation_id, list(by_id), lock=False) if by_id else {}
    changed, _ = _merge_known(stored, by_id, now, fields)
    return Outcome(len(unknown), len(changed), len(by_id) - len(changed), tuple(found.ids))


def _all_known(ids: Sequence[int | None], *, may_create: bool) -> None:
    for position, contact_id in enumerate(ids):
        if contact_id is None and not may_create:
            raise NobodyKnown(position)


def _grouped(ids: Sequence[int], changes: Sequence[Change]) -> dict[int, list[Change]]:
    """Return the changes of each contact, the oldest first; those without a time come last."""
    groups: dict[int, list[Change]] = {}
    for contact_id, change in zip(ids, changes, strict=True):
        groups.setdefault(contact_id, []).append(change)
    for group in groups.values():
        if len(group) > 1:
            group.sort(key=lambda change: (change.occurred_at is None, change.occurred_at or 0))
    return groups


def _besides(found: identity.Found, changes: Sequence[Change], now: datetime) -> None:
    """Keep further addresses; what came for merged people apart, by whose number it named;
    propose new merges.
    """
    _take_points(found.ids, changes, now)
    proposing.propose(found.meeting, reason="one_record", now=now)
    merged = since.merged_among(set(found.ids))
    if merged:
        since.keep(
            since.Said(origin or one, with_numbers(change), as_of(change, now), change.retracted)
            for one, origin, change in zip(found.ids, found.origins, changes, strict=True)
            if one in merged
        )


def _take_points(ids: Sequence[int], changes: Sequence[Change], now: datetime) -> None:
    """Keep the further addresses of those few who have any."""
    said = [
        keeping.Said(contact_id, fact, change.source, min(change.occurred_at or now, now))
        for contact_id, change in zip(ids, changes, strict=True)
        for fact in change.points
    ]
    if said:
        keeping.take(said, now=now)


def _fresh(
    contact_id: int, changes: Sequence[Change], now: datetime, fields: Mapping[str, Field]
) -> Row:
    first = changes[0]
    records = merging.fresh(with_numbers(first), as_of=as_of(first, now), fields=fields)
    for change in changes[1:]:
        merged = _merged(records, change, now, fields)
        records |= merged.records
    return Row(
        contact_id,
        records,
        first.source,
        changes[-1].occurred_at or now,
        message_id=first.message_id,
        mapping=first.mapping,
    )


def _merged(
    known: Mapping[DataClass, Record],
    change: Change,
    now: datetime,
    fields: Mapping[str, Field],
) -> merging.Merged:
    values = with_numbers(change)
    merged = merging.merge(
        known, values, as_of=as_of(change, now), retracted=change.retracted, fields=fields
    )
    if change.occurred_at is None and not merged.fields:
        return merging.Merged({}, frozenset())
    return merged


def _merge_known(
    stored: Mapping[int, Mapping[DataClass, Record]],
    groups: Mapping[int, list[Change]],
    now: datetime,
    fields: Mapping[str, Field],
) -> tuple[list[Row], list[Row]]:
    """Return the rows that differ for a reader, and those where only a time is newer."""
    changed, touched = [], []
    for contact_id, before in stored.items():
        row = _merge_one(contact_id, before, groups[contact_id], now, fields)
        if row.fields:
            changed.append(row)
        elif row.records:
            touched.append(row)
    return changed, touched


def _merge_one(
    contact_id: int,
    before: Mapping[DataClass, Record],
    changes: Sequence[Change],
    now: datetime,
    fields: Mapping[str, Field],
) -> Row:
    current, seen = dict(before), set[str]()
    differing: dict[DataClass, Record] = {}
    for change in changes:
        merged = _merged(current, change, now, fields)
        current |= merged.records
        differing |= merged.records
        seen |= merged.fields
    last = changes[-1]
    return Row(
        contact_id,
        differing,
        last.source,
        last.occurred_at or now,
        message_id=last.message_id,
        fields=frozenset(seen),
        mapping=last.mapping,
    )
