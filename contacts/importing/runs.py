"""The record of an import: what came, who brought it, what became of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from audit import trail
from audit.actor import current
from contacts.models import ImportProblem, ImportRun
from contacts.records import Outcome
from crypto.ids import uuid7

MOST_PROBLEMS = 100
State = ImportRun.State


class Problem(NamedTuple):
    """One thing wrong with a file: its place and what to do; never a value."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(slots=True)
class Tally:
    """What has been read and stored so far."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    ignored: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.created += outcome.created
        self.updated += outcome.updated
        self.unchanged += outcome.unchanged


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an import; nothing was written unless `state` is done."""

    state: ImportRun.State
    tally: Tally
    problems: Sequence[Problem] = ()
    run: UUID | None = None


def digest(paths: Iterable[Path]) -> bytes:
    """Return the SHA-256 of the files, one after the other."""
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                whole.update(chunk)
    return whole.digest()


def new_id(*, now: datetime) -> UUID:
    return uuid7(now=now)


def finished(
    run: UUID, report: Report, *, form: str, source: str, sha256: bytes, now: datetime
) -> Report:
    """Write the run, its problems and its trail entry; return the report with the run's id."""
    actor, tally = current(), report.tally
    with transaction.atomic():
        row = ImportRun.objects.create(
            id=run,
            form=form,
            source=source,
            sha256=sha256,
            state=report.state,
            actor=f"{actor.kind}:{actor.id}",
            started_at=now,
            finished_at=now,
            read=tally.read,
            created=tally.created,
            updated=tally.updated,
            unchanged=tally.unchanged,
            ignored=dict(tally.ignored),
        )
        ImportProblem.objects.bulk_create(
            ImportProblem(run=row, place=p.place[:300], message=p.message[:500])
            for p in report.problems
        )
        _record(run, report, form)
    return Report(report.state, tally, report.problems, run)


def _record(run: UUID, report: Report, form: str) -> None:
    if report.state == State.REFUSED:
        trail.record(
            "import.refused",
            subject=f"import:{run}",
            detail={"problems": len(report.problems), "format": form},
        )
        return
    tally = report.tally
    trail.record(
        "import.finished",
        subject=f"import:{run}",
        outcome="done" if report.state == State.DONE else "checked",
        detail={
            "created": tally.created,
            "updated": tally.updated,
            "unchanged": tally.unchanged,
            "problems": len(report.problems),
        },
    )
