"""Write a checked file part by part: people, refused rows, marks for undoing, how far it came."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import F

from audit import trail
from contacts import matching, records, writing
from contacts.importing import chunks, jobs, sifting, undoing
from contacts.importing.accepting import KEPT
from contacts.importing.jobs import UNDOABLE, State
from contacts.importing.models import ImportJob
from contacts.importing.sifting import Sifted
from contacts.importing.store import store_prepared
from contacts.models import ImportRun
from contacts.records import Prepared
from crypto.rows import durable_later


class Ready(NamedTuple):
    """A part that waits for its turn; `prepared` where it may make whom nobody knows."""

    part: Sifted
    prepared: Prepared | None


def ready(job: ImportJob, number: int, now: datetime) -> Ready:
    """Read a part and prepare its people; others may be written meanwhile."""
    part = sifting.sift(job, number, now=now)
    prepared = records.prepare(part.changes, now=now, is_clean=True) if part.may_create else None
    return Ready(part, prepared)


def step(job: ImportJob, ready: Ready | None, now: datetime) -> None:
    """Write the next part; after the last, finish.

    A crash may take the last few parts with the place from which to go on: they are done again.
    What says that the import is done is on the disk, and with it every part.
    """
    if ready is not None:
        _write_part(job, *ready, now)
        job.next_chunk += 1
        job.failures = 0
        job.save(update_fields=["next_chunk", "failures"])
        if _doubled(job.next_chunk):
            writing.analyze()
    if job.next_chunk < job.chunks:
        durable_later()
    else:
        _finish(job, now)


def _doubled(parts: int) -> bool:
    """Whether the tables have about doubled since the planner last looked."""
    return parts >= 4 and parts & (parts - 1) == 0


def _write_part(job: ImportJob, part: Sifted, prepared: Prepared | None, now: datetime) -> None:
    if prepared is None:
        numbers = [(change.source, change.record_number) for change in part.changes]
        part = part.only([one is not None for one in matching.ids_by_number(numbers)])
        prepared = records.prepare(part.changes, now=now, is_clean=True)
    outcome = store_prepared(
        prepared,
        now=now,
        run=job.pk,
        may_create=part.may_create,
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
