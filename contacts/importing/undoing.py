"""Undo a whole import: remove whom it made, and put back what it changed.

A contact that the import made is removed where nothing else has touched it since: no other change,
event, list, consent, message or journey. A value that it changed is put back where it still stands
as the import left it. Whatever somebody touched later stays, and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgpack
from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from contacts import erase, writing
from contacts.fields import DataClass
from contacts.importing import jobs
from contacts.importing.accepting import KEPT
from contacts.importing.jobs import NotNow, State
from contacts.importing.models import ImportJob, ImportMark
from contacts.models import ImportRun
from contacts.packing import Record
from contacts.writing import Row
from crypto import data_keys
from crypto.rows import binary_cursor, insert_rows
from crypto.seal import Context, seal, unseal

TABLE = "contacts_importmark"
PART = 4_096
SOURCE = "import.undo"

Note = dict[str, list[Any]]
"""For each field: its class, the value and time before the import, and those that it wrote."""

_holders: set[tuple[str, str]] = {
    ("contacts_listmember", "contact_id"),
    ("contacts_householdmember", "contact_id"),
    ("contacts_representation", "contact_id"),
    ("contacts_representation", "holder_id"),
    ("contacts_beforemerge", "contact_id"),
}


def register(table: str, column: str = "contact_id") -> None:
    """Name a column that says that somebody has to do with a contact."""
    _holders.add((table, column))


class Journal:
    """Notes what a run does to contacts; given to `records.upsert`."""

    def __init__(self, run: UUID, *, now: datetime) -> None:
        self.run, self.now = run, now

    def __call__(
        self, created: Sequence[int], changed: Sequence[tuple[Mapping[DataClass, Record], Row]]
    ) -> None:
        organisation_id = tenancy.current()
        insert_rows(
            TABLE,
            ("run_id", "organisation_id", "contact_id", "created", "version"),
            ("uuid", "int4", "int8", "bool", "int4"),
            ((self.run, organisation_id, id_, True, 1) for id_ in created),
        )
        if changed:
            self._note(organisation_id, changed)

    def _note(
        self,
        organisation_id: int,
        changed: Sequence[tuple[Mapping[DataClass, Record], Row]],
    ) -> None:
        ids = [row.contact_id for _, row in changed]
        keys = data_keys.load(organisation_id, ids)
        marked = {
            id_: (made, before)
            for id_, made, before in ImportMark.objects.filter(
                run_id=self.run, contact_id__in=ids
            ).values_list("contact_id", "created", "before")
        }
        sealed: list[bytes | None] = []
        for before, row in changed:
            made, packed = marked.get(row.contact_id, (False, None))
            key = keys[row.contact_id]
            note = open_note(self.run, row.contact_id, key, bytes(packed)) if packed else {}
            noted = {} if made else _noted(note, before, row)
            sealed.append(self._sealed(row.contact_id, key, noted) if noted else None)
        self._write(organisation_id, ids, sealed)

    def _sealed(self, contact_id: int, key: bytes, note: Note) -> bytes:
        return seal(key, msgpack.packb(note), context=_context(self.run, contact_id))

    def _write(
        self, organisation_id: int, ids: Sequence[int], sealed: Sequence[bytes | None]
    ) -> None:
        """Write the marks with the version that each contact has now."""
        with binary_cursor() as cursor:
            cursor.execute(
                b"INSERT INTO contacts_importmark"
                b" (run_id, organisation_id, contact_id, created, version, before)"
                b" SELECT %b::uuid, %b::int4, c.id, false, c.version, g.before"
                b" FROM unnest(%b::int8[], %b::bytea[]) AS g (id, before)"
                b" JOIN contacts_contact c ON c.id = g.id"
                b" ON CONFLICT (run_id, contact_id) DO UPDATE SET version = excluded.version,"
                b" before = coalesce(excluded.before, contacts_importmark.before)",
                [self.run, organisation_id, list(ids), list(sealed)],
            )


def _noted(note: Note, before: Mapping[DataClass, Record], row: Row) -> Note:
    """Add what the row changes; the first note of a field knows what stood before the run."""
    for kind, record in row.records.items():
        known = before.get(kind, Record({}, {}))
        for key in row.fields & record.as_of.keys():
            first = note.get(key) or [kind.value, known.values.get(key), known.as_of.get(key)]
            note[key] = [*first[:3], record.values.get(key), record.as_of.get(key)]
    return note


def open_note(run: UUID, contact_id: int, key: bytes, sealed: bytes) -> Note:
    note: Note = msgpack.unpackb(unseal(key, sealed, context=_context(run, contact_id)))
    return note


def _context(run: UUID, contact_id: int) -> Context:
    return Context(tenancy.current(), TABLE, contact_id, f"before {run}")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What undoing would do to how many contacts."""

    removed: int
    kept: int
    """Made by the import, and touched by something else since."""
    restored: int
    partly: int
    """Changed by the import and by something else since: only values that still stand as the
    import left them are put back."""


