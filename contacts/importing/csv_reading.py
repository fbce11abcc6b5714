"""Read a CSV file as text, whatever wrote it: its encoding, delimiter, newlines and quotes.

Every cell stays text. A row that does not fit the header, or holds a zero byte, is a row with a
problem; a quote that never closes breaks the file, because nothing after it can be told apart.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple

from contacts.importing.chunks import Line

MAX_LINE = 4 << 20
MAX_COLUMNS = 1_000
_SAMPLE = 64 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""In this order: the mark of UTF-16 LE begins that of UTF-32 LE."""
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
    start = file.read(_SAMPLE)
    for magic, what in _NOT_CSV:
        if start.startswith(magic):
            raise FileBroken(f"this is {what}")
    encoding = _encoding(file, start)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(start)
    first = text.lstrip("\ufeff").splitlines()[0] if text.strip("\ufeff \r\n\t") else ""
    if first.lower().startswith("sep=") and len(first) == 5:  # Excel's own hint, and no header
        return Form(encoding, first[4], 2)
    return Form(encoding, _delimiter(first))


def _encoding(file: BinaryIO, start: bytes) -> str:
    marked = next((name for bom, name in _BOMS if start.startswith(bom)), "")
    return marked or _wide(start) or _utf8_or_windows(file)


def _wide(start: bytes) -> str:
    """UTF-16 without a mark: in Western text every other byte is zero."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = max(1, len(start) // 2)
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return ""


def _utf8_or_windows(file: BinaryIO) -> str:
    """UTF-8 if the whole file is; else what Excel writes on a US machine."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _delimiter(header: str) -> str:
    """Return the delimiter that the header uses most, outside of quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def lines(file: BinaryIO, form: Form) -> Generator[Line, None, None]:
    """Yield the header and then every row that is not blank."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=form.encoding, newline="", errors="strict")
    try:
        yield from _fitted(_records(text, form))
    finally:
        text.detach()  # the file is the caller's to close


def _records(text: io.TextIOWrapper, form: Form) -> Iterator[Line]:
    reader = csv.reader(_bounded(text), delimiter=form.delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if line >= form.head and any(map(str.strip, cells)):
                yield Line(line, cells)
            line = reader.line_num + 1
    except csv.Error as broken:
        raise FileBroken(_in_words(str(broken)), line) from None
    except UnicodeDecodeError:
        words = ENCODINGS.get(form.encoding, form.encoding)
        raise FileBroken(f"the text is not {words}; choose the encoding", line) from None


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
