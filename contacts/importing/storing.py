"""Write a checked file part by part: people, refused rows, marks for undoing, how far it came."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from audit import trail
from contacts import matching, writing
from contacts.importing import chunks, jobs, sifting, undoing
from contacts.importing.jobs import KEPT, UNDOABLE, State
from contacts.importing.models import ImportJob
from contacts.importing.store import store
from contacts.models import ImportRun


def step(job: ImportJob, now: datetime) -> None:
    """Write the next part; after the last, finish."""
    if job.next_chunk < job.chunks:
        _write_part(job, now)
        job.next_chunk += 1
        job.failures = 0
        job.save(update_fields=["next_chunk", "failures"])
        if _doubled(job.next_chunk):
            writing.analyze()
    if job.next_chunk >= job.chunks:
        _finish(job, now)


def _doubled(parts: int) -> bool:
    """Whether the tables have about doubled since the planner last looked."""
    return parts >= 4 and parts & (parts - 1) == 0


def _write_part(job: ImportJob, now: datetime) -> None:
    part = sifting.sift(job, now=now)
    if not part.may_create:
        numbers = [(change.source, change.record_number) for change in part.changes]
        part = part.only([one is not None for one in matching.ids_by_number(numbers)])
    outcome = store(
        part.changes,
        now=now,
        run=job.pk,
        may_create=part.may_create,
        is_clean=True,
        journal=undoing.Journal(job.pk, now=now),
    )
    chunks.put_refused(job.pk, job.next_chunk, part.refused)
    ImportRun.objects.filter(pk=job.pk).update(
        read=F("read") + part.read,
        created=F("created") + outcome.created,
        updated=F("updated") + outcome.updated,
        unchanged=F("unchanged") + outcome.unchanged,
        refused=F("refused") + len(part.refused),
    )


def _finish(job: ImportJob, now: datetime) -> None:
    done = ImportRun.objects.filter(pk=job.pk, state=State.RUNNING)
    if not done.update(state=State.DONE, finished_at=now):
        return  # paused at its last part; resuming comes back here
    jobs.delete_file(job.pk)
    ImportJob.objects.filter(pk=job.pk).update(keep_until=now + KEPT, undo_until=now + UNDOABLE)
    writing.analyze()
    run = ImportRun.objects.get(pk=job.pk)
    trail.record(
        "import.finished",
        subject=jobs.subject(job.pk),
        detail={
            "created": run.created,
            "updated": run.updated,
            "unchanged": run.unchanged,
            "problems": run.refused,
        },
    )
