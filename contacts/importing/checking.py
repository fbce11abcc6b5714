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
from contacts.importing import cells, chunks, heads, jobs, mapping, sifting
from contacts.importing.jobs import After, State
from contacts.importing.models import ImportJob, ImportSeen
from contacts.importing.sifting import Refused, Sifted
from contacts.models import ImportProblem, ImportRun
from contacts.records import Change
from crypto.rows import insert_rows, insert_rows_returning

MOST_PROBLEMS = 100
_SEEN = "contacts_importseen"
_COLUMNS, _TYPES = ("run_id", "organisation_id", "token"), ("uuid", "int4", "bytea")


def ready(job: ImportJob, number: int, now: datetime) -> Sifted:
    """Return what this part says; others may be checked meanwhile."""
    return sifting.sift(job, number, now=now)


def step(job: ImportJob, part: Sifted | None, now: datetime) -> None:
    """Check the next part; after the last, say what the import would do."""
    if part is not None:
        _check_part(job, part, now)
        job.next_chunk += 1
        job.save(update_fields=["next_chunk", "chunks", "foreseen"])
    if job.next_chunk >= job.chunks:
        _finish(job, now)


def _check_part(job: ImportJob, part: Sifted, now: datetime) -> None:
    outcome = records.foresee(part.changes, now=now)
    first = _Met(0, 0)
    if part.may_create:
        first = _first_met(job, part.changes, outcome.contact_ids)
        _remember(job, part.names)
    else:
        part = part.only(_known(job, part.changes, outcome.contact_ids))
    counted = Counter(job.foreseen)
    so_far = counted["refused"]
    counted.update(
        read=part.read,
        refused=len(part.refused),
        new=first.new,
        changed=outcome.updated,
        unchanged=outcome.unchanged,
        repeated=len(part.changes) - first.people if part.may_create else 0,
        short_codes=_short_codes(part.changes),
        placeholders=_placeholders(part.changes),
    )
    job.foreseen = dict(counted)
    _count_ignored(job, part.ignored)
    if part.more and job.chunks == job.reading["parts"]:
        job.chunks *= 2
    chunks.put_refused(job.pk, job.next_chunk, part.refused)
    _tell(job, part.refused, so_far=so_far)


class _Met(NamedTuple):
    """How many people a part brings for the first time, and how many of them nobody knows."""

    people: int
    new: int


def _first_met(job: ImportJob, changes: Sequence[Change], known: Sequence[int | None]) -> _Met:
    organisation_id = tenancy.current()
    numbers = [(change.source, change.record_number) for change in changes]
    tokens = dict(zip(identity.tokens(organisation_id, numbers), known, strict=True))
    met = insert_rows_returning(
        _SEEN,
        _COLUMNS,
        _TYPES,
        ((job.pk, organisation_id, token) for token in tokens),
        after="ON CONFLICT DO NOTHING RETURNING token",
    )
    return _Met(len(met), sum(tokens[bytes(token)] is None for (token,) in met))


def _remember(job: ImportJob, names: Sequence[identity.Number]) -> None:
    """Keep by which further numbers later parts may speak of people."""
    organisation_id = tenancy.current()
    insert_rows(
        _SEEN,
        _COLUMNS,
        _TYPES,
        ((job.pk, organisation_id, token) for token in identity.tokens(organisation_id, names)),
        after="ON CONFLICT DO NOTHING",
    )


def _known(job: ImportJob, changes: Sequence[Change], known: Sequence[int | None]) -> list[bool]:
    """Return which changes are for somebody who is known, or has come further up in the file."""
    numbers = [(change.source, change.record_number) for change in changes]
    tokens = identity.tokens(tenancy.current(), numbers)
    seen = ImportSeen.objects.filter(run_id=job.pk, token__in=tokens)
    met = {bytes(token) for token in seen.values_list("token", flat=True)}
    return [one is not None or token in met for one, token in zip(known, tokens, strict=True)]


def _count_ignored(job: ImportJob, ignored: Counter[str]) -> None:
    """Add to what is read past; those are names of kinds, never values."""
    if ignored:
        run = ImportRun.objects.get(pk=job.pk)
        counted = Counter(run.ignored) + ignored
        ImportRun.objects.filter(pk=job.pk).update(ignored=dict(counted))


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


def _placeholders(changes: Sequence[Change]) -> int:
    """Count texts such as N/A, which would come in as they stand."""
    return sum(
        cells.says_nothing(value)
        for change in changes
        for value in change.values.values()
        if value.__class__ is str and len(value) < 12
    )


def _tell(job: ImportJob, refused: Sequence[Refused], *, so_far: int) -> None:
    """Keep the first problems by line; they name places and rules, never a cell."""
    room = max(0, MOST_PROBLEMS - so_far)
    ImportProblem.objects.bulk_create(
        ImportProblem(run_id=job.pk, place=one.place[:300], message=one.reason[:500])
        for one in refused[:room]
    )


def _finish(job: ImportJob, now: datetime) -> None:
    refused = job.foreseen.get("refused", 0)
    counts: dict[str, Any] = {"read": job.foreseen.get("read", 0), "refused": refused}
    if sifting.form_of(job) is None:
        counts["ignored"] = ignored(job)
    runs = ImportRun.objects.filter(pk=job.pk, state=State.CHECKING)
    jobs.forget_check(job.pk)
    if refused and (job.strict or refused == job.rows):
        runs.update(state=State.REFUSED, finished_at=now, **counts)
        jobs.delete_file(job.pk)
        _record(job, "import.refused", {"problems": refused, "format": job.run.form})
        return
    goes_on = job.after == After.RUN
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
        f"column {heads.letter(place)}": 1 for place in range(len(job.header)) if place not in read
    }


def _record(job: ImportJob, action: str, detail: dict[str, Any]) -> None:
    trail.record(action, subject=jobs.subject(job.pk), detail=detail)
