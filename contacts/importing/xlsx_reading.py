"""Read one sheet of an Excel workbook as rows of text, without trusting the file.

A workbook is a zip of XML. Before anything is parsed it is looked through once: how large its parts
unpack, whether any declares entities, and whether any holds a stretch without markup that is longer
than a cell may be. So neither a zip bomb, an XML bomb nor a giant cell reaches the parser.

Numbers keep what their format shows: 2139 formatted as 00000 is 02139. A bare number has lost its
leading zeros, if it had any; which columns hold such numbers is told.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

from contacts.exporting import as_it_was
from contacts.importing import heads
from contacts.importing.broken import FileBroken
from contacts.importing.chunks import Line
from contacts.importing.csv_reading import MAX_COLUMNS

MAX_PARTS = 5_000
MAX_UNPACKED = 2 * 1024**3
MAX_STRINGS = 256 * 1024**2
"""The table of shared texts, which must be held in memory while a sheet is read."""
MAX_RATIO = 300
SMALL = 8 * 1024**2
"""Below this a high ratio is harmless: a sheet of equal rows packs well."""
MAX_CELL = 32_767
MAX_ROWS = 1_048_576
_STRETCH = 256 * 1024
_ZEROS = re.compile(r"[0 ()/-]+")
_ESCAPED = re.compile(r"_x((?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})_")
"""But for halves of characters, which are no text: they stay as they are written."""
_EXACT = 10**15
"""A workbook keeps fifteen digits of a number; those behind them have become zeros."""
_TOO_LONG = (
    "a number has more than 15 digits, of which a workbook keeps 15; format its column as text"
)
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_NEVER_CALCULATED = re.compile(
    rb'<c(?: (?!t=)[a-z]+="[^"]*")*><f[^>]{0,400}(?:/>|>[^<]{0,8192}</f>)(?:<v ?/>|<v></v>)?</c>'
)
"""A formula without a result. One whose result is blank says that it is text (`t="str"`)."""
_OVERLAP = 512
_LOCALE = re.compile(r"\[\$[^\]]*\]")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')


class _Cell(NamedTuple):
    """A cell's text; whether it was a bare number; and what is wrong with it."""

    text: str
    is_bare: bool = False
    problem: str = ""


_EMPTY = _Cell("")


class Look(NamedTuple):
    """The sheet to read, all that can be chosen, and on which row the header stands."""

    sheet: str
    names: list[str]
    head: int


def look(file: BinaryIO, wanted: str = "") -> Look:
    """Check the workbook, and find its first table, or that of the `wanted` sheet."""
    _refuse_bombs(file)
    with _book(file) as book:
        names = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
        names = names or [sheet.title for sheet in book.worksheets]
        if not names:
            raise FileBroken("the workbook has no sheet of cells")
        if wanted and wanted not in names:
            raise FileBroken("the workbook has no sheet of this name")
        for name in [wanted] if wanted else names:
            first = _first_rows(book[name])
            if len(first) > 1:
                return Look(name, names, first[heads.place_of([row for _, row in first])][0])
        return Look(wanted or names[0], names, 1)


def _first_rows(sheet: Any) -> list[tuple[int, list[str]]]:
    """Return the numbers and texts of the first rows that are not blank."""
    found: list[tuple[int, list[str]]] = []
    for number, cells in islice(_rows(sheet, 1), 10 * heads.LOOKED_AT):
        texts = [cell.text for cell in cells]
        if any(map(str.strip, texts)):
            found.append((number, texts))
        if len(found) >= heads.LOOKED_AT:
            break
    return found[:1] if found and found[0][0] > 10 * heads.LOOKED_AT else found


@contextmanager
def _book(file: BinaryIO) -> Iterator[Any]:
    """Open the workbook; whatever its parts make the library trip over, it is damaged."""
    book = _opened(file)
    try:
        yield book
    except (KeyError, ValueError, TypeError, IndexError, OSError, zipfile.BadZipFile) as broken:
        if isinstance(broken, FileBroken):
            raise
        raise FileBroken(_DAMAGED) from None
    finally:
        book.close()


