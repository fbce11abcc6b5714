"""How a CSV file is written: its encoding, delimiter and quotes, and where its header stands.

What a person said goes before what is found by looking.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from contacts.importing import encodings, heads
from contacts.importing.broken import FileBroken

DELIMITERS = {
    ",": "Comma",
    ";": "Semicolon",
    "\t": "Tab",
    "|": "Bar",
    "^": "Caret",
    "~": "Tilde",
}
_QUOTED = re.compile(r'"[^"]*"')
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_HINT = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_SINGLE = re.compile(r"'[^']*'(?:[,;\t|^~]'[^']*')+")
_UNCLEAR = (
    "its letters may be read in more than one way, as those of Windows, of a Mac, of DOS or of"
    " another language; choose the encoding, or save the file as CSV (UTF-8)"
)


class Form(NamedTuple):
    """How the file is written. Its header stands on line `head`; 0 where it has none."""

    encoding: str
    delimiter: str
    head: int = 1
    quote: str = '"'
    escape: str = ""


def form_of(
    file: BinaryIO, *, encoding: str = "", delimiter: str = "", head: int | None = None
) -> Form:
    """Look at the file and say how it is written; what is given is taken as said."""
    file.seek(0)
    start = file.read(encodings.SAMPLE)
    encoding = encoding or _encoding(file, start)
    text = _decoded(start, encoding)
    if hint := _HINT.fullmatch(_first_line(text).strip()):  # Excel's own, and no header
        return Form(encoding, delimiter or hint[1], 2 if head is None else head)
    quote = "'" if _SINGLE.fullmatch(_first_line(text).strip()) else '"'
    whole = _whole_lines(text, is_all=len(start) < encodings.SAMPLE)
    delimiter = delimiter or _delimiter(whole, quote)
    form = Form(encoding, delimiter, 1, quote, _escape(whole, delimiter, quote))
    return form._replace(head=_head(whole, form) if head is None else head)


def _encoding(file: BinaryIO, start: bytes) -> str:
    try:
        return encodings.of(file, start)
    except encodings.EncodingUnclear:
        raise FileBroken(_UNCLEAR, read_otherwise=True, letters=True) from None


def _decoded(start: bytes, encoding: str) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(start)
    except UnicodeError:
        reason = f"the text is not {encodings.ENCODINGS[encoding]}; choose the encoding"
        raise FileBroken(reason, read_otherwise=True) from None
    return text.lstrip("\ufeff")


def _first_line(text: str) -> str:
    """The first line that is not blank."""
    return next((line for line in _LINE_ENDS.split(text) if line.strip()), "")


def _whole_lines(text: str, *, is_all: bool) -> str:
    end = max(text.rfind("\n"), text.rfind("\r"))
    return text if is_all or end < 0 else text[: end + 1]


class _Row(NamedTuple):
    line: int
    cells: list[str]


def _rows(text: str, delimiter: str, quote: str, escape: str = "") -> list[_Row]:
    """Return the first rows that are not blank; raise csv.Error where the quotes are wrong."""
    reader = csv.reader(
        _LINE_ENDS.sub("\n", text).splitlines(keepends=True),
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape or None,
        doublequote=not escape,
        strict=True,
        skipinitialspace=True,
    )
    found, line = list[_Row](), 1
    for cells in reader:
        if any(map(str.strip, cells)):
            found.append(_Row(line, cells))
        line = reader.line_num + 1
        if len(found) >= heads.LOOKED_AT:
            break
    return found


def _delimiter(text: str, quote: str) -> str:
    """Return what the header uses most, unless the rows below speak for another one."""
    bare = _QUOTED.sub("", text) if quote == '"' else text
    header = _first_line(bare)
    first = max(DELIMITERS, key=header.count)
    scores = {one: _agreement(text, one, quote) for one in DELIMITERS}
    if scores[first] * 2 >= 1:
        return first
    best = max(scores, key=lambda one: scores[one])
    return best if scores[best] > scores[first] else first


def _agreement(text: str, delimiter: str, quote: str) -> float:
    """Return for what share of the rows below the first the delimiter gives as many cells."""
    try:
        rows = _rows(text, delimiter, quote)
    except csv.Error:
        rows = [_Row(0, line.split(delimiter)) for line in _LINE_ENDS.split(text)[:20] if line]
    widths = Counter(len(row.cells) for row in rows[1:])
    if not widths:
        return float(bool(rows))
    width, count = widths.most_common(1)[0]
    return count / (len(rows) - 1) if width > 1 else 0.0


def _escape(text: str, delimiter: str, quote: str) -> str:
    """Return a backslash where only with it the quotes come out even, as databases write them."""
    if f"\\{quote}" not in text:
        return ""
    for escape in ("", "\\"):
        try:
            _rows(text, delimiter, quote, escape)
        except csv.Error:
            continue
        return escape
    return ""


def _head(text: str, form: Form) -> int:
    """Return the line of the header."""
    try:
        rows: Sequence[_Row] = _rows(text, form.delimiter, form.quote, form.escape)
    except csv.Error:
        return 1
    place = heads.place_of([row.cells for row in rows])
    return rows[place].line if place else 1
