"""Read a kept file into parts of rows, once, so that everything after works part by part.

Reading takes many transactions, so who reads holds a lease. A reader that dies leaves rows that
the next one deletes before it begins again; nothing about people has been written by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit import trail
from contacts.importing import asking, chunks, jobs, mapping, sheets, sifting
from contacts.importing.broken import FileBroken
from contacts.importing.chunks import Line
from contacts.importing.jobs import After, State
from contacts.importing.mapping import MappingInvalid, Meaning
from contacts.importing.models import ImportChunk, ImportJob
from contacts.models import ImportProblem, ImportRun

ROWS = 2_000
CHARACTERS = 2_000_000
"""A part ends at the first of the two; long cells must not make it large."""
SAMPLES = 200
LEASE = timedelta(seconds=60)


class LeaseLost(RuntimeError):
    """Somebody else reads this file now."""


def claim(*, now: datetime, run: UUID | None = None) -> ImportJob | None:
    """Take the lease of a file that is to be read; of this run's, where one is named."""
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    waiting = ImportJob.objects.filter(free, run__state=State.READING)
    if run is not None:
        waiting = waiting.filter(pk=run)
    for pk in waiting.order_by("run__started_at").values_list("pk", flat=True)[:5]:
        mine = uuid4()
        claimed = ImportJob.objects.filter(free, pk=pk, run__state=State.READING)
        if claimed.update(holder=mine, leased_until=now + LEASE):
            return ImportJob.objects.select_related("run").get(pk=pk)
    return None


def stage(job: ImportJob, *, now: datetime) -> None:
    """Read the file whose lease was taken, and go on to what follows."""
    chunks.drop(job.pk, ImportChunk.Kind.ROWS, ImportChunk.Kind.REFUSED)
    try:
        if form := sifting.form_of(job):
            form.stage(job, partial(chunks.opened, job.pk), partial(_keep, job))
            _go_on(job, now)
            return
        with chunks.opened(job.pk, 0, job.size) as file:
            _read(job, file, now)
    except FileBroken as broken:
        if broken.read_otherwise and job.after == After.WAIT:
            with chunks.opened(job.pk, 0, job.size) as file:
                asking.ask(job, broken, file)
            return
        how = asking.HOW if broken.read_otherwise else ""
        refuse(job, broken.place, broken.reason + how, now=now)


def _read(job: ImportJob, file: BinaryIO, now: datetime) -> None:
    form = job.run.form
    reading = sheets.look(file, form, job.reading)
    with closing(sheets.lines(file, form, reading)) as found:
        _take(job, found)
    job.reading = reading.packed()
    _go_on(job, now)


def _take(job: ImportJob, found: Iterator[Line]) -> None:
    """Keep the header, a few rows to show, and every row in its part."""
    header = next(found, None)
    if header is None:
        raise FileBroken("there is nothing in it", read_otherwise=True)
    samples: list[list[str]] = []
    number = rows = 0
    for number, part in enumerate(_parts(found), 1):
        _keep(job, number - 1, part)
        samples = samples or [line.cells for line in part if not line.problem][:SAMPLES]
        rows += len(part)
    if not rows:
        raise FileBroken("there is no row below the header", read_otherwise=True)
    job.header, job.samples, job.rows, job.chunks = header.cells, samples, rows, number


def _parts(found: Iterator[Line]) -> Iterator[list[Line]]:
    part: list[Line] = []
    length = 0
    for line in found:
        part.append(line)
        length += sum(map(len, line.cells))
        if len(part) >= ROWS or length >= CHARACTERS:
            yield part
            part, length = [], 0
    if part:
        yield part


def _keep(job: ImportJob, number: int, part: Sequence[Any]) -> None:
    """Store one part and prolong the lease, or stop where it was lost."""
    with transaction.atomic():
        mine = ImportJob.objects.filter(pk=job.pk, holder=job.holder, run__state=State.READING)
        if not mine.update(leased_until=timezone.now() + LEASE, rows=number * ROWS):
            raise LeaseLost(LeaseLost.__doc__)
        chunks.put_rows(job.pk, number, part)


def _go_on(job: ImportJob, now: datetime) -> None:
    with transaction.atomic():
        moved = ImportRun.objects.filter(pk=job.pk, state=State.READING)
        job.holder = job.leased_until = None
        job.next_chunk = 0
        if sifting.form_of(job) is not None:
            moved.update(state=State.CHECKING)
            jobs.begin_check(job, job.mapping)
            return
        if job.after == After.WAIT:
            moved.update(state=State.MAPPING)
            job.save()
            return
        try:
            meaning = _chosen(job)
            mapping.check(meaning)
        except MappingInvalid as invalid:
            refuse(job, "the columns", str(invalid), now=now)
            return
        moved.update(state=State.CHECKING)
        jobs.begin_check(job, meaning.packed())


def _chosen(job: ImportJob) -> Meaning:
    """Return what was chosen with the file; guesses stand where nothing was said."""
    choice = job.mapping
    meaning = mapping.guessed(job.header, job.samples, jobs.saved_mapping(job.run.source))
    columns = {column.place: column for column in meaning.columns}
    titles = [title.strip() for title in job.header]
    for title, key in choice.get("columns", {}).items():
        if title not in titles:
            raise MappingInvalid("a column that the mapping names is not in the file")
        place = titles.index(title)
        columns = {p: c for p, c in columns.items() if p != place and (not key or c.key != key)}
        if key:
            clears = title in choice.get("blank_clears", ())
            columns[place] = mapping.Column(place, title, key, clears)
    return Meaning(
        tuple(columns[place] for place in sorted(columns)),
        choice.get("dates") or meaning.dates,
        bool(choice.get("comma", meaning.comma)),
        choice.get("marker", meaning.marker),
    )


def refuse(job: ImportJob, place: str, reason: str, *, now: datetime) -> None:
    """Refuse the whole file: nothing of it was written."""
    with transaction.atomic():
        moved = ImportRun.objects.filter(pk=job.pk, state__in=jobs.BEFORE)
        if moved.update(state=State.REFUSED, finished_at=now):
            ImportProblem.objects.create(run_id=job.pk, place=place[:300], message=reason[:500])
            ImportJob.objects.filter(pk=job.pk).update(holder=None, leased_until=None)
            jobs.delete_file(job.pk)
            trail.record(
                "import.refused",
                subject=jobs.subject(job.pk),
                detail={"problems": 1, "format": job.run.form},
            )