def lines(file: BinaryIO, sheet: str, head: int, numeric: list[int]) -> Generator[Line, None, None]:
    """Yield the header and every row that is not blank; add to `numeric` columns of bare numbers.

    `numeric` is complete when the last line has been taken.
    """
    _refuse_bombs(file)
    with _book(file) as book:
        if sheet not in book.sheetnames:
            raise FileBroken("the workbook has no sheet of this name")
        yield from _fitted(_rows(book[sheet], head), numeric, has_head=head > 0)


_DAMAGED = "the workbook is damaged; open it in a spreadsheet program and save it again"


def _opened(file: BinaryIO) -> Any:
    import openpyxl  # 4 MB in every process, and only imports of workbooks need it

    file.seek(0)
    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except FileBroken:
        raise
    except Exception as broken:
        # The library raises whatever a strange part makes it trip over.
        raise FileBroken(_DAMAGED) from broken


def _refuse_bombs(file: BinaryIO) -> None:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as packed:
            _refuse_sizes(packed.infolist())
            for part in packed.infolist():
                _look_through(packed, part)
    except FileBroken:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as broken:
        raise FileBroken(_DAMAGED) from broken
    except Exception as broken:  # zlib.error, lzma.LZMAError
        raise FileBroken(_DAMAGED) from broken


def _refuse_sizes(parts: list[zipfile.ZipInfo]) -> None:
    """Refuse by what the parts say of themselves; reading never gives more than they say."""
    names = {part.filename for part in parts}
    _refuse_kind(names)
    if len(parts) > MAX_PARTS or len(names) != len(parts):
        raise FileBroken("the workbook has too many parts, or the same part twice")
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise FileBroken(f"the workbook unpacks to more than {MAX_UNPACKED >> 30} GB; split it")
    for part in parts:
        if part.file_size > SMALL and part.file_size > MAX_RATIO * part.compress_size:
            raise FileBroken("a part of the workbook unpacks to hundreds of times its size")
        if part.filename.endswith("sharedStrings.xml") and part.file_size > MAX_STRINGS:
            raise FileBroken("the workbook holds too much text at once; split it, or use CSV")


def _refuse_kind(names: set[str]) -> None:
    if "xl/workbook.bin" in names:
        raise FileBroken("this is a binary workbook (.xlsb); save it as .xlsx or as CSV (UTF-8)")
    if "[Content_Types].xml" not in names or not any(n.startswith("xl/") for n in names):
        raise FileBroken("this is a zip file, and no Excel workbook; unpack it first")
    if "xl/vbaProject.bin" in names:
        raise FileBroken("the workbook holds macros; save it as .xlsx without them")


