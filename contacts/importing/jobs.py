"""What people do with an import: bring a file, say what it means, start, pause, go on, give up.

Each act is a conditional update of the run's state and its entry in the trail, in one transaction;
the loop (`contacts.importing.work`) finds what is due.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import trail
from audit.actor import current
from contacts import identity
from contacts.importing import chunks, mapping, sheets
from contacts.importing.csv_reading import FileBroken
from contacts.importing.mapping import Meaning
from contacts.importing.models import ImportChunk, ImportJob, ImportMapping, ImportSeen
from contacts.importing.sheets import Reading
from contacts.models import ImportProblem, ImportRun
from crypto.ids import uuid7

State = ImportRun.State
After = ImportJob.After
MAX_BYTES = 512 * 1024**2
KEPT = timedelta(days=7)
"""A file that waits, and the refused rows of one that is done, are deleted after this."""
UNDOABLE = timedelta(days=30)
WORKING = (State.READING, State.CHECKING, State.RUNNING, State.UNDOING)
BEFORE = (State.READING, State.MAPPING, State.CHECKING, State.CHECKED)
"""Nothing has been written yet."""


class NotNow(ValueError):
    """The import is not in a state in which this can be done."""


class TooLarge(FileBroken):
    """The file has more bytes than are taken."""


def accept(
    parts: Iterable[bytes],
    *,
    name: str,
    source: str,
    now: datetime,
    after: ImportJob.After = After.WAIT,
    strict: bool = False,
    choice: Mapping[str, Any] | None = None,
    most: int = MAX_BYTES,
    form: str = "",
    reading: Mapping[str, Any] | None = None,
) -> ImportRun:
    """Keep a file, sealed, to be read by the loop. `choice` says what a person would choose later.

    `most` is how many bytes it may have; `form` what it is and `reading` how it is to be read,
    where that is known.
    Raises FileBroken for a file that is too large or plainly something else, and keeps nothing.
    """
    source = identity.source_form(source)
    actor = current()
    measured = _Measured(parts, most)
    with transaction.atomic():
        run = ImportRun.objects.create(
            id=uuid7(now=now),
            form=form or measured.form,
            source=source,
            state=State.READING,
            actor=f"{actor.kind}:{actor.id}",
            started_at=now,
        )
        size = chunks.write_file(run.pk, measured)
        run.sha256 = measured.digest()
        run.save(update_fields=["sha256"])
        ImportJob.objects.create(
            run=run,
            name=name[:255],
            size=size,
            reading=dict(reading or {}),
            header=[],
            samples=[],
            mapping=dict(choice or {}),
            after=after,
            strict=strict,
            keep_until=now + KEPT,
        )
        trail.record("import.started", subject=subject(run.pk), detail={"format": run.form})
    return run


class _Measured:
    """Passes parts on, hashing them, and stops at the limit."""

    def __init__(self, parts: Iterable[bytes], most: int) -> None:
        self._parts, self._most = iter(parts), most
        self._start = b""
        while len(self._start) < sheets.SCANNED and (part := next(self._parts, b"")):
            self._start += part
        self._hash = hashlib.sha256()
        self.form = sheets.form_of(self._start)

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in chain([self._start], self._parts):
            size += len(part)
            if size > self._most:
                raise TooLarge(f"the file is larger than {self._most >> 20} MB; split it")
            self._hash.update(part)
            yield part
        if not size:
            raise FileBroken("the file is empty")

    def digest(self) -> bytes:
        return self._hash.digest()


def subject(run: UUID) -> str:
    return f"import:{run}"


def read_again(run: UUID, reading: Reading) -> None:
    """Read the kept file another way: another encoding, delimiter, sheet or header."""
    with transaction.atomic():
        _move(run, (State.MAPPING, State.CHECKED), State.READING)
        job = ImportJob.objects.select_for_update().get(pk=run)
        job.reading = reading.packed()
        job.mapping = {}
        job.rows = job.chunks = job.next_chunk = 0
        job.save()
        chunks.drop(run, ImportChunk.Kind.ROWS, ImportChunk.Kind.REFUSED)


def choose(run: UUID, meaning: Meaning, *, remember: bool, now: datetime) -> None:
    """Say what the columns mean, and have the whole file checked by it."""
    mapping.check(meaning)
    with transaction.atomic():
        row = _move(run, (State.MAPPING, State.CHECKED), State.CHECKING)
        job = ImportJob.objects.select_for_update().get(pk=run)
        if job.run.form == sheets.FHIR:
            raise NotNow("a FHIR file has no columns")
        begin_check(job, meaning.packed())
        if remember:
            save_mapping(row.source, mapping.kept(meaning, job.header), now=now)


def begin_check(job: ImportJob, choice: Mapping[str, Any]) -> None:
    """Set the job to the beginning of a check by what was chosen for its file."""
    job.mapping = dict(choice)
    job.next_chunk, job.foreseen, job.failures, job.problem = 0, {}, 0, ""
    job.save()
    forget_check(job.pk)
    ImportProblem.objects.filter(run_id=job.pk).delete()
    ImportRun.objects.filter(pk=job.pk).update(ignored={})


def forget_check(run: UUID) -> None:
    ImportSeen.objects.filter(run_id=run).delete()


def save_mapping(source: str, kept: dict[str, Any], *, now: datetime) -> None:
    """Keep what the columns meant, for the next file of this source."""
    saved = ImportMapping.objects.filter(source=source).first() or ImportMapping(source=source)
    saved.mapping, saved.saved_at = kept, now
    saved.save()


def saved_mapping(source: str) -> dict[str, Any] | None:
    saved = ImportMapping.objects.filter(source=source).first()
    return saved.mapping if saved else None


def begin(run: UUID) -> None:
    """Start writing what was checked."""
    with transaction.atomic():
        _move(run, (State.CHECKED,), State.RUNNING)
        ImportJob.objects.filter(pk=run).update(begun=True, next_chunk=0, failures=0, problem="")
        ImportRun.objects.filter(pk=run).update(read=0, refused=0)
        trail.record("import.begun", subject=subject(run))


def pause(run: UUID) -> None:
    """Stop after the part that is being written; what is written stays."""
    with transaction.atomic():
        _move(run, (State.RUNNING,), State.PAUSED)
        trail.record("import.paused", subject=subject(run))


def resume(run: UUID) -> None:
    """Go on where it stopped, whether a person or a failure stopped it."""
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().select_related("run").filter(pk=run).first()
        _move(run, (State.PAUSED, State.FAILED), _where(job))
        ImportJob.objects.filter(pk=run).update(failures=0, problem="")
        trail.record("import.resumed", subject=subject(run))


def _where(job: ImportJob | None) -> ImportRun.State:
    """Return what a run that stopped was doing."""
    if job is None or not job.chunks:
        return State.READING
    if job.run.finished_at is not None:
        return State.UNDOING
    return State.RUNNING if job.begun else State.CHECKING


def give_up(run: UUID, *, now: datetime) -> None:
    """Drop a file of which nothing has been written."""
    with transaction.atomic():
        _move(run, (*BEFORE, State.FAILED), State.DROPPED, finished_at=now)
        if ImportJob.objects.filter(pk=run, begun=True).exists():
            raise NotNow("a part of it has been written; finish it, and undo it then")
        delete_file(run)
        trail.record("import.dropped", subject=subject(run))


def delete_file(run: UUID) -> None:
    """Delete the file and everything read from it, but for the refused rows."""
    chunks.drop(run, ImportChunk.Kind.FILE, ImportChunk.Kind.ROWS)
    forget_check(run)
    job = ImportJob.objects.get(pk=run)
    job.samples = []
    job.save(update_fields=["samples"])


def _move(
    run: UUID, states: Iterable[ImportRun.State], to: ImportRun.State, **more: Any
) -> ImportRun:
    """Change the state where it is one of `states`; the row count decides who did."""
    moved = ImportRun.objects.filter(pk=run, state__in=list(states), job__isnull=False)
    if not moved.update(state=to, **more):
        found = ImportRun.objects.filter(pk=run).first()
        said = found.get_state_display().lower() if found else "not there"
        raise NotNow(f"the import cannot do that now: it is {said}")
    return ImportRun.objects.get(pk=run)
