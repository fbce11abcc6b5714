"""What a file had refused, as it came, with the place and the reason: to mend and bring again.

Of a table, a table: cells are written so that no spreadsheet takes one for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from django.db.models import Sum

from audit import trail
from contacts.exporting import cell
from contacts.importing import chunks, jobs, sheets, sifting, workbook
from contacts.importing.heads import LINE, REASON
from contacts.importing.models import ImportChunk, ImportJob
from contacts.importing.sifting import Download, Refused

_MARK = b"\xef\xbb\xbf"
"""Without it, Excel takes UTF-8 for Windows-1252."""


def count(job: ImportJob) -> int:
    """Return how many refused rows are still kept."""
    held = ImportChunk.objects.filter(run_id=job.pk, kind=ImportChunk.Kind.REFUSED)
    return held.aggregate(total=Sum("count"))["total"] or 0


def download(job: ImportJob, *, as_workbook: bool = False) -> Download:
    """Record that they are taken, then give them in the form in which the file came.

    Of a table, as CSV with the delimiter that it had, or as a workbook of cells that are text.
    """
    detail = {"count": count(job)}
    trail.record("import.downloaded", subject=jobs.subject(job.pk), detail=detail)
    refused = (Refused(*one) for one in chunks.refused(job.pk))
    if form := sifting.form_of(job):
        return form.download(refused)
    rows = _rows(job.header, refused)
    if as_workbook:
        return Download("xlsx", workbook.CONTENT_TYPE, workbook.written(rows))
    delimiter = sheets.unpacked(job.reading).delimiter or ","
    return Download("csv", "text/csv; charset=utf-8", _as_csv(rows, delimiter))


def _rows(header: list[str], refused: Iterable[Refused]) -> Iterator[list[str]]:
    yield [*header, LINE, REASON]
    for line, cells, reason in refused:
        yield [*cells, *[""] * (len(header) - len(cells)), str(line), reason]


def _as_csv(rows: Iterator[list[str]], delimiter: str) -> Iterator[bytes]:
    yield _MARK
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter).writerow(map(cell, row))
        yield line.getvalue().encode()
