"""Import FHIR files: read and check everything, then store everything in one transaction.

The first pass maps and checks every resource and writes nothing. The second stores the patients;
a third, where a file has resources far from their patient (bulk exports), stores those. Each pass
holds one group of entries in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

from django.db import transaction

from accounts import tenancy
from contacts import matching, records
from contacts.facts import PersonFacts
from contacts.importing import runs, store
from contacts.importing.runs import MOST_PROBLEMS, Problem, Report, State, Tally
from contacts.records import Change, ChangeRefused
from crypto import blind_index
from marketing.intake import fhir, reading
from marketing.intake.fhir import Entry, Mapped

FORM = "fhir"
MAPPING = "fhir-r4/1"
"""Raise the number whenever the mapping gives other values for the same resource (HD-18)."""
SOURCE = "fhir"
GROUP = 2_000
"""Entries taken together; a bundle stays together up to five times as many."""


@dataclass(slots=True)
class _Checked:
    """What the first pass learned."""

    tally: Tally = field(default_factory=Tally)
    problems: list[Problem] = field(default_factory=list)
    patients: set[str] = field(default_factory=set)
    loose: dict[str, str] = field(default_factory=dict)
    """Patients spoken of from elsewhere, and the first place that does."""
    names: dict[str, str] = field(default_factory=dict)


def import_files(
    paths: Sequence[Path],
    *,
    now: datetime,
    source: str = SOURCE,
    email_domain: str = "",
    dry_run: bool = False,
    names: Sequence[str] = (),
) -> Report:
    """Check the files and, unless it is a dry run or anything is wrong, store what they say.

    `source` names the system whose resource ids these are. `email_domain` gives patients without
    an e-mail address one there, made of a keyed hash: for test patients only. `names` are what
    messages call the files, where the paths are not what a person knows them by.
    """
    files = list(zip(paths, names or [path.name for path in paths], strict=True))
    run, sha256 = runs.new_id(now=now), runs.digest(paths)
    checked = _check(files, source=source, now=now)
    if checked.problems:
        report = Report(State.REFUSED, checked.tally, checked.problems[:MOST_PROBLEMS])
    elif dry_run:
        report = Report(State.CHECKED, checked.tally)
    else:
        address = _addresses(email_domain)
        with transaction.atomic():
            _store_all(files, checked, source=source, now=now, run=run, address=address)
            report = Report(State.DONE, checked.tally)
            return runs.finished(run, report, form=FORM, source=source, sha256=sha256, now=now)
    return runs.finished(run, report, form=FORM, source=source, sha256=sha256, now=now)


_Files = Sequence[tuple[Path, str]]
_Address = Callable[[PersonFacts], str | None]


def _check(files: _Files, *, source: str, now: datetime) -> _Checked:
    checked = _Checked()
    try:
        for mapped in _groups(files, checked.names, source=source, now=now):
            _check_group(mapped, checked)
            if len(checked.problems) >= MOST_PROBLEMS:
                return checked
    except reading.FileBroken as broken:
        checked.problems.append(Problem(broken.place, broken.reason))
        return checked
    _check_loose(checked, source)
    if not checked.problems and not checked.tally.read:
        checked.problems.append(Problem(files[0][1], "there is no resource in it"))
    return checked


def _check_group(mapped: Mapped, checked: _Checked) -> None:
    checked.tally.read += mapped.resources
    checked.tally.ignored += mapped.ignored
    checked.problems += (Problem(*problem) for problem in mapped.problems)
    for person in mapped.people:
        if person.whole:
            checked.patients.update(person.references)
        else:
            checked.loose.setdefault(person.references[0], person.place)
        try:
            records.check(_change(person))
        except ChangeRefused as refused:
            checked.problems.append(Problem(person.place, f"{refused.field} {refused.reason}"))


def _check_loose(checked: _Checked, source: str) -> None:
    """Refuse resources about somebody who is neither in the files nor known."""
    elsewhere = [name for name in checked.loose if name not in checked.patients]
    known = matching.ids_by_number([(source, name) for name in elsewhere])
    checked.problems += (
        Problem(checked.loose[name], "its patient is neither in the file nor known; import both")
        for name, contact_id in zip(elsewhere, known, strict=True)
        if contact_id is None
    )


def _store_all(
    files: _Files,
    checked: _Checked,
    *,
    source: str,
    now: datetime,
    run: object,
    address: _Address,
) -> None:
    for whole in (True, False):
        if not whole and not checked.loose:
            return
        for mapped in _groups(files, checked.names, source=source, now=now):
            changes = [
                _change(person, address) for person in mapped.people if person.whole is whole
            ]
            outcome = store.store(changes, now=now, run=run, may_create=whole)  # type: ignore[arg-type]
            checked.tally.add(outcome)


def _groups(
    files: _Files, names: dict[str, str], *, source: str, now: datetime
) -> Iterator[Mapped]:
    everything = chain.from_iterable(reading.entries(path, name=name) for path, name in files)
    for group in _together(everything):
        yield fhir.map_entries(group, source=source, now=now, names=names)


def _together(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    """Group entries by thousands, keeping those of one bundle together where they are not many."""
    group: list[Entry] = []
    for entry in entries:
        is_new = bool(group) and group[-1].bundle != entry.bundle
        if (is_new and len(group) >= GROUP) or len(group) >= 5 * GROUP:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _change(person: PersonFacts, address: _Address | None = None) -> Change:
    (source, number), *also = person.numbers
    values = dict(person.values)
    if address and person.whole and "email" not in values and (made := address(person)):
        values["email"] = made
    return Change(
        source=source,
        record_number=number,
        values=values,
        occurred_at=person.as_of,
        also=tuple(also),
        retracted=person.retracted,
        points=person.points,
        mapping=MAPPING,
        same_as=also[-1] if also and also[-1][1] in person.references else None,
    )


def _addresses(domain: str) -> _Address:
    """Return what makes an address from a keyed hash of the record number."""
    organisation_id = tenancy.current()

    def made(person: PersonFacts) -> str | None:
        if not domain:
            return None
        token = blind_index.token(organisation_id, "test_address", "\x00".join(person.numbers[0]))
        return f"p{token.hex()[:20]}@{domain}"

    return made
