"""Read a CSV file as text, whatever wrote it: its encoding, delimiter, newlines and quotes.

Every cell stays text. A row that does not fit the header, a quote that never closes and a zero byte
are errors with their line, because guessing would put a value under the wrong name.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MAX_BYTES = 512 * 1024**2
_SAMPLE = 64 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_CSV = (
    (b"PK\x03\x04", "an Excel or zip file; save it as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; save it as CSV (UTF-8)"),
    (b"\x1f\x8b", "a packed file; unpack it first"),
    (b"%PDF", "a PDF; export it as CSV (UTF-8)"),
)


class CsvBroken(ValueError):
    """The file cannot be read. Names the line where there is one, and never a value."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


class Form(NamedTuple):
    """How the file is written."""

    encoding: str
    delimiter: str


class Row(NamedTuple):
    """A row's cells, and the line on which it begins."""

    line: int
    cells: list[str]


def form_of(path: Path) -> Form:
    """Look at the file and say how it is written."""
    if path.stat().st_size > MAX_BYTES:
        raise CsvBroken(f"the file is larger than {MAX_BYTES >> 20} MB; split it")
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    for magic, what in _NOT_CSV:
        if start.startswith(magic):
            raise CsvBroken(f"this is {what}")
    encoding = next((name for bom, name in _BOMS if start.startswith(bom)), "") or _guess(path)
    text = start.decode(encoding, errors="ignore")
    return Form(encoding, _delimiter(text.splitlines()[0] if text.strip() else ""))


def _guess(path: Path) -> str:
    """UTF-8 if the whole file is; else what Excel writes on a US machine."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _delimiter(header: str) -> str:
    """Return the delimiter that the header uses most, outside of quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def rows(path: Path, form: Form) -> Iterator[Row]:
    """Yield the header and then every row that is not blank; all have as many cells as it."""
    with path.open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding=form.encoding, newline="", errors="strict")
        reader = csv.reader(_checked(text), delimiter=form.delimiter, strict=True)
        width = 0
        line = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    width = width or len(cells)
                    if len(cells) != width:
                        raise CsvBroken(_does_not_fit(len(cells), width), line)
                    yield Row(line, cells)
                line = reader.line_num + 1
        except csv.Error as broken:
            raise CsvBroken(_in_words(str(broken)), line) from None
        except UnicodeDecodeError:
            raise CsvBroken(f"the text is not {form.encoding}", line) from None


def _checked(lines: io.TextIOWrapper) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise CsvBroken("there is a zero byte; the file is damaged or no CSV", number)
        yield line


def _does_not_fit(found: int, width: int) -> str:
    return f"the row has {found} cells where the header has {width}"


def _in_words(said: str) -> str:
    if "unexpected end" in said:
        return "a quoted cell that begins here never ends"
    if "field larger" in said:
        return "a cell is longer than 131,072 characters; is a quote missing?"
    return "a quote stands in the middle of a cell; write it twice inside quotes"