def foresee(run: UUID) -> Foreseen:
    """Count what undoing the run would do now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE created AND free),"
            " count(*) FILTER (WHERE created AND NOT free),"
            " count(*) FILTER (WHERE NOT created AND same),"
            " count(*) FILTER (WHERE NOT created AND NOT same)"
            f" FROM (SELECT m.created, m.version = c.version AS same, ({_untouched()}) AS free"
            f" FROM {TABLE} m JOIN contacts_contact c ON c.id = m.contact_id"
            " WHERE m.run_id = %(run)s AND c.erased_at IS NULL) AS told",
            {"run": run},
        )
        return Foreseen(*cursor.fetchone())


def _untouched() -> str:
    """Return the condition that nothing but the run has to do with contact c."""
    elsewhere = "".join(
        f" AND NOT EXISTS (SELECT FROM {table} h WHERE h.{column} = c.id)"
        for table, column in sorted(_holders)
    )
    return (
        "m.version = c.version AND NOT EXISTS (SELECT FROM contacts_event e"
        " WHERE e.contact_id = c.id AND e.campaign IS DISTINCT FROM %(run)s"
        " AND e.kind NOT LIKE 'segment.%%')" + elsewhere
    )


def is_stopped(job: ImportJob) -> bool:
    """Tell whether the import stopped midway: what it has written can be undone as it stands."""
    failed = job.run.state == State.FAILED and job.begun and job.run.finished_at is None
    return failed or job.run.state == State.PAUSED


def is_possible(job: ImportJob) -> bool:
    """Tell whether there is something to undo, and time for it."""
    return is_stopped(job) or (job.run.state == State.DONE and job.undo_until is not None)


def begin(run: UUID, *, now: datetime) -> None:
    """Have the loop undo the run; of one that stopped midway, the rest is given up.

    The job is locked first: a part that is still being written is waited for, and undone with the
    others.
    """
    with transaction.atomic():
        held = ImportJob.objects.select_for_update(of=("self",)).select_related("run")
        job = held.filter(pk=run).first()
        if job is None or not is_possible(job):
            raise NotNow("the import cannot be undone: pause it first, or its time is over")
        jobs.move(run, (State(job.run.state),), State.UNDOING, finished_at=now)
        if is_stopped(job):
            jobs.delete_file(run)
            ImportJob.objects.filter(pk=run).update(keep_until=now + KEPT)
        ImportJob.objects.filter(pk=run).update(undone={}, failures=0, problem="")
        trail.record("import.undo_begun", subject=jobs.subject(run))


def step(job: ImportJob, now: datetime) -> None:
    """Undo one part; a mark goes with what it undid, so a killed worker repeats nothing."""
    marks = list(ImportMark.objects.filter(run_id=job.pk).order_by("contact_id")[:PART])
    if not marks:
        _finish(job, now)
        return
    made = [mark.contact_id for mark in marks if mark.created]
    removed = _remove(job.pk, made, now)
    changed = {
        mark.contact_id: bytes(mark.before) for mark in marks if not mark.created and mark.before
    }
    restored, partly = _restore(job.pk, changed, now)
    counted = {"removed": len(removed), "kept": len(made) - len(removed)}
    for name, count in {**counted, "restored": restored, "partly": partly}.items():
        job.undone[name] = job.undone.get(name, 0) + count
    job.save(update_fields=["undone"])
    done = [mark.contact_id for mark in marks]
    ImportMark.objects.filter(run_id=job.pk, contact_id__in=done).delete()


def _remove(run: UUID, made: Sequence[int], now: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id FROM {TABLE} m JOIN contacts_contact c ON c.id = m.contact_id"
            " WHERE m.run_id = %(run)s AND m.contact_id = ANY(%(made)s) AND c.erased_at IS NULL"
            f" AND {_untouched()} ORDER BY c.id FOR UPDATE OF c",
            {"run": run, "made": list(made)},
        )
        free = [row[0] for row in cursor.fetchall()]
    if free:
        erase.forget(free, now=now)
        erase.note(free, reason="import_undone")
    return free


def _restore(run: UUID, changed: Mapping[int, bytes], now: datetime) -> tuple[int, int]:
    """Put values back; return how many contacts came back wholly, and how many partly or not."""
    organisation_id = tenancy.current()
    stored = writing.lock_and_open(organisation_id, sorted(changed)) if changed else {}
    keys = data_keys.load(organisation_id, list(stored))
    rows, whole = [], 0
    for contact_id, records in stored.items():
        note = open_note(run, contact_id, keys[contact_id], changed[contact_id])
        row = _put_back(contact_id, records, note, now)
        whole += row.fields == note.keys()
        if row.fields:
            rows.append(row)
    writing.update(organisation_id, rows, now=now)
    writing.announce(organisation_id, [], rows, now=now, run=run)
    return whole, len(changed) - whole


def _put_back(
    contact_id: int, records: Mapping[DataClass, Record], note: Note, now: datetime
) -> Row:
    differing: dict[DataClass, Record] = {}
    fields = set()
    for key, (name, before, before_at, left, left_at) in note.items():
        kind = DataClass(name)
        record = differing.get(kind) or records.get(kind) or Record({}, {})
        # A record may forget when a value was cleared; that it is still gone says enough.
        same_time = record.as_of.get(key, left_at if left is None else None) == left_at
        if record.values.get(key) == left and same_time:
            after = Record(dict(record.values), dict(record.as_of))
            _set(after, key, before, before_at)
            differing[kind] = after
            fields.add(key)
    return Row(contact_id, differing, SOURCE, now, fields=frozenset(fields))


def _set(record: Record, key: str, value: Any, as_of: int | None) -> None:
    for part, old in ((record.values, value), (record.as_of, as_of)):
        if old is None:
            part.pop(key, None)
        else:
            part[key] = old


def _finish(job: ImportJob, now: datetime) -> None:
    moved = ImportRun.objects.filter(pk=job.pk, state=State.UNDOING)
    if moved.update(state=State.UNDONE, finished_at=now):
        ImportJob.objects.filter(pk=job.pk).update(undo_until=None)
        trail.record("import.undone", subject=jobs.subject(job.pk), detail=job.undone)
