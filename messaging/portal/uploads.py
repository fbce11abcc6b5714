"""Files that a patient sends, kept in memory: never on a disk in the clear, and never many.

Django's handler for every other form takes files from staff alone; this one is set on a request
once the person behind it was let in. More than may come is cut off one byte over the limit, which
is enough to tell that it is too large.
"""

from __future__ import annotations

import io
from typing import Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from messaging.attachments.kinds import LARGEST, LARGEST_TOGETHER

MOST: Final = 10


class PatientUpload(FileUploadHandler):
    """Keeps at most ten files, each and together one byte over what a message may carry."""

    files = 0
    taken = 0
    """Bytes kept of this request's files, together."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.files >= MOST:
            raise SkipFile
        self.files += 1
        self.kept = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        room = min(LARGEST + 1 - self.kept.tell(), LARGEST_TOGETHER + 1 - self.taken)
        part = raw_data[: max(0, room)]
        self.taken += len(part)
        self.kept.write(part)

    def file_complete(self, file_size: int) -> UploadedFile:
        size = self.kept.tell()
        self.kept.seek(0)
        return UploadedFile(
            file=self.kept,
            name=self.file_name,
            content_type=self.content_type,
            size=size,
            charset=self.charset,
        )
