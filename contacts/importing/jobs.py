"""What people do with an import: say what it means, start, pause, go on, give up.

Each act is a conditional update of the run's state and its entry in the trail, in one transaction;
the loop (`contacts.importing.work`) finds what is due.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import trail
from contacts.importing import chunks, mapping, sheets
from contacts.importing.mapping import Meaning
from contacts.importing.models import ImportChunk, ImportJob, ImportMapping, ImportSeen
from contacts.models import ImportProblem, ImportRun

State = ImportRun.State
After = ImportJob.After
UNDOABLE = timedelta(days=30)
WORKING = (State.READING, State.CHECKING, State.RUNNING, State.UNDOING)
BEFORE = (State.READING, State.MAPPING, State.CHECKING, State.CHECKED)
"""Nothing has been written yet."""


class NotNow(ValueError):
    """The import is not in a state in which this can be done."""


def subject(run: UUID) -> str:
    return f"import:{run}"


def choose(run: UUID, meaning: Meaning, *, remember: bool, now: datetime) -> None:
    """Say what the columns mean, and have the whole file checked by it."""
    mapping.check(meaning)
    with transaction.atomic():
        row = move(run, (State.MAPPING, State.CHECKED), State.CHECKING)
        job = ImportJob.objects.select_for_update().get(pk=run)
        if job.run.form == sheets.FHIR:
            raise NotNow("a FHIR file has no columns")
        if not job.header:
            raise NotNow("it could not be read; say how it is written first")
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


def checked_as(job: ImportJob) -> str:
    """Return what tells this check from others of the same file, for who starts what was seen."""
    told = json.dumps([job.mapping, job.reading, job.foreseen], sort_keys=True)
    return blake2b(told.encode(), digest_size=8, person=b"check").hexdigest()


def begin(run: UUID, *, seen: str = "") -> None:
    """Start writing what was checked; where `seen` is given, only if that is still the check."""
    with transaction.atomic():
        move(run, (State.CHECKED,), State.RUNNING)
        if seen and seen != checked_as(ImportJob.objects.get(pk=run)):
            raise NotNow("it was checked again since you looked; see what it would do now")
        ImportJob.objects.filter(pk=run).update(begun=True, next_chunk=0, failures=0, problem="")
        ImportRun.objects.filter(pk=run).update(read=0, refused=0)
        trail.record("import.begun", subject=subject(run))


def pause(run: UUID) -> None:
    """Stop after the part that is being written; what is written stays."""
    with transaction.atomic():
        move(run, (State.RUNNING,), State.PAUSED)
        trail.record("import.paused", subject=subject(run))


def resume(run: UUID) -> None:
    """Go on where it stopped, whether a person or a failure stopped it."""
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().select_related("run").filter(pk=run).first()
        move(run, (State.PAUSED, State.FAILED), _where(job))
        ImportJob.objects.filter(pk=run).update(failures=0, problem="")
        trail.record("import.resumed", subject=subject(run))


def _where(job: ImportJob | None) -> ImportRun.State:
    """Return what a run that stopped was doing."""
    if job is None or not job.chunks:
        return State.READING
    if job.run.state == State.FAILED and job.run.finished_at is not None:
        return State.UNDOING
    return State.RUNNING if job.begun else State.CHECKING


def give_up(run: UUID, *, now: datetime) -> None:
    """Drop a file of which nothing has been written."""
    with transaction.atomic():
        move(run, (*BEFORE, State.FAILED), State.DROPPED, finished_at=now)
        if ImportJob.objects.filter(pk=run, begun=True).exists():
            raise NotNow("a part of it has been written; undo it instead")
        delete_file(run)
        trail.record("import.dropped", subject=subject(run))


def delete_file(run: UUID) -> None:
    """Delete the file and everything read from it, but for the refused rows."""
    chunks.drop(run, ImportChunk.Kind.FILE, ImportChunk.Kind.ROWS)
    forget_check(run)
    job = ImportJob.objects.get(pk=run)
    job.samples = []
    job.save(update_fields=["samples"])


def move(
    run: UUID, states: Iterable[ImportRun.State], to: ImportRun.State, **more: Any
) -> ImportRun:
    """Change the state where it is one of `states`; the row count decides who did.

    The update names the run's own columns alone: with a join, it would be decided by what stood
    there before whoever holds the row is done, and so overwrite the end of an import.
    """
    moved = ImportRun.objects.filter(pk=run, state__in=list(states))
    has_job = ImportJob.objects.filter(pk=run).exists()
    if not has_job or not moved.update(state=to, **more):
        found = ImportRun.objects.filter(pk=run).first()
        said = found.get_state_display().lower() if found else "not there"
        raise NotNow(f"the import cannot do that now: it is {said}")
    return ImportRun.objects.get(pk=run)
