"""A file and its rows in the database, sealed in parts, so that any worker on any machine goes on.

Each part is bound to its run, kind and number: parts that were swapped or moved do not open.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgpack

from accounts import tenancy
from contacts.importing.models import ImportChunk
from crypto import keyring
from crypto.seal import Context, seal, unseal

FILE_PART = 1 << 20
TABLE = "contacts_importchunk"
Kind = ImportChunk.Kind


class Line(NamedTuple):
    """A row as it was read. `problem` says why its cells cannot be trusted."""

    number: int
    cells: list[str]
    problem: str = ""


def write_file(run: UUID, parts: Iterable[bytes]) -> int:
    """Store the file and return how many bytes it has."""
    size = 0
    for number, part in enumerate(_even(parts)):
        size += len(part)
        _put(run, Kind.FILE, number, part, count=len(part))
    return size


def _even(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield parts of one length, so that a place in the file names its part."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= FILE_PART:
            yield bytes(waiting[:FILE_PART])
            del waiting[:FILE_PART]
    if waiting:
        yield bytes(waiting)


def put_rows(run: UUID, number: int, rows: Sequence[Any]) -> None:
    """Store the rows of one part."""
    _put(run, Kind.ROWS, number, _packed(rows), count=len(rows))


def lines(run: UUID, number: int) -> list[Line]:
    """Return the rows of one part."""
    return [Line(*row) for row in rows(run, Kind.ROWS, number)]


def rows(run: UUID, kind: ImportChunk.Kind, number: int) -> list[Any]:
    unpacked: list[Any] = msgpack.unpackb(
        zlib.decompress(_get(run, kind, number)), strict_map_key=False
    )
    return unpacked


def put_refused(run: UUID, number: int, refused: Sequence[tuple[int | str, Any, str]]) -> None:
    """Store the refused rows of one part in place of those of an earlier look at it."""
    ImportChunk.objects.filter(run_id=run, kind=Kind.REFUSED, number=number).delete()
    if refused:
        _put(run, Kind.REFUSED, number, _packed(refused), count=len(refused))


def refused(run: UUID) -> Iterator[tuple[int | str, Any, str]]:
    """Yield every refused row with the reasons, a part at a time.

    A page's rows are taken when the request, and with it the organisation, is over: so each part is
    opened for the organisation that asked.
    """
    organisation_id = tenancy.current()
    held = ImportChunk.objects.filter(run_id=run, kind=Kind.REFUSED).order_by("number")
    return _refused(organisation_id, run, list(held.values_list("number", flat=True)))


def _refused(
    organisation_id: int, run: UUID, numbers: Iterable[int]
) -> Iterator[tuple[int | str, Any, str]]:
    for number in numbers:
        with tenancy.acting_for(organisation_id):
            part = rows(run, Kind.REFUSED, number)
        yield from ((where, what, reason) for where, what, reason in part)


def drop(run: UUID, *kinds: ImportChunk.Kind) -> None:
    ImportChunk.objects.filter(run_id=run, kind__in=kinds).delete()


def _packed(rows: Sequence[Any]) -> bytes:
    return zlib.compress(msgpack.packb(rows), 1)


def _context(run: UUID, kind: str, number: int) -> Context:
    return Context(tenancy.current(), TABLE, f"{run}:{number}", str(kind))


def _put(run: UUID, kind: ImportChunk.Kind, number: int, plain: bytes, *, count: int) -> None:
    key = keyring.for_organisation(tenancy.current()).writing
    ImportChunk.objects.create(
        organisation_id=tenancy.current(),
        run_id=run,
        kind=kind,
        number=number,
        count=count,
        payload=seal(key, plain, context=_context(run, kind, number)),
    )


def _get(run: UUID, kind: ImportChunk.Kind, number: int) -> bytes:
    held = ImportChunk.objects.filter(run_id=run, kind=kind, number=number)
    sealed = held.values_list("payload", flat=True).get()
    keys = keyring.for_organisation(tenancy.current())
    return unseal(keys, bytes(sealed), context=_context(run, kind, number))


class SealedFile(io.RawIOBase):
    """A stretch of what is stored as a file to read and seek in; holds one opened part."""

    def __init__(self, run: UUID, start: int, size: int) -> None:
        self.run, self.start, self.size, self.at = run, start, size, 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = max(0, start + offset)
        return self.at

    def readinto(self, buffer: Any) -> int:
        if self.at >= self.size:
            return 0
        number, place = divmod(self.start + self.at, FILE_PART)
        if self._held[0] != number:
            self._held = number, _get(self.run, Kind.FILE, number)
        part = self._held[1][place : place + min(len(buffer), self.size - self.at)]
        buffer[: len(part)] = part
        self.at += len(part)
        return len(part)


def opened(run: UUID, start: int, size: int) -> io.BufferedReader:
    """Return the stored file, or a stretch of it, opened."""
    return io.BufferedReader(SealedFile(run, start, size), 1 << 16)
