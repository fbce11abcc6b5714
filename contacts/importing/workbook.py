"""A workbook of one sheet whose cells are all text, written as it goes.

A spreadsheet that opens a CSV file drops leading zeros and turns dates round; of cells that are
text it changes nothing, and takes none for a formula. Nothing touches a disk (ECMA-376-1, 18).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from contacts.importing.heads import letter
from contacts.importing.xlsx_reading import MAX_CELL, MAX_ROWS

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CUT = "; a cell was cut here, for none of a workbook holds as much: take the CSV file"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
    f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Refused" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">'
    '<fonts count="1"><font><sz val="11"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>",
}
_TEXT = 1
"""The second of the styles: number format 49, `@`, which is text."""
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class _Pipe(io.RawIOBase):
    """What the archive has written and nobody has taken yet."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, part: object) -> int:
        given = bytes(part)  # type: ignore[call-overload]
        self._held += given
        return len(given)

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def written(rows: Iterable[list[str]]) -> Iterator[bytes]:
    """Yield the workbook of these rows; the first is the header. Those beyond a sheet stay out."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in _PARTS.items():
            packed.writestr(name, _XML + content)
        with packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}">{_COLUMNS}<sheetData>'.encode())
            for number, row in zip(range(1, MAX_ROWS + 1), rows, strict=False):
                sheet.write(_row(number, row).encode())
                yield pipe.taken()
            sheet.write(b"</sheetData></worksheet>")
    yield pipe.taken()


_COLUMNS = f'<cols><col min="1" max="16384" width="16" style="{_TEXT}"/></cols>'
"""Empty cells are text too, so that what is typed into them stays as it was typed."""


def _row(number: int, cells: list[str]) -> str:
    if any(len(cell) > MAX_CELL for cell in cells):
        cells = [cell[:MAX_CELL] for cell in [*cells[:-1], cells[-1] + CUT]]
    return f'<row r="{number}">{"".join(_cells(number, cells))}</row>'


def _cells(number: int, cells: list[str]) -> Iterator[str]:
    for place, cell in enumerate(cells):
        text = escape(_UNWRITABLE.sub(_in_hex, cell))
        yield (
            f'<c r="{letter(place)}{number}" s="{_TEXT}" t="inlineStr">'
            f'<is><t xml:space="preserve">{text}</t></is></c>'
        )


def _in_hex(found: re.Match[str]) -> str:
    """Write what XML cannot hold, and what would be read as such (ECMA-376-1, 22.9.2.19)."""
    return f"_x{ord(found[0]):04X}_"
