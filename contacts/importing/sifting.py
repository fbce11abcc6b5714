"""A part of a file, sifted: what can be stored, as changes, and what is refused, with the reasons.

What a part holds depends on the form of its file. Rows of tables are known here; another form
registers what is done with it, for this floor knows nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple, Protocol

from contacts import identity
from contacts.importing import chunks, mapping
from contacts.importing.chunks import Line
from contacts.importing.mapping import Reader
from contacts.importing.models import ImportJob
from contacts.records import Change


class Refused(NamedTuple):
    """Something that stays out: where it stands, as it came, and what is wrong with it."""

    where: int | str
    what: Any
    reason: str

    @property
    def place(self) -> str:
        return f"line {self.where}" if isinstance(self.where, int) else self.where


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """What a part says.

    Where a part may not create, `behind` has for each change what is refused if nobody is known by
    its number. `names` are further numbers by which later parts of the file may speak of the
    people of this one. `more` says that the parts must be gone through once again, for what is
    about people who come elsewhere.
    """

    read: int
    changes: Sequence[Change]
    refused: list[Refused]
    may_create: bool = True
    behind: Sequence[Sequence[Refused]] = ()
    names: Sequence[identity.Number] = ()
    ignored: Counter[str] = field(default_factory=Counter)
    more: bool = False

    def only(self, known: Sequence[bool]) -> Sifted:
        """Return the part with the changes for people who are not known among the refused."""
        out = [
            one for behind, ok in zip(self.behind, known, strict=True) if not ok for one in behind
        ]
        kept = [change for change, ok in zip(self.changes, known, strict=True) if ok]
        return replace(self, changes=kept, behind=(), refused=[*self.refused, *dict.fromkeys(out)])


Keep = Callable[[int, Sequence[Any]], None]
"""Stores a part's rows under its number and prolongs the lease of who reads."""


class Download(NamedTuple):
    """The refused of an import, to be mended and brought again."""

    ending: str
    content_type: str
    parts: Iterator[bytes]


class Form(Protocol):
    """What is done with files of one form."""

    def stage(self, job: ImportJob, opened: Callable[[int, int], BinaryIO], keep: Keep) -> None:
        """Read the kept file into parts. `opened` takes a place in it and a length."""

    def sift(self, job: ImportJob, number: int, *, now: datetime) -> Sifted:
        """Return what this part of the job says."""

    def download(self, refused: Iterator[Refused]) -> Download: ...


_forms: dict[str, Form] = {}


def register(name: str, form: Form) -> None:
    _forms[name] = form


def form_of(job: ImportJob) -> Form | None:
    """Return what is done with the job's file; None where it is a table."""
    return _forms.get(job.run.form)


def sift(job: ImportJob, number: int, *, now: datetime) -> Sifted:
    """Return what this part of the job says; writes nothing."""
    form = form_of(job)
    return form.sift(job, number, now=now) if form else _table(job, number)


def _table(job: ImportJob, number: int) -> Sifted:
    lines = chunks.lines(job.pk, number)
    reader = Reader(mapping.unpacked(job.mapping), source=job.run.source)
    changes, refused = _sifted(lines, reader)
    return Sifted(read=len(lines), changes=changes, refused=refused)


def _sifted(lines: Sequence[Line], reader: Reader) -> tuple[list[Change], list[Refused]]:
    changes: list[Change] = []
    refused: list[Refused] = []
    for line in lines:
        taken = reader.taken(line)
        if isinstance(taken, str):
            refused.append(Refused(line.number, line.cells, taken))
        else:
            changes.append(taken)
    return changes, refused
