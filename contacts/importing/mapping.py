"""What the columns of a file mean: guessed from their headers, chosen by a person, kept by source.

A blank cell leaves what is known as it is, unless its column says that blanks clear; a cell that
holds the clear marker always clears.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from contacts import registry
from contacts.canonical import ValueRefused
from contacts.changes import Cleaner
from contacts.facts import CLEAR
from contacts.fields import Field, FieldType
from contacts.importing import cells as written
from contacts.importing import dates
from contacts.importing.chunks import Line
from contacts.importing.heads import letter, width_of_theirs
from contacts.records import Change, ChangeRefused

RECORD_NUMBER = "record_number"

_GUESSES = {
    RECORD_NUMBER: "mrn id patientid patientnumber medicalrecordnumber medrecno medrec recordnumber"
    " recordno externalid personid chartnumber chartno accountnumber acctno custno customerid"
    " memberid contactid patnr patientennummer nip",
    "given_name": "first firstname givenname forename fname vorname prenom nombre patientfirstname",
    "family_name": "last lastname familyname surname lname nachname nom apellido apellidos"
    " patientlastname",
    "prefix": "title salutation anrede",
    "birth_date": "dob dateofbirth birthdate birthday bday geburtsdatum datedenaissance"
    " fechadenacimiento patientdob birthdt",
    "deceased_at": "dateofdeath dod deathdate",
    "email": "emailaddress mail emailaddr primaryemail correo courriel",
    "phone": "phonenumber telephone mobile cell cellphone mobilephone homephone primaryphone tel"
    " phoneno telefon telefono handy",
    "address_line": "address street address1 streetaddress addressline1 addr1 addr strasse adresse"
    " direccion",
    "city": "town cityname ort ville ciudad",
    "state": "province stateprovince st region",
    "postal_code": "zip zipcode postcode postalcode zip5 plz codepostal codigopostal",
    "country": "countrycode land pays pais",
    "time_zone": "timezone tz zoneinfo zeitzone fuseauhoraire zonahoraria",
    "gender": "sex geschlecht sexe sexo gendercode",
    "language": "preferredlanguage lang sprache langue idioma",
    "insurance": "payer insurer insurancename carrier primaryinsurance",
    "plan": "planname insuranceplan healthplan",
    "marital_status": "maritalstatus marital",
}
_MEANS = {word: key for key, words in _GUESSES.items() for word in words.split()}


class MappingInvalid(ValueError):
    """The mapping cannot be used. Says what to do; names columns by their letters."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is read. `title` is the header's word, for people only."""

    place: int
    title: str
    key: str
    blank_clears: bool = False

    @property
    def letter(self) -> str:
        return letter(self.place)

    @property
    def where(self) -> str:
        """Name the column without the header's word, which may be a value where there is none."""
        return f"column {self.letter} ({self.key})"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What every column means, and how dates, numbers and clears are written."""

    columns: tuple[Column, ...]
    dates: str = ""
    comma: bool = False
    marker: str = ""
    source: str = field(default="", compare=False)

    def packed(self) -> dict[str, Any]:
        return asdict(self)


def unpacked(packed: Mapping[str, Any]) -> Meaning:
    columns = tuple(Column(**column) for column in packed["columns"])
    return Meaning(**{**packed, "columns": columns})


def fields() -> dict[str, Field]:
    """Return the fields that a single column can hold."""
    return {
        key: one
        for key, one in registry.current().items()
        if not (one.is_list or one.derived_from or one.archived)
    }


def spelling(title: str) -> str:
    return re.sub(r"[\W_]", "", title.casefold())


def _named(header: Sequence[str]) -> list[tuple[str, str]]:
    """Return each title with the name by which it is kept: the second of two alike has its own.

    What the download of refused rows put behind the file's own columns is none of them.
    """
    theirs = header[: width_of_theirs(header)]
    names, met = [], Counter[str]()
    for title in theirs:
        word = spelling(title)
        met[word] += 1
        names.append((title, f"{word}#{met[word]}" if word and met[word] > 1 else word))
    return names


def guess(title: str, known: Mapping[str, Field]) -> str:
    """Return the field that a header most likely means, or ""."""
    word = spelling(title)
    by_name = {spelling(key): key for key in known} | {
        spelling(one.label): key for key, one in known.items()
    }
    found = _MEANS.get(word) or by_name.get(word, "")
    return found if found == RECORD_NUMBER or found in known else ""


def guessed(
    header: Sequence[str], samples: Sequence[Sequence[str]], saved: Mapping[str, Any] | None = None
) -> Meaning:
    """Return what the file most likely means; what was saved for its source goes first."""
    kept = (saved or {}).get("columns", {})
    columns, taken, known = [], set[str](), fields()
    for place, (title, name) in enumerate(_named(header)):
        said = kept.get(name)
        key = said["key"] if said is not None else guess(title, known)
        if key and key not in taken and (key == RECORD_NUMBER or key in known):
            taken.add(key)
            columns.append(Column(place, title.strip(), key, bool(said and said["blank_clears"])))
    days = [c.place for c in columns if c.key in known and known[c.key].type in _DAYS]
    saved = saved or {}
    form = dates.guess(_texts(days, samples)) if days else dates.ISO
    return Meaning(
        tuple(columns),
        form or saved.get("dates", ""),
        saved.get("comma", False),
        saved.get("marker", ""),
    )


_DAYS = (FieldType.DATE, FieldType.DATETIME)


def _texts(places: Sequence[int], samples: Sequence[Sequence[str]]) -> Iterable[str]:
    return (
        text
        for cells in samples
        for place in places
        if place < len(cells) and (text := cells[place].strip())
    )


def kept(mapping: Meaning, header: Sequence[str]) -> dict[str, Any]:
    """Return what is worth keeping for the next file of the source; skipped columns too."""
    by_place = {column.place: column for column in mapping.columns}
    return {
        "columns": {
            name: {
                "key": by_place[place].key if place in by_place else "",
                "blank_clears": place in by_place and by_place[place].blank_clears,
            }
            for place, (_, name) in enumerate(_named(header))
            if name
        },
        "dates": mapping.dates,
        "comma": mapping.comma,
        "marker": mapping.marker,
    }


def check(mapping: Meaning) -> None:
    """Raise MappingInvalid unless the mapping can be used."""
    keys = [column.key for column in mapping.columns]
    known = fields()
    for column in mapping.columns:
        if column.key != RECORD_NUMBER and column.key not in known:
            raise MappingInvalid(f"{column.key[:60]} is no field that a single column can hold")
        if keys.count(column.key) > 1:
            raise MappingInvalid(f"{keys.count(column.key)} columns mean {column.key}; choose one")
    if RECORD_NUMBER not in keys:
        raise MappingInvalid(
            "no column is the record number, by which people are known again; choose it"
            " (by command: --map COLUMN=record_number)"
        )
    has_days = any(key in known and known[key].type in _DAYS for key in keys)
    if has_days and mapping.dates not in dates.ORDERS:
        raise MappingInvalid("the dates can be read in more than one way; say how they are written")


Convert = Callable[[str], Any]


class Reader:
    """Turns rows into changes by one mapping; made once for many rows.

    Make it inside the transaction that stores the changes: until that ends, no field changes.
    """

    def __init__(self, mapping: Meaning, *, source: str) -> None:
        self.mapping, self.source = mapping, source
        self.fields = registry.held([dict.fromkeys(_held_keys(mapping))])
        self.cleaner = Cleaner(self.fields)
        number = next(c for c in mapping.columns if c.key == RECORD_NUMBER)
        self.number = number
        self.markers = written.markers(mapping.marker)
        self.others = [
            (column.place, column.key, self._convert(column.key), column.blank_clears)
            for column in mapping.columns
            if column is not number
        ]

    def change(self, cells: Sequence[str]) -> Change:
        """Return the row as a change in canonical form, or raise ChangeRefused."""
        values: dict[str, Any] = {}
        for place, key, convert, blank_clears in self.others:
            text = cells[place].strip()
            if text in self.markers or (not text and blank_clears):
                values[key] = CLEAR
            elif text:
                values[key] = convert(text)
        number = _digits_kept(RECORD_NUMBER, cells[self.number.place].strip())
        return self.cleaner.clean(Change(source=self.source, record_number=number, values=values))

    def taken(self, line: Line) -> Change | str:
        """Return the row's change, or in words everything that is wrong with the row."""
        if line.problem:
            return line.problem
        try:
            return self.change(line.cells)
        except (ChangeRefused, ValueRefused):
            return "; ".join(self._faults(line.cells))

    def _faults(self, cells: Sequence[str]) -> Iterable[str]:
        """Check each cell by itself, so that a row tells everything that is wrong with it."""
        if (alone := self._alone([], cells)) is not None:
            yield f"{self.number.where}: {alone}"
        sound = list(cells)
        sound[self.number.place] = "1"
        for column, other in zip(
            (c for c in self.mapping.columns if c is not self.number), self.others, strict=True
        ):
            if (alone := self._alone([other], sound)) is not None:
                yield f"{column.where}: {alone}"

    def _alone(self, others: list[Any], cells: Sequence[str]) -> str | None:
        reader = object.__new__(Reader)
        reader.mapping, reader.source, reader.number = self.mapping, self.source, self.number
        reader.markers = self.markers
        reader.others, reader.fields, reader.cleaner = others, self.fields, self.cleaner
        try:
            reader.change(cells)
        except (ChangeRefused, ValueRefused) as refused:
            return refused.reason
        return None

    def _convert(self, key: str) -> Convert:
        field_ = self.fields.get(key)
        if field_ is None:  # deleted since the mapping was chosen; `clean` refuses it in words
            return _as_it_is
        if field_.type in _DAYS:
            return lambda text: self._day(field_, text)
        if key in _DIGITS:
            return lambda text: _digits_kept(key, text)
        if field_.type is FieldType.BOOLEAN:
            return written.answer
        if field_.type in (FieldType.NUMBER, FieldType.DECIMAL) and self.mapping.comma:
            return lambda text: dates.number(text, comma=True)
        return _several if field_.type is FieldType.CHOICES else _as_it_is

    def _day(self, field_: Field, text: str) -> str:
        if field_.type is FieldType.DATETIME and ("T" in text or ":" in text) and text[4:5] == "-":
            return text
        try:
            return dates.day(text, self.mapping.dates)
        except dates.NotADay:
            reason = dates.why_not(text, self.mapping.dates or dates.ISO)
            raise ValueRefused(field_.key, reason) from None


_DIGITS = ("phone", "postal_code")


def _digits_kept(key: str, text: str) -> str:
    if written.has_lost_digits(text):
        raise ValueRefused(key, written.LOST_DIGITS)
    return text


def _as_it_is(text: str) -> str:
    return text


def _several(text: str) -> list[str]:
    """Return the choices of a cell, divided by semicolons or bars."""
    return [part for word in re.split(r"[;|]", text) if (part := word.strip())]


def _held_keys(mapping: Meaning) -> list[str]:
    return [column.key for column in mapping.columns if column.key != RECORD_NUMBER]
