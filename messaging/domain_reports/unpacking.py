"""From a mail or an uploaded file to the report's own bytes, whatever it is packed in.

Zip and gzip are unpacked piece by piece up to a limit, so that a few kilobytes cannot become
gigabytes of memory; what a zip says of its own size is not believed.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from email import message_from_bytes, policy
from email.message import Message
from io import BytesIO
from typing import IO

from messaging.domain_reports.report import ReportRefused

LARGEST_PACKED = 10 * 2**20
LARGEST = 40 * 2**20
"""Unpacked: the great providers' reports on a busy domain have a few megabytes."""
_PIECE = 2**16
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_TOO_LARGE = f"Unpacked it is larger than {LARGEST // 2**20} MB."
_NAMED = re.compile(
    r"^[^!\s/]+![^!\s/]+!\d{9,11}!\d{9,11}(![^!\s/]+)?\.(xml|json|zip|gz)(\.?(gz|zip))?$", re.I
)
"""receiver ! domain ! begin ! end [! number] . xml [. gz]: RFC 9990 3.5.2, RFC 8460 5.1."""


def of_mail(raw: bytes) -> bytes | None:
    """Return the packed report that a mail brings; None for a mail that brings none.

    Only a part that calls itself a report counts: a person's attachment is left alone.
    """
    if b"!" not in raw and b"tlsrpt" not in raw.lower():
        return None
    message = message_from_bytes(raw, policy=policy.default)
    for part in message.walk():
        if not part.is_multipart() and _is_report(part):
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else None
    return None


def _is_report(part: Message) -> bool:
    kind = part.get_content_type()
    name = part.get_filename() or ""  # of the disposition, else of the type
    return kind in ("application/tlsrpt+gzip", "application/tlsrpt+json") or bool(
        _NAMED.match(name.strip())
    )


def unpacked(packed: bytes) -> bytes:
    """Return the report's bytes; raises `ReportRefused` for too large, broken or several files."""
    if len(packed) > LARGEST_PACKED:
        raise ReportRefused(f"It is larger than {LARGEST_PACKED // 2**20} MB.")
    if packed.startswith(_GZIP):
        return _gunzipped(packed)
    return _unzipped(packed) if packed.startswith(_ZIP) else packed


def _gunzipped(packed: bytes) -> bytes:
    reader = zlib.decompressobj(wbits=31)
    try:
        raw = reader.decompress(packed, LARGEST + 1)
    except zlib.error:
        raise ReportRefused("Its gzip file is broken.") from None
    if len(raw) > LARGEST:
        raise ReportRefused(_TOO_LARGE)
    if not reader.eof:
        raise ReportRefused("Its gzip file ends too soon.")
    return raw


def _unzipped(packed: bytes) -> bytes:
    try:
        with zipfile.ZipFile(BytesIO(packed)) as archive:
            files = [one for one in archive.infolist() if not one.is_dir()]
            if len(files) != 1:
                raise ReportRefused("Its zip file holds not one file.")
            with archive.open(files[0]) as file:
                return _bounded(file)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError, OSError):
        raise ReportRefused("Its zip file is broken, or locked.") from None


def _bounded(file: IO[bytes]) -> bytes:
    pieces, size = [], 0
    while piece := file.read(_PIECE):
        size += len(piece)
        if size > LARGEST:
            raise ReportRefused(_TOO_LARGE)
        pieces.append(piece)
    return b"".join(pieces)
