"""Files on their way in: never on a disk in the clear.

One that a machine sends is kept in memory. Linux gives memory a path, by which it can be read as
often as needed. What a browser sends is spooled in sealed parts, so that memory need not hold it.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from marketing.intake.spool import SealedSpool

LARGEST = 256 * 1024 * 1024
"""Bytes kept in memory. Larger files go through `manage.py`, which reads them where they lie."""
LARGEST_UPLOAD = 512 * 1024 * 1024
"""Bytes of the files of one form, together."""


class TooLarge(ValueError):
    """The file is over the limit."""


def opened() -> int:
    """Return a descriptor of an empty file without a name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("arriving", os.MFD_CLOEXEC)
    descriptor, path = tempfile.mkstemp()
    os.unlink(path)
    return descriptor


def path_of(descriptor: int) -> Path:
    """Return the path by which this process can open the file again."""
    return Path("/dev/fd") / str(descriptor)


@contextmanager
def held(chunks: Iterable[bytes], *, limit: int = LARGEST) -> Iterator[Path]:
    """Hold the chunks as a file while the work inside runs."""
    descriptor = opened()
    try:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge
            _write(descriptor, chunk)
        yield path_of(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class SealedUpload(FileUploadHandler):
    """Django's upload handler for every form: its own would write large files to a disk readably.

    Nobody but staff who gave both factors can bring one, and a request's files are kept up to one
    byte over the limit: enough for the form to tell that they are too large.
    """

    taken = 0
    """Bytes kept of this request's files, together."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        session = getattr(self.request, "staff_session", None)
        if session is None or not session.is_complete:
            raise SkipFile
        self.kept = SealedSpool()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        part = raw_data[: max(0, LARGEST_UPLOAD + 1 - self.taken)]
        self.taken += len(part)
        self.kept.write(part)

    def file_complete(self, file_size: int) -> UploadedFile:
        self.kept.seek(0)
        return UploadedFile(
            file=io.BufferedReader(self.kept, 1 << 16),
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
        )
