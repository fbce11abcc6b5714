"""Take a file in: measure it on its way, keep it sealed, and leave it to the loop to be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.db import transaction

from audit import trail
from audit.actor import current
from contacts import identity
from contacts.importing import chunks, sheets
from contacts.importing.broken import FileBroken
from contacts.importing.models import ImportJob
from contacts.models import ImportRun
from crypto.ids import uuid7

MAX_BYTES = 512 * 1024**2
KEPT = timedelta(days=7)
"""A file that waits, and the refused rows of one that is done, are deleted after this."""


class TooLarge(FileBroken):
    """The file has more bytes than are taken."""


def accept(
    parts: Iterable[bytes],
    *,
    source: str,
    now: datetime,
    most: int = MAX_BYTES,
    form: str = "",
    **more: Any,
) -> ImportRun:
    """Keep a file, sealed, to be read by the loop; `more` is what `_queue` takes.

    `most` is how many bytes it may have; `form` what it is, where that is known.
    Raises FileBroken for a file that is too large or plainly something else, and keeps nothing.
    """
    source = identity.source_form(source)
    measured = _Measured(parts, most)
    with transaction.atomic():
        run = _record(form or measured.form, source, now=now)
        size = chunks.write_file(run.pk, measured)
        ImportRun.objects.filter(pk=run.pk).update(sha256=measured.digest())
        _queue(run, size, now=now, **more)
        trail.record("import.started", subject=f"import:{run.pk}", detail={"format": run.form})
    run.refresh_from_db(fields=["sha256"])
    return run


def _record(form: str, source: str, *, now: datetime) -> ImportRun:
    actor = current()
    return ImportRun.objects.create(
        id=uuid7(now=now),
        form=form,
        source=source,
        state=ImportRun.State.READING,
        actor=f"{actor.kind}:{actor.id}",
        started_at=now,
    )


def _queue(
    run: ImportRun,
    size: int,
    *,
    name: str,
    now: datetime,
    after: ImportJob.After = ImportJob.After.WAIT,
    strict: bool = False,
    choice: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
) -> None:
    """Leave the work of a run to the loop.

    `choice` says what a person would choose later; `reading` how the file is to be read, as far as
    that is known.
    """
    ImportJob.objects.create(
        run=run,
        name=name[:255],
        size=size,
        reading=dict(reading or {}),
        header=[],
        samples=[],
        mapping=dict(choice or {}),
        after=after,
        strict=strict,
        keep_until=now + KEPT,
    )


class _Measured:
    """Passes parts on, hashing them, and stops at the limit."""

    def __init__(self, parts: Iterable[bytes], most: int) -> None:
        self._parts, self._most = iter(parts), most
        self._start = b""
        while len(self._start) < sheets.SCANNED and (part := next(self._parts, b"")):
            self._start += part
        self._hash = hashlib.sha256()
        self.form = sheets.form_of(self._start)

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in chain([self._start], self._parts):
            size += len(part)
            if size > self._most:
                raise TooLarge(f"the file is larger than {self._most >> 20} MB; split it")
            self._hash.update(part)
            yield part
        if not size:
            raise FileBroken("the file is empty")

    def digest(self) -> bytes:
        return self._hash.digest()
