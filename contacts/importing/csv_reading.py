"""Read a CSV file as text, whatever wrote it: its encoding, delimiter, newlines and quotes.

Every cell stays text. A row that does not fit the header, or holds a zero byte, is a row with a
problem; a quote that never closes breaks the file, because nothing after it can be told apart.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO

from contacts.exporting import as_it_was
from contacts.importing import encodings
from contacts.importing.broken import FileBroken
from contacts.importing.chunks import Line
from contacts.importing.csv_form import Form
from contacts.importing.heads import letter, still_short, width_of_theirs

MAX_LINE = 4 << 20
MAX_COLUMNS = 1_000
_DOS_END = ["\x1a"]
"""What old programs write behind the last row."""
_STILL_WIDE = "the row has more cells than its header had; take out what is too much"
_NULL = re.compile(r"(?:(?<=[,;\t|^~])|^)\\N(?=[,;\t|^~\r\n]|$)")
"""What databases write for nothing where a backslash escapes; it is no escaped N."""


def lines(file: BinaryIO, form: Form) -> Generator[Line, None, None]:
    """Yield the header and then every row that is not blank."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=form.encoding, newline="", errors="strict")
    try:
        yield from _fitted(_headed(_records(text, form), form))
    finally:
        text.detach()  # the file is the caller's to close


def _records(text: io.TextIOWrapper, form: Form) -> Iterator[Line]:
    reader = _reader(text, form)
    line = 1
    try:
        for cells in reader:
            if line >= form.head and any(map(str.strip, cells)) and cells != _DOS_END:
                yield Line(line, _unmarked(cells))
            line = reader.line_num + 1
    except csv.Error as broken:
        raise FileBroken(_in_words(str(broken)), line, read_otherwise=True) from None
    except UnicodeError as broken:
        line = reader.line_num + 1 + _lines_before(broken)
        raise _not_so(form, line) from None


def _reader(text: io.TextIOWrapper, form: Form) -> Any:
    escaped = form.escape != ""
    return csv.reader(
        map(_nulls_kept, _bounded(text)) if escaped else _bounded(text),
        delimiter=form.delimiter,
        quotechar=form.quote,
        escapechar=form.escape or None,
        doublequote=not escaped,
        strict=True,
        skipinitialspace=True,
    )


def _nulls_kept(line: str) -> str:
    return _NULL.sub(r"\\\\N", line)


def _not_so(form: Form, line: int) -> FileBroken:
    words = encodings.ENCODINGS.get(form.encoding, form.encoding)
    reason = f"the text is not {words}; choose the encoding, or mend that line"
    return FileBroken(reason, line, read_otherwise=True)


def _lines_before(broken: UnicodeError) -> int:
    """How many lines end before what is broken, in the piece that was decoded last."""
    if not isinstance(broken, UnicodeDecodeError):
        return 0
    before = broken.object[: broken.start]
    return before.count(b"\n") or before.count(b"\r")


def _headed(records: Iterator[Line], form: Form) -> Iterator[Line]:
    """Where the file has no header, call the columns by their letters."""
    if form.head:
        yield from records
        return
    if (first := next(records, None)) is not None:
        yield Line(0, [f"Column {letter(place)}" for place in range(len(first.cells))])
        yield first
        yield from records


def _unmarked(cells: list[str]) -> list[str]:
    """Drop the mark that stands in front of a row where one file was put behind another."""
    if cells[0].startswith("\ufeff"):
        cells[0] = cells[0].lstrip("\ufeff")
    return cells


def _fitted(records: Iterator[Line]) -> Iterator[Line]:
    """Check each row against the header; blank cells beyond it are no harm."""
    header = next(records, None)
    if header is None:
        return
    if len(header.cells) > MAX_COLUMNS:
        reason = f"the header has more than {MAX_COLUMNS} columns"
        raise FileBroken(reason, header.number, read_otherwise=True)
    if any("\0" in cell for cell in header.cells):
        reason = "there is a zero byte; the file is damaged or no CSV"
        raise FileBroken(reason, header.number, read_otherwise=True)
    yield header
    width = len(header.cells)
    theirs = width_of_theirs(header.cells)
    for line in records:
        fitted = _fit(line, width)
        yield fitted if theirs == width else _come_back(fitted, theirs)


def _come_back(line: Line, theirs: int) -> Line:
    """Return a refused row that comes back as it was before its download.

    One that had more cells than its header still has them where nothing but a number stands under
    Line, or where one stands under Reason.
    """
    number, reason = (*map(str.strip, line.cells[theirs : theirs + 2]), "", "")[:2]
    astray = (number and not number.isdecimal()) or reason.isdecimal()
    problem = line.problem or (_STILL_WIDE if astray else still_short(line.cells, theirs))
    return Line(line.number, list(map(as_it_was, line.cells)), problem)


def _fit(line: Line, width: int) -> Line:
    cells = line.cells
    if len(cells) > width and not any(map(str.strip, cells[width:])):
        cells = cells[:width]
    if len(cells) != width:
        reason = f"the row has {len(cells)} cells where the header has {width}"
        return Line(line.number, cells[:MAX_COLUMNS], reason)
    if "\0" in "".join(cells):
        shown = [cell.replace("\0", "") for cell in cells]
        return Line(line.number, shown, "there is a zero byte in the row")
    return line if cells is line.cells else Line(line.number, cells)


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield lines; one that never ends is refused before it fills the memory."""
    number = 0
    while part := text.readline(MAX_LINE):
        number += 1
        if len(part) == MAX_LINE and part[-1] not in "\r\n":
            reason = f"a line is longer than {MAX_LINE >> 20} million characters"
            raise FileBroken(reason, number, read_otherwise=True)
        yield part


def _in_words(said: str) -> str:
    if "unexpected end" in said:
        return "a quoted cell that begins here never ends"
    if "field larger" in said:
        return "a cell is longer than 131,072 characters; is a quote missing?"
    return "a quote stands in the middle of a cell; write it twice inside quotes"
