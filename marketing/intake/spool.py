"""A file on its way, in sealed parts: what does not fit a little memory lies on disk unreadable.

The key lives as long as the object, in this process alone; the file on disk has no name. Each part
has its own number as nonce, which is good because each key seals each number once.
"""

from __future__ import annotations

import io
import os
import tempfile
from typing import IO, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PART = 1 << 20
_SEALED = PART + 16


class SealedSpool(io.RawIOBase):
    """Written from its beginning to its end, then read from anywhere."""

    def __init__(self) -> None:
        self._cipher = AESGCM(os.urandom(32))
        self._file: IO[bytes] | None = None
        self._parts = 0
        self._rest = bytearray()
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    @property
    def size(self) -> int:
        return self._parts * PART + len(self._rest)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, given: Any) -> int:
        self._rest += given
        while len(self._rest) > PART:
            self._put_away(bytes(self._rest[:PART]))
            del self._rest[:PART]
        return len(given)

    def _put_away(self, part: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        self._file.seek(self._parts * _SEALED)
        self._file.write(self._cipher.encrypt(_nonce(self._parts), part, None))
        self._parts += 1

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        number, place = divmod(self._at, PART)
        found = self._part(number)[place : place + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _part(self, number: int) -> bytes:
        if number >= self._parts:
            return bytes(self._rest) if number == self._parts else b""
        if self._held[0] != number:
            assert self._file is not None
            self._file.seek(number * _SEALED)
            sealed = self._file.read(_SEALED)
            self._held = number, self._cipher.decrypt(_nonce(number), sealed, None)
        return self._held[1]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
