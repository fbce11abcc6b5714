"""Every kind of file of rows, read alike: what it is, how it is written, and its lines."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from contacts.importing import csv_reading
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
        return _WORKBOOK["look"](file)  # type: ignore[no-any-return]
    found = csv_reading.form_of(file)
    return Reading(found.encoding, found.delimiter, found.head)


def lines(file: BinaryIO, form: str, reading: Reading) -> Generator[Line, None, None]:
    """Yield the header and then every row that is not blank."""
    if form == XLSX:
        return _WORKBOOK["lines"](file, reading)  # type: ignore[no-any-return]
    return csv_reading.lines(file, Form(reading.encoding, reading.delimiter, reading.head))


def _no_workbooks(*_: Any) -> Any:
    raise FileBroken("Excel workbooks are not read here; save it as CSV (UTF-8)")


_WORKBOOK: dict[str, Callable[..., Any]] = {"look": _no_workbooks, "lines": _no_workbooks}
