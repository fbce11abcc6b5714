"""Files that are plainly something else than people in rows: what they are, and what to do.

Told by how they begin. What a browser calls a file, or its ending, says nothing.
"""

from __future__ import annotations

import lzma
import re
import zlib
from collections import Counter

from contacts.importing.broken import FileBroken

_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_UNPACK = "a packed file; unpack it first, and bring what is in it"
_SAVE = "save it as .xlsx or as CSV (UTF-8)"
_BEGINNINGS = (
    (b"\xd0\xcf\x11\xe0", f"an old or a protected Excel file; {_SAVE}, without a password"),
    (b"%PDF", "a PDF; export the list as CSV (UTF-8)"),
    (b"BZh", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", _UNPACK),
    (b"Rar!", _UNPACK),
    (b"\x28\xb5\x2f\xfd", _UNPACK),
    (b"PK\x05\x06", "a zip file with nothing in it"),
    (b"MSH|", "HL7 version 2 messages, and no table; export the patients as CSV or FHIR"),
    (b"FHS|", "a batch of HL7 version 2 messages; export the patients as CSV or FHIR"),
    (b"BHS|", "a batch of HL7 version 2 messages; export the patients as CSV or FHIR"),
    (b"{\\rtf", f"a text document; open it in a spreadsheet program and {_SAVE}"),
    (b"BEGIN:VCARD", f"a file of address cards; open it in an address book and {_SAVE}"),
    (b"ID;PWXL", f"a SYLK file; open it in a spreadsheet program and {_SAVE}"),
    (b"ID;PSCALC", f"a SYLK file; open it in a spreadsheet program and {_SAVE}"),
)
_WEB_PAGE = re.compile(rb"<(?:!doctype html|html|head|meta|table|style|body)\b", re.IGNORECASE)
_OLD_EXCEL = (b"urn:schemas-microsoft-com:office:spreadsheet", b'progid="Excel.Sheet"')
_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ"
_ZIPPED = (
    (b"opendocument.spreadsheet", f"an OpenDocument spreadsheet; {_SAVE}"),
    (b"word/", f"a Word document; copy the table into a spreadsheet and {_SAVE}"),
    (b".iwa", f"a file of Apple Numbers; export it: {_SAVE}"),
)
_FEW = 0.02


def refuse(start: bytes) -> None:
    """Raise FileBroken where a file that begins so is nothing of ours."""
    if _EICAR in start:
        raise FileBroken("this is the test file of malware scanners, and no file of people")
    bare = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    for beginning, what in _BEGINNINGS:
        if bare.startswith(beginning):
            raise FileBroken(f"this is {what}")
    if bare.startswith(b"PK\x03\x04"):
        _refuse_zipped(bare[:2_000])
    elif bare.startswith(b"<"):
        _refuse_marked_up(bare)
    elif _is_no_text(start[:8_192]):
        raise FileBroken("this is no file of text; export the list as CSV (UTF-8) or as .xlsx")


def _refuse_zipped(start: bytes) -> None:
    for part, what in _ZIPPED:
        if part in start:
            raise FileBroken(f"this is {what}")


def _refuse_marked_up(bare: bytes) -> None:
    if _WEB_PAGE.match(bare):
        reason = "a web page, though its name may end in .xls; open it in a spreadsheet program"
        raise FileBroken(f"this is {reason} and {_SAVE}")
    if any(mark in bare for mark in _OLD_EXCEL):
        raise FileBroken(f"this is an Excel workbook of 2003 as XML; {_SAVE}")
    if bare.startswith(b"<?xml") or b"xmlns" in bare[:1_000]:
        raise FileBroken("this is XML; bring the patients as CSV, .xlsx or FHIR R4 in JSON")


def _is_no_text(start: bytes) -> bool:
    """Whether it has more control characters than a damaged text; UTF-16 has none but zeros."""
    if start.startswith((_GZIP, _XZ)):
        return False
    found = Counter(byte for byte in start if byte < 32 and byte not in b"\t\n\r\f\v\0\x1a\x1b")
    return sum(found.values()) > _FEW * len(start) + 2


def unpacked_start(start: bytes) -> bytes | None:
    """Return how the packed file goes on inside; None where it is not packed so."""
    try:
        if start.startswith(_GZIP):
            return zlib.decompressobj(31).decompress(start, 4_096)
        if start.startswith(_XZ):
            return lzma.LZMADecompressor().decompress(start, 4_096)
    except (zlib.error, lzma.LZMAError):
        return b""
    return None
