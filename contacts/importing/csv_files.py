"""Import people from CSV: say which column is which field, check the whole file, then store it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from contacts import records
from contacts.fields import FIELDS, FieldType
from contacts.importing import runs
from contacts.importing.csv_reading import CsvBroken, Form, form_of, rows
from contacts.importing.runs import MOST_PROBLEMS, Problem, Report, State, Tally
from contacts.importing.store import store
from contacts.records import Change, ChangeRefused

FORM = "csv"
RECORD_NUMBER = "record_number"
BATCH = 2_000
DATE_ORDERS = {"iso": "%Y-%m-%d", "mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y"}

_GUESSES = {
    RECORD_NUMBER: "mrn id patientid patientnumber medicalrecordnumber recordnumber externalid",
    "given_name": "first firstname givenname forename",
    "family_name": "last lastname familyname surname",
    "prefix": "title salutation",
    "birth_date": "dob dateofbirth birthdate birthday",
    "email": "emailaddress mail",
    "phone": "phonenumber telephone mobile cell cellphone",
    "address_line": "address street address1 streetaddress",
    "postal_code": "zip zipcode postcode postalcode",
    "gender": "sex",
    "language": "preferredlanguage",
    "insurance": "payer insurer",
}
_MEANS = {word: key for key, words in _GUESSES.items() for word in words.split()} | {
    re.sub("[^a-z0-9]", "", key): key for key, field in FIELDS.items() if not field.is_list
}


class Column(NamedTuple):
    """A column that is read: its place, the header's word, and the field."""

    place: int
    title: str
    key: str


def guess(title: str) -> str:
    """Return the field that a header most likely means, or ""."""
    return _MEANS.get(re.sub("[^a-z0-9]", "", title.lower()), "")


def columns(header: Sequence[str], mapping: Mapping[str, str]) -> list[Column]:
    """Return the columns to read. `mapping` goes before the guesses; an empty field skips one."""
    unknown = sorted(set(mapping) - {title.strip() for title in header})
    if unknown:
        raise CsvBroken(f"there is no column {unknown[0]}", 1)
    chosen = [
        Column(place, title.strip(), key)
        for place, title in enumerate(header)
        if (key := mapping.get(title.strip(), guess(title)))
    ]
    keys = [column.key for column in chosen]
    for key in keys:
        _check_field(key, keys.count(key))
    if RECORD_NUMBER not in keys:
        raise CsvBroken(
            "no column is the record number, by which people are known again; name it with"
            " --map COLUMN=record_number",
            1,
        )
    return chosen


def _check_field(key: str, count: int) -> None:
    if key != RECORD_NUMBER and key not in FIELDS:
        raise CsvBroken(f"there is no field {key[:60]}", 1)
    if key != RECORD_NUMBER and (FIELDS[key].is_list or FIELDS[key].derived_from):
        raise CsvBroken(f"the field {key} cannot come from a single column", 1)
    if count > 1:
        raise CsvBroken(f"{count} columns mean {key}; choose one with --map", 1)


def import_file(
    path: Path,
    *,
    source: str,
    now: datetime,
    mapping: Mapping[str, str] | None = None,
    dates: str = "iso",
    dry_run: bool = False,
    name: str = "",
) -> Report:
    """Check the file and, unless it is a dry run or anything is wrong, store its people.

    `source` names the system whose record numbers these are. `dates` says how dates are written:
    iso (1970-12-31), mdy (12/31/1970) or dmy (31/12/1970).
    """
    reading = _Reading(path, name or path.name, source, mapping or {}, DATE_ORDERS[dates])
    run, sha256, tally = runs.new_id(now=now), runs.digest([path]), Tally()
    problems = reading.check(tally)
    if problems:
        report = Report(State.REFUSED, tally, problems)
    elif dry_run:
        report = Report(State.CHECKED, tally)
    else:
        report = Report(State.DONE, tally)
    with transaction.atomic():
        if report.state == State.DONE:
            for batch in _batches(reading.changes()):
                tally.add(store(batch, now=now, run=run))
        return runs.finished(run, report, form=FORM, source=source, sha256=sha256, now=now)


class _Reading:
    """One file being read, twice: to check it, and to store it."""

    def __init__(
        self, path: Path, name: str, source: str, mapping: Mapping[str, str], date_order: str
    ) -> None:
        self.path, self.name, self.source, self.mapping = path, name, source, mapping
        self.date_order = date_order

    def check(self, tally: Tally) -> list[Problem]:
        """Read the whole file and return what is wrong with it."""
        problems: list[Problem] = []
        try:
            for line, chosen, cells in self._read(tally):
                problems += self._check_row(line, chosen, cells)
                tally.read += 1
                if len(problems) >= MOST_PROBLEMS:
                    return problems
        except CsvBroken as broken:
            place = f"{self.name}, line {broken.line}" if broken.line else self.name
            problems.append(Problem(place, broken.reason))
        if not problems and not tally.read:
            problems.append(Problem(self.name, "there is no row below the header"))
        return problems

    def changes(self) -> Iterator[Change]:
        for _, chosen, cells in self._read(Tally()):
            yield self._change(chosen, cells)

    def _read(self, tally: Tally) -> Iterator[tuple[int, list[Column], list[str]]]:
        form: Form = form_of(self.path)
        lines = rows(self.path, form)
        header = next(lines, None)
        if header is None:
            raise CsvBroken("the file is empty")
        chosen = columns(header.cells, self.mapping)
        read = {column.place for column in chosen}
        tally.ignored.update(
            f"column {title.strip() or place + 1}"
            for place, title in enumerate(header.cells)
            if place not in read
        )
        for row in lines:
            yield row.line, chosen, row.cells

    def _check_row(
        self, line: int, chosen: Sequence[Column], cells: Sequence[str]
    ) -> Iterator[Problem]:
        """Check each cell by itself, so that a row tells everything that is wrong with it."""
        number = next(column for column in chosen if column.key == RECORD_NUMBER)
        for column in chosen:
            try:
                alone = [number] if column is number else [number, column]
                records.check(self._change(alone, cells))
            except ChangeRefused as refused:
                if column is number or refused.field != RECORD_NUMBER:
                    place = f"{self.name}, line {line}, column {column.title}"
                    yield Problem(place, refused.reason)

    def _change(self, chosen: Iterable[Column], cells: Sequence[str]) -> Change:
        values = {column.key: self._value(column.key, cells[column.place]) for column in chosen}
        number = values.pop(RECORD_NUMBER) or ""
        return Change(source=self.source, record_number=number, values=values)

    def _value(self, key: str, cell: str) -> str | None:
        """Return the cell as text; only a date that is written another way is rewritten."""
        text = cell.strip()
        field = FIELDS.get(key)
        if text and field and field.type is FieldType.DATE:
            try:
                return datetime.strptime(text, self.date_order).date().isoformat()  # noqa: DTZ007
            except ValueError:
                return text if text[:4].isdigit() else "not a date"
        return text or None


def _batches(changes: Iterator[Change]) -> Iterator[list[Change]]:
    while batch := list(islice(changes, BATCH)):
        yield batch
