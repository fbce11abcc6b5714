"""The refused rows of a file, as they came, with the line and the reason: to mend and bring again.

Cells are written so that no spreadsheet takes one for a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Sum

from audit import trail
from contacts.exporting import cell
from contacts.importing import chunks, jobs
from contacts.importing.models import ImportChunk, ImportJob

LINE, REASON = "Line", "Reason"


def count(job: ImportJob) -> int:
    """Return how many refused rows are still kept."""
    held = ImportChunk.objects.filter(run_id=job.pk, kind=ImportChunk.Kind.REFUSED)
    return held.aggregate(total=Sum("count"))["total"] or 0


def rows(job: ImportJob) -> Iterator[list[str]]:
    """Record the download, then yield the header and the rows."""
    detail = {"count": count(job)}
    trail.record("import.downloaded", subject=jobs.subject(job.pk), detail=detail)
    return _rows(job.header, chunks.refused(job.pk))


def _rows(header: list[str], refused: Iterable[tuple[int, list[str], str]]) -> Iterator[list[str]]:
    yield [*map(cell, header), LINE, REASON]
    for line, cells, reason in refused:
        padded = [*cells, *[""] * (len(header) - len(cells))]
        yield [*map(cell, padded), str(line), reason]
