"""Every kind of file of rows, read alike: what it is, how it is written, and its lines."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from contacts.importing import csv_reading, xlsx_reading
from contacts.importing.chunks import Line
from contacts.importing.csv_reading import FileBroken, Form

CSV, XLSX, FHIR = "csv", "xlsx", "fhir"
_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SCANNED = 1 << 16
"""The test signature of scanners stands at the very beginning of a file, or in its first cells."""


@dataclass(slots=True)
class Reading:
    """How a file is read: as chosen, or as it looked."""

    encoding: str = ""
    delimiter: str = ""
    head: int = 1
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    numeric: list[int] = field(default_factory=list)
    """Columns of a workbook that hold bare numbers: leading zeros, if there were any, are lost."""

    def packed(self) -> dict[str, Any]:
        return asdict(self)


def unpacked(packed: Mapping[str, Any]) -> Reading:
    return Reading(**packed)


def form_of(start: bytes) -> str:
    """Return what a file is by how it begins; raise FileBroken where it is nothing of ours."""
    if _EICAR in start:
        raise FileBroken("this is the test file of malware scanners, and no file of people")
    if start.startswith(b"PK\x03\x04"):
        return XLSX
    bare = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if bare.startswith((b"{", b"[{", b"\x1f\x8b", b"\xfd7zXZ")):
        return FHIR
    return CSV


def look(file: BinaryIO, form: str) -> Reading:
    """Look at the file and say how it is written."""
    if form == XLSX:
        sheet, names = xlsx_reading.look(file)
        return Reading(sheet=sheet, sheets=names)
    found = csv_reading.form_of(file)
    return Reading(found.encoding, found.delimiter, found.head)


def lines(file: BinaryIO, form: str, reading: Reading) -> Generator[Line, None, None]:
    """Yield the header and then every row that is not blank; notes land in `reading`."""
    if form == XLSX:
        reading.numeric = []
        return xlsx_reading.lines(file, reading.sheet, reading.head, reading.numeric)
    return csv_reading.lines(file, Form(reading.encoding, reading.delimiter, reading.head))
