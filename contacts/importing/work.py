"""The loop of imports: each look does one part of one file, in one transaction.

A part's rows, its refused rows, what it did to each contact, the counts and the place from which to
go on are written together. A worker that is killed leaves the part undone and the job's lock free,
and the next look does the same part again: nothing is lost and nothing doubled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from contacts.importing import checking, jobs, staging, storing, undoing
from contacts.importing.jobs import State
from contacts.importing.models import ImportJob
from contacts.models import ImportRun

logger = logging.getLogger(__name__)

MOST_FAILURES = 3


def run_once(*, now: datetime) -> int:
    """Do one part of the import that waits longest; return how many were found to do."""
    job = staging.claim(now=now)
    if job is not None:
        _tried(job, lambda: staging.stage(job, now=now))
        return 1
    waiting = ImportJob.objects.filter(run__state__in=list(_STEPS)).order_by("run__started_at")
    for pk in list(waiting.values_list("pk", flat=True)[:10]):
        if _step(pk, now):
            return 1
    return expire(now=now)


def run_job(run: UUID, *, now: datetime) -> None:
    """Do one part of this import; where another worker has it, wait for its turn."""
    job = staging.claim(now=now, run=run)
    if job is not None:
        _tried(job, lambda: staging.stage(job, now=now))
    elif not _step(run, now):
        time.sleep(0.2)


def _step(pk: UUID, now: datetime) -> bool:
    """Do one part of this job, unless somebody else has it."""
    job = ImportJob(pk=pk)
    done: list[bool] = []

    def act() -> None:
        with transaction.atomic():
            held = ImportJob.objects.select_for_update(skip_locked=True, of=("self",))
            locked = held.select_related("run").filter(pk=pk).first()
            if locked is None or locked.run.state not in _STEPS:
                return
            done.append(True)
            _STEPS[State(locked.run.state)](locked, now)

    _tried(job, act)
    return bool(done)


def _tried(job: ImportJob, act: Callable[[], None]) -> None:
    """Do it; where it fails again and again, stop the import instead of trying for ever."""
    try:
        act()
    except staging.LeaseLost:
        return
    except Exception as failure:
        logger.exception("import %s failed", job.pk)
        name = type(failure).__name__
        with transaction.atomic():
            ImportJob.objects.filter(pk=job.pk).update(
                failures=F("failures") + 1, problem=name, leased_until=None
            )
            gone = ImportRun.objects.filter(pk=job.pk, job__failures__gte=MOST_FAILURES)
            gone.filter(state__in=jobs.WORKING).update(state=State.FAILED)


def expire(*, now: datetime) -> int:
    """Delete files and refused rows whose time is over; return how many runs had some."""
    from contacts.importing.models import ImportChunk, ImportMark

    old = ImportJob.objects.filter(keep_until__lt=now).exclude(run__state__in=jobs.WORKING)
    over = set(
        ImportChunk.objects.filter(run__job__in=old).values_list("run_id", flat=True).distinct()
    )
    for run in over:
        with transaction.atomic():
            waiting = ImportRun.objects.filter(pk=run, state__in=jobs.BEFORE)
            waiting.update(state=State.DROPPED, finished_at=now)
            ImportChunk.objects.filter(run_id=run).delete()
            jobs.delete_file(run)
    late = ImportJob.objects.filter(undo_until__lt=now).exclude(run__state__in=jobs.WORKING)
    ImportMark.objects.filter(run__job__in=late).delete()
    late.update(undo_until=None)
    return len(over)


_STEPS: Mapping[str, Callable[[ImportJob, datetime], None]] = {
    State.CHECKING: checking.step,
    State.RUNNING: storing.step,
    State.UNDOING: undoing.step,
}
