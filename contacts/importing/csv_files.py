"""Import a file of rows at once, by the same steps as in the background, each worked off here.

The whole file is checked first: with a single refused row nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from contacts.importing import accepting, jobs, work
from contacts.importing.broken import FileBroken
from contacts.importing.jobs import After
from contacts.importing.models import ImportJob
from contacts.importing.runs import Problem, Report, Tally
from contacts.models import ImportProblem, ImportRun

State = ImportRun.State
_PART = 1 << 20


def import_file(
    path: Path,
    *,
    source: str,
    now: datetime,
    mapping: Mapping[str, str] | None = None,
    dates: str = "",
    dry_run: bool = False,
    strict: bool = True,
    name: str = "",
    more: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
) -> Report:
    """Check the file and, unless it is a dry run or anything is wrong, store its people.

    `source` names the system whose record numbers these are. `mapping` goes before the guesses; an
    empty field skips a column. `dates` is a form of `contacts.importing.dates`, or "" to guess it.
    `reading` is how the file is written (`contacts.importing.asking`), as far as that is said.
    """
    try:
        run = accepting.accept(
            parts(path),
            name=name or path.name,
            source=source,
            now=now,
            after=After.CHECK if dry_run else After.RUN,
            strict=strict,
            reading=reading,
            choice={"columns": dict(mapping or {}), "dates": dates, **(more or {})},
        )
    except FileBroken as broken:
        return Report(State.REFUSED, Tally(), [Problem("the file", broken.reason)])
    return worked_off(run, now=now)


def worked_off(run: ImportRun, *, now: datetime) -> Report:
    """Do here what the loop would do with the file, and return what became of it."""
    while ImportRun.objects.filter(pk=run.pk, state__in=jobs.WORKING).exists():
        work.run_job(run.pk, now=now)
    return report(ImportRun.objects.get(pk=run.pk))


def parts(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, a part at a time."""
    with path.open("rb") as file:
        while part := file.read(_PART):
            yield part


def report(run: ImportRun) -> Report:
    """Return what became of a run."""
    tally = Tally(run.read, run.created, run.updated, run.unchanged)
    tally.ignored.update(run.ignored)
    problems = [
        Problem(one.place, one.message) for one in ImportProblem.objects.filter(run=run)[:100]
    ]
    if run.state == State.FAILED:
        failed = ImportJob.objects.get(pk=run.pk).problem
        problems.append(Problem("the import", f"stopped by a failure ({failed}); resume it"))
    return Report(State(run.state), tally, problems, run.pk)
