"""A file that cannot be read as it looks: it is kept, and a person says how else to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO
from uuid import UUID

from django.db import transaction

from contacts.importing import chunks, encodings, jobs
from contacts.importing.broken import FileBroken
from contacts.importing.csv_form import DELIMITERS
from contacts.importing.models import ImportChunk, ImportJob
from contacts.importing.sheets import Reading
from contacts.models import ImportProblem, ImportRun

State = ImportRun.State
LETTERS = 40
OFFERED = 8
DEEPEST = 1_000
HOW = (
    " (by command: --encoding, --delimiter, --header-line, --sheet; by the API: encoding,"
    " delimiter, head, sheet)"
)


class ReadingInvalid(ValueError):
    """A file cannot be read so: there is no such encoding, delimiter or line."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.name, self.reason = name, reason


def checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said of how a file is written, without blanks. Raises ReadingInvalid."""
    given = {name: value for name, value in said.items() if value not in (None, "")}
    if given.get("encoding", "utf-8-sig") not in encodings.ENCODINGS:
        raise ReadingInvalid("encoding", f"must be one of {', '.join(encodings.ENCODINGS)}")
    given |= {"delimiter": "\t"} if given.get("delimiter") in ("tab", "\\t") else {}
    if given.get("delimiter", ",") not in DELIMITERS:
        raise ReadingInvalid("delimiter", "must be tab or one of , ; | ^ ~")
    if "head" in given:
        given["head"] = _line(given["head"])
    return given


def _line(head: object) -> int:
    if not str(head).isdecimal() or int(str(head)) > DEEPEST:
        raise ReadingInvalid("head", f"must be a line from 1 to {DEEPEST}, or 0 without a header")
    return int(str(head))


def ask(job: ImportJob, broken: FileBroken, file: BinaryIO) -> None:
    """Keep the file, and what is wrong with the reading, until a person says more."""
    with transaction.atomic():
        if not ImportRun.objects.filter(pk=job.pk, state=State.READING).update(state=State.MAPPING):
            return
        chunks.drop(job.pk, ImportChunk.Kind.ROWS)
        said = {
            name: job.reading[name]
            for name in ("encoding", "delimiter", "head", "sheet")
            if name in job.reading
        }
        offered = _offered(file) if broken.letters else []
        known = {"sheet": broken.sheets[0], "sheets": broken.sheets} if broken.sheets else {}
        reading = Reading(**{**known, **said}, trouble=str(broken), letters=offered)
        job.reading, job.header, job.samples = reading.packed(), [], []
        job.rows = job.chunks = job.next_chunk = 0
        job.holder = job.leased_until = None
        job.save()
        ImportProblem.objects.create(
            run_id=job.pk, place=broken.place[:300], message=broken.reason[:500]
        )


def _offered(file: BinaryIO) -> list[tuple[str, str]]:
    """Return the likeliest encodings, each with the letters that it gives, no two alike."""
    found = encodings.words(file)
    offered: dict[str, str] = {}
    for name in encodings.likeliest(found):
        letters = sorted({one for word in found for one in word.decode(name) if not one.isascii()})
        offered.setdefault(" ".join(letters[:LETTERS]), name)
    return [(name, letters) for letters, name in offered.items()][:OFFERED]


def read_again(run: UUID, said: Mapping[str, Any]) -> None:
    """Read the kept file another way: another encoding, delimiter, sheet or header.

    What is not said is found by looking. Raises ReadingInvalid, or NotNow where it is too late.
    """
    given = checked(said)
    with transaction.atomic():
        jobs.move(run, (State.MAPPING, State.CHECKED), State.READING)
        job = ImportJob.objects.select_for_update().get(pk=run)
        job.reading, job.mapping = given, {}
        job.rows = job.chunks = job.next_chunk = 0
        job.save()
        chunks.drop(run, ImportChunk.Kind.ROWS, ImportChunk.Kind.REFUSED)
        ImportProblem.objects.filter(run_id=run).delete()
