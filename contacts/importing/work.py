"""The loop of imports: each look does one part of one file, in one transaction.

A part's rows, its refused rows, what it did to each contact, the counts and the place from which to
go on are written together. A worker that is killed leaves the part undone and its locks free, and
the next look does the same part again: nothing is lost and nothing doubled.

Reading and packing a part takes longer than writing it, so a second worker may make the next part
ready meanwhile; it writes it when the one before is written.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import F

from contacts.importing import checking, jobs, staging, storing, turns, undoing
from contacts.importing.jobs import State
from contacts.importing.models import ImportJob
from contacts.importing.turns import Lane
from contacts.models import ImportRun

Ready = TypeVar("Ready")

logger = logging.getLogger(__name__)

MOST_FAILURES = 3


def run_once(*, now: datetime, lane: Lane = Lane.FIRST) -> int:
    """Do one part of the import that waits longest; return how many were found to do."""
    if lane is Lane.FIRST and (job := staging.claim(now=now)) is not None:
        _tried(job, lambda: staging.stage(job, now=now))
        return 1
    waiting = ImportJob.objects.filter(run__state__in=list(_STEPS)).order_by("run__started_at")
    for pk in list(waiting.values_list("pk", flat=True)[:10]):
        if _step(pk, now, lane):
            return 1
    return expire(now=now) if lane is Lane.FIRST else 0


def run_job(run: UUID, *, now: datetime) -> None:
    """Do one part of this import; where another worker has it, wait for its turn."""
    job = staging.claim(now=now, run=run)
    if job is not None:
        _tried(job, lambda: staging.stage(job, now=now))
    elif not _step(run, now):
        time.sleep(0.2)


def _step(pk: UUID, now: datetime, lane: Lane = Lane.FIRST) -> bool:
    """Do one part of this job, unless somebody else has it."""
    job = ImportJob(pk=pk)
    done: list[bool] = []

    def act() -> None:
        with transaction.atomic():
            if not turns.enter(pk, lane):
                return
            seen = ImportJob.objects.select_related("run").filter(pk=pk).first()
            if seen is not None and seen.run.state in _STEPS:
                done.append(True)
                done[0] = _STEPS[State(seen.run.state)](seen, lane, now)

    _tried(job, act)
    return any(done)


def _held(pk: UUID) -> ImportJob:
    held = ImportJob.objects.select_for_update(of=("self",)).select_related("run")
    return held.get(pk=pk)


class _Parts(Generic[Ready]):
    """A step that goes through the parts: `ready` reads one, `act` writes it when it is its turn.

    After the last part, `act` is given None: there is only the end to write.
    """

    def __init__(
        self,
        ready: Callable[[ImportJob, int, datetime], Ready],
        act: Callable[[ImportJob, Ready | None, datetime], None],
    ) -> None:
        self.ready, self.act = ready, act

    def __call__(self, job: ImportJob, lane: Lane, now: datetime) -> bool:
        """Return whether to look again at once."""
        end = max(job.chunks, job.next_chunk + 1)
        number = turns.take(job.pk, job.next_chunk, end)
        if number is None:
            return False
        if number < ImportJob.objects.values_list("next_chunk", flat=True).get(pk=job.pk):
            return True
        ready = self.ready(job, number, now) if number < job.chunks else None
        if number > job.next_chunk:
            turns.wait_for(job.pk, number - 1)
        held = _held(job.pk)
        if (held.run.state, held.next_chunk) != (job.run.state, number):
            return False
        self.act(held, ready, now)
        return True


def _undo(job: ImportJob, lane: Lane, now: datetime) -> bool:
    """Undo one part; one worker at a time."""
    if lane is not Lane.FIRST:
        return False
    held = _held(job.pk)
    if held.run.state != State.UNDOING:
        return False
    undoing.step(held, now)
    return True


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
            if ImportJob.objects.filter(pk=job.pk, failures__gte=MOST_FAILURES).exists():
                at_work = ImportRun.objects.filter(pk=job.pk, state__in=jobs.WORKING)
                at_work.update(state=State.FAILED)


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


_STEPS: Mapping[str, Callable[[ImportJob, Lane, datetime], bool]] = {
    State.CHECKING: _Parts(checking.ready, checking.step),
    State.RUNNING: _Parts(storing.ready, storing.step),
    State.UNDOING: _undo,
}
