"""The dry run: every row is read by the mapping and held against what is known; nobody is written.

It counts the new, the changed, the unchanged and the refused, and keeps the refused rows with their
reasons. A record number that comes twice in the file is one person: what the check has met lies in
rows of its own, so that a file of any length needs no memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from accounts import tenancy
from audit import trail
from contacts import identity, records
from contacts.importing import chunks, jobs, mapping
from contacts.importing.chunks import Line
from contacts.importing.jobs import After, State
from contacts.importing.mapping import Reader
from contacts.importing.models import ImportJob
from contacts.models import ImportProblem, ImportRun
from contacts.records import Change
from crypto.rows import insert_rows_returning

MOST_PROBLEMS = 100
Refused = list[tuple[int, list[str], str]]


def step(job: ImportJob, now: datetime) -> None:
    """Check one part; after the last, say what the import would do."""
    if job.next_chunk < job.chunks:
        _check_part(job, now)
        job.next_chunk += 1
        job.save(update_fields=["next_chunk", "foreseen"])
    if job.next_chunk >= job.chunks:
        _finish(job, now)


def sifted(lines: Sequence[Line], reader: Reader) -> tuple[list[Change], Refused]:
    """Return the rows that can be stored, as changes, and the others with what is wrong."""
    changes: list[Change] = []
    refused: Refused = []
    for line in lines:
        taken = reader.taken(line)
        if isinstance(taken, str):
            refused.append((line.number, line.cells, taken))
        else:
            changes.append(taken)
    return changes, refused


def reader_of(job: ImportJob) -> Reader:
    return Reader(mapping.unpacked(job.mapping), source=job.run.source)


def _check_part(job: ImportJob, now: datetime) -> None:
    lines = chunks.lines(job.pk, job.next_chunk)
    changes, refused = sifted(lines, reader_of(job))
    outcome = records.foresee(changes, now=now)
    first = _first_met(job, changes, outcome.contact_ids)
    counted = Counter(job.foreseen)
    counted.update(
        read=len(lines),
        refused=len(refused),
        new=first.new,
        changed=outcome.updated,
        unchanged=outcome.unchanged,
        repeated=len(changes) - first.people,
        short_codes=_short_codes(changes),
    )
    job.foreseen = dict(counted)
    chunks.put_refused(job.pk, job.next_chunk, refused)
    _tell(job, refused, so_far=counted["refused"] - len(refused))


class _Met(NamedTuple):
    """How many people a part brings for the first time, and how many of them nobody knows."""

    people: int
    new: int


def _first_met(job: ImportJob, changes: Sequence[Change], known: Sequence[int | None]) -> _Met:
    organisation_id = tenancy.current()
    numbers = [(change.source, change.record_number) for change in changes]
    tokens = dict(zip(identity.tokens(organisation_id, numbers), known, strict=True))
    met = insert_rows_returning(
        "contacts_importseen",
        ("run_id", "organisation_id", "token"),
        ("uuid", "int4", "bytea"),
        ((job.pk, organisation_id, token) for token in tokens),
        after="ON CONFLICT DO NOTHING RETURNING token",
    )
    return _Met(len(met), sum(tokens[bytes(token)] is None for (token,) in met))


def _short_codes(changes: Sequence[Change]) -> int:
    """Count postal codes of the United States that have lost a leading zero on their way."""
    return sum(
        1
        for change in changes
        if isinstance(code := change.values.get("postal_code"), str)
        and code.isdigit()
        and len(code) in (3, 4)
        and str(change.values.get("country", "US")).upper() in ("US", "USA", "UNITED STATES")
    )


def _tell(job: ImportJob, refused: Refused, *, so_far: int) -> None:
    """Keep the first problems by line; they name places and rules, never a cell."""
    room = max(0, MOST_PROBLEMS - so_far)
    ImportProblem.objects.bulk_create(
        ImportProblem(run_id=job.pk, place=f"line {line}", message=reason[:500])
        for line, _, reason in refused[:room]
    )


def _finish(job: ImportJob, now: datetime) -> None:
    refused = job.foreseen.get("refused", 0)
    runs = ImportRun.objects.filter(pk=job.pk, state=State.CHECKING)
    jobs.forget_check(job.pk)
    counts: dict[str, Any] = {"read": job.foreseen.get("read", 0), "refused": refused}
    if refused and (job.strict or refused == job.rows):
        runs.update(state=State.REFUSED, finished_at=now, ignored=ignored(job), **counts)
        jobs.delete_file(job.pk)
        _record(job, "import.refused", {"problems": refused, "format": job.run.form})
        return
    goes_on = job.after == After.RUN
    counts["ignored"] = ignored(job)
    runs.update(state=State.CHECKED, **counts)
    if goes_on:
        jobs.begin(job.pk)
    else:
        detail = {name: job.foreseen.get(name, 0) for name in ("new", "changed", "unchanged")}
        _record(job, "import.checked", {**detail, "problems": refused})


def ignored(job: ImportJob) -> dict[str, int]:
    """Return the columns that are read past, by their letters: a title may be a value."""
    read = {column.place for column in mapping.unpacked(job.mapping).columns}
    return {
        f"column {mapping.letter(place)}": 1
        for place in range(len(job.header))
        if place not in read
    }


def _record(job: ImportJob, action: str, detail: dict[str, Any]) -> None:
    trail.record(action, subject=jobs.subject(job.pk), detail=detail)