def _look_through(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse a part with a document type, or with a stretch without markup that no cell fills."""
    if part.flag_bits & 0x1:
        raise FileBroken("the workbook is protected by a password; save it without")
    if not part.filename.endswith((".xml", ".rels", ".vml")):
        return
    with packed.open(part) as opened:
        before = b""
        while stretch := opened.read(_STRETCH):
            joined = before + stretch
            _refuse_markup(joined)
            if len(stretch) == _STRETCH and b"<" not in stretch:
                raise FileBroken(f"a cell is longer than {MAX_CELL:,} characters")
            before = joined[-_OVERLAP:]


def _refuse_markup(stretch: bytes) -> None:
    if b"<!DOCTYPE" in stretch or b"<!ENTITY" in stretch:
        raise FileBroken("a part of the workbook declares entities, which none needs")
    if b"\x00" in stretch[:64]:
        raise FileBroken("a part of the workbook is not in UTF-8; save it again as .xlsx")
    if _STRICT in stretch:
        raise FileBroken(
            "the workbook is in the strict form of Open XML; save it as an ordinary Excel Workbook"
        )
    if b"<f" in stretch and _NEVER_CALCULATED.search(stretch):
        raise FileBroken(
            "the workbook has formulas that were never calculated, so their results are not in it;"
            " open it in a spreadsheet program and save it again"
        )


def _rows(sheet: Any, head: int) -> Iterator[tuple[int, list[_Cell]]]:
    """Yield each row's number and cells."""
    sheet.reset_dimensions()  # a file may claim any size; only the cells count
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number > MAX_ROWS:
            raise FileBroken("the sheet has more rows than a workbook can hold", number)
        if number >= head:
            yield number, [_cell(cell) for cell in row]


def _fitted(
    rows: Iterator[tuple[int, list[_Cell]]], numeric: list[int], *, has_head: bool
) -> Iterator[Line]:
    width, ours = 0, False
    bare: set[int] = set()
    for number, cells in rows:
        texts = [cell.text for cell in cells]
        if not any(map(str.strip, texts)):
            continue
        if not width:
            width = _width(texts, number)
            ours = has_head and heads.is_ours(texts[:width])
            yield _header(number, texts[:width], has_head=has_head)
            if has_head:
                continue
        theirs = width - 2 if ours else width
        bare.update(place for place, cell in enumerate(cells[:theirs]) if cell.is_bare)
        numeric[:] = sorted(bare) if len(bare) != len(numeric) else numeric
        texts = list(map(as_it_was, texts)) if ours else texts
        problem = next((cell.problem for cell in cells[:width] if cell.problem), "")
        yield _fit(
            number, texts, width, problem or (heads.still_short(texts, theirs) if ours else "")
        )


def _header(number: int, texts: list[str], *, has_head: bool) -> Line:
    if has_head:
        return Line(number, texts)
    return Line(0, [f"Column {heads.letter(place)}" for place in range(len(texts))])


def _width(header: list[str], number: int) -> int:
    width = max(place for place, text in enumerate(header) if text.strip()) + 1
    if width > MAX_COLUMNS:
        reason = f"the header has more than {MAX_COLUMNS} columns"
        raise FileBroken(reason, number, read_otherwise=True)
    return width


def _fit(number: int, texts: list[str], width: int, problem: str) -> Line:
    beyond = any(map(str.strip, texts[width:]))
    cells = (texts + [""] * width)[:width]
    if problem:
        return Line(number, cells, problem)
    if beyond:
        return Line(number, cells, "the row has cells beyond the header's last column")
    if any(len(text) > MAX_CELL for text in texts):
        short = [text[:MAX_CELL] for text in cells]
        return Line(number, short, f"a cell is longer than {MAX_CELL:,} characters")
    return Line(number, cells)


def _cell(cell: Any) -> _Cell:
    value = cell.value
    if value is None:
        return _EMPTY
    if isinstance(value, str):
        return _text(value, is_error=cell.data_type == "e")
    if isinstance(value, bool):
        return _Cell("true" if value else "false")
    if isinstance(value, datetime | date | time):
        return _Cell(_moment(value))
    return _number(value, cell.number_format or "")


def _text(value: str, *, is_error: bool) -> _Cell:
    if is_error:
        return _Cell(value, problem="a formula of the row ends in an error, such as #N/A")
    text = _unescaped(value)
    if "\0" in text:
        return _Cell(text.replace("\0", ""), problem="there is a zero byte in the row")
    return _Cell(text)


def _unescaped(text: str) -> str:
    """Read what XML cannot hold: `_x000D_` is a carriage return (ECMA-376-1, 22.9.2.19)."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _moment(value: datetime | date | time) -> str:
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat()


def _number(value: Any, shown: str) -> _Cell:
    """Return the number as text; a bare whole one may have lost leading zeros."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    text = repr(value) if isinstance(value, float) else str(value)
    if isinstance(value, int | float) and abs(value) >= _EXACT:
        return _Cell(text, problem=_TOO_LONG)
    if isinstance(value, int) and (padded := _padded(text, shown)):
        return _Cell(padded)
    return _Cell(text, is_bare=isinstance(value, int))


def _padded(digits: str, shown: str) -> str:
    """Return the digits as a format of zeros shows them (`00000`, `000-00-0000`), else ""."""
    places = _LOCALE.sub("", shown.split(";", maxsplit=1)[0])
    places = _LITERAL.sub(lambda found: found[1] or found[2], places)
    count = places.count("0")
    if count < 2 or not digits.isdigit() or not _ZEROS.fullmatch(places):
        return ""
    left = iter(digits.zfill(count))
    start = "".join(next(left) for _ in range(max(0, len(digits) - count)))
    return start + "".join(next(left) if place == "0" else place for place in places)
