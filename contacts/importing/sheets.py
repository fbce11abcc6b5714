"""Every kind of file of rows, read alike: what it is, how it is written, and its lines."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, BinaryIO

from contacts.importing import csv_form, csv_reading, other_files, xlsx_reading
from contacts.importing.broken import FileBroken
from contacts.importing.chunks import Line
from contacts.importing.csv_form import Form

CSV, XLSX, FHIR = "csv", "xlsx", "fhir"
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{|\[\s*\{)")
SCANNED = 1 << 16
"""The test signature of scanners stands at the very beginning of a file, or in its first cells."""


@dataclass(slots=True)
class Reading:
    """How a file is read: as chosen, or as it looked."""

    encoding: str = ""
    delimiter: str = ""
    head: int = 1
    quote: str = '"'
    escape: str = ""
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    numeric: list[int] = field(default_factory=list)
    """Columns of a workbook that hold bare numbers: leading zeros, if there were any, are lost."""

    trouble: str = ""
    """Why it could not be read so; then a person says how else."""
    letters: list[tuple[str, str]] = field(default_factory=list)
    """Encodings to choose from, each with the letters that it gives."""

    def packed(self) -> dict[str, Any]:
        return asdict(self)


def unpacked(packed: Mapping[str, Any]) -> Reading:
    return Reading(**packed)


def form_of(start: bytes) -> str:
    """Return what a file is by how it begins; raise FileBroken where it is nothing of ours."""
    other_files.refuse(start)
    if start.startswith(b"PK\x03\x04"):
        return XLSX
    inside = other_files.unpacked_start(start)
    if _JSON.match(start if inside is None else inside):
        return FHIR
    if inside:
        raise FileBroken("this is a packed file of something else than FHIR; unpack it first")
    return FHIR if inside is not None else CSV


def look(file: BinaryIO, form: str, said: Mapping[str, Any] = MappingProxyType({})) -> Reading:
    """Look at the file and say how it is written; what was `said` of it goes before."""
    if form == XLSX:
        sheet, names, head = xlsx_reading.look(file, said.get("sheet", ""))
        return Reading(sheet=sheet, sheets=names, head=said.get("head", head))
    asked = {name: said[name] for name in ("encoding", "delimiter", "head") if name in said}
    found = csv_form.form_of(file, **asked)
    return Reading(**found._asdict())


def lines(file: BinaryIO, form: str, reading: Reading) -> Generator[Line, None, None]:
    """Yield the header and then every row that is not blank; notes land in `reading`."""
    if form == XLSX:
        reading.numeric = []
        return xlsx_reading.lines(file, reading.sheet, reading.head, reading.numeric)
    written = (reading.encoding, reading.delimiter, reading.head, reading.quote, reading.escape)
    return csv_reading.lines(file, Form(*written))
