"""Read a CSV file as text, whatever wrote it: its encoding, delimiter, newlines and quotes.

Every cell stays text. A row that does not fit the header, or holds a zero byte, is a row with a
problem; a quote that never closes breaks the file, because nothing after it can be told apart.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple

from contacts.importing import encodings
from contacts.importing.chunks import Line

MAX_LINE = 4 << 20
MAX_COLUMNS = 1_000
_DELIMITERS = (",", ";", "\t", "|")
_QUOTED = re.compile(r'"[^"]*"')
_DOS_END = ["\x1a"]
"""What old programs write behind the last row."""
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16, little-endian, without a mark",
    "utf-16-be": "UTF-16, big-endian, without a mark",
    "utf-32": "UTF-32",
    "cp1252": "Windows, Western Europe (1252)",
    "iso-8859-15": "Latin 9 (ISO 8859-15)",
    "cp1250": "Windows, Central Europe (1250)",
    "cp1251": "Windows, Cyrillic (1251)",
    "mac-roman": "Mac Roman",
    "cp850": "DOS, Western Europe (850)",
    "cp437": "DOS, United States (437)",
    "shift-jis": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}
_NOT_CSV = (
    (b"\xd0\xcf\x11\xe0", "an old or a protected Excel file; save it as .xlsx or as CSV (UTF-8)"),
    (b"\x1f\x8b", "a packed file; unpack it first"),
    (b"\xfd7zXZ", "a packed file; unpack it first"),
    (b"%PDF", "a PDF; export it as CSV (UTF-8)"),
    (b"PK\x03\x04", "a zip file, and no Excel workbook; unpack it first"),
)


class FileBroken(ValueError):
    """The file cannot be read. Names the line where there is one, and never a value."""

    def __init__(self, reason: str, line: int = 0, place: str = "") -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line
        self.place = place or (f"line {line}" if line else "the file")


class Form(NamedTuple):
    """How the file is written, and on which line its header stands."""

    encoding: str
    delimiter: str
    head: int = 1


def form_of(file: BinaryIO) -> Form:
    """Look at the file and say how it is written."""
    file.seek(0)
    start = file.read(encodings.SAMPLE)
    for magic, what in _NOT_CSV:
        if start.startswith(magic):
            raise FileBroken(f"this is {what}")
    encoding = _encoding(file, start)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(start)
    first = _first_line(text.lstrip("\ufeff"))
    if first.lower().startswith("sep=") and len(first) == 5:  # Excel's own hint, and no header
        return Form(encoding, first[4], 2)
    return Form(encoding, _delimiter(_first_line(_QUOTED.sub("", text))))


def _encoding(file: BinaryIO, start: bytes) -> str:
    try:
        return encodings.of(file, start)
    except encodings.EncodingUnclear:
        raise FileBroken(
            "its letters are neither UTF-8 nor those of Windows in Western Europe; choose the"
            " encoding, or save the file as CSV (UTF-8)"
        ) from None


def _first_line(text: str) -> str:
    """The first line that is not blank."""
    return next((line for line in text.splitlines() if line.strip()), "")


def _delimiter(header: str) -> str:
    """Return the delimiter that the header, without what is in quotes, uses most."""
    return max(_DELIMITERS, key=header.count)


def lines(file: BinaryIO, form: Form) -> Generator[Line, None, None]:
    """Yield the header and then every row that is not blank."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=form.encoding, newline="", errors="strict")
    try:
        yield from _fitted(_records(text, form))
    finally:
        text.detach()  # the file is the caller's to close


def _records(text: io.TextIOWrapper, form: Form) -> Iterator[Line]:
    reader = csv.reader(
        _bounded(text), delimiter=form.delimiter, strict=True, skipinitialspace=True
    )
    line = 1
    try:
        for cells in reader:
            if line >= form.head and any(map(str.strip, cells)) and cells != _DOS_END:
                yield Line(line, _unmarked(cells))
            line = reader.line_num + 1
    except csv.Error as broken:
        raise FileBroken(_in_words(str(broken)), line) from None
    except UnicodeDecodeError as broken:
        words = ENCODINGS.get(form.encoding, form.encoding)
        line = reader.line_num + 1 + _lines_before(broken)
        raise FileBroken(f"the text is not {words}; choose the encoding", line) from None


def _lines_before(broken: UnicodeDecodeError) -> int:
    """How many lines end before what is broken, in the piece that was decoded last."""
    before = broken.object[: broken.start]
    return before.count(b"\n") or before.count(b"\r")


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
        raise FileBroken(f"the header has more than {MAX_COLUMNS} columns", header.number)
    if any("\0" in cell for cell in header.cells):
        raise FileBroken("there is a zero byte; the file is damaged or no CSV", header.number)
    yield header
    width = len(header.cells)
    for line in records:
        yield _fit(line, width)


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
            raise FileBroken(f"a line is longer than {MAX_LINE >> 20} million characters", number)
        yield part


def _in_words(said: str) -> str:
    if "unexpected end" in said:
        return "a quoted cell that begins here never ends"
    if "field larger" in said:
        return "a cell is longer than 131,072 characters; is a quote missing?"
    return "a quote stands in the middle of a cell; write it twice inside quotes"
