"""From FHIR R4 resources to facts about people. Pure: no Django, no I/O, no clock of its own.

Mapped: Patient, Condition, MedicationRequest, Observation, Encounter, Immunization, Procedure,
Appointment, CarePlan, Coverage. Other types of R4 are counted and left; a type that R4 does not
have is a problem.
Resources in error (entered-in-error, refuted) are taken back where they were known, and never
added. Social security, licence and passport numbers are not read at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from contacts.facts import PersonFacts
from marketing.intake import fhir_clinical, fhir_patient
from marketing.intake.fhir_elements import Json, Malformed, objects, reference_tail, updated_at
from marketing.intake.fhir_versions import refuse_others
from marketing.intake.resource_types import R4


class Entry(NamedTuple):
    """A resource and where it stands: `place` is for people, `full_url` for references.

    Entries of one bundle share its number.
    """

    place: str
    full_url: str
    resource: Any
    bundle: int = 0


class Problem(NamedTuple):
    """Something that keeps a file from being imported. Holds no value of a patient."""

    place: str
    message: str
    position: int = 0
    """Of the entry in its group."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a group of entries says: people, what was left out, and what is wrong.

    `behind` has, for each of the people, the positions of the entries that speak of them.
    """

    people: list[PersonFacts] = field(default_factory=list)
    behind: list[list[int]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    resources: int = 0


@dataclass(slots=True)
class _Person:
    """What has been gathered of one person so far."""

    place: str
    patient: PersonFacts | None = None
    reference: str = ""
    lists: dict[str, list[Json]] = field(default_factory=dict)
    singles: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """The value of a field, and the rank by which another takes its place."""
    retracted: set[str] = field(default_factory=set)
    as_of: datetime | None = None
    own: list[int] = field(default_factory=list)
    about: list[int] = field(default_factory=list)
    """Positions of the entries that are the patient, and of those about the patient."""

    def add(self, item: fhir_clinical.Item) -> None:
        self.retracted |= item.retracted
        for field_, found in (*((item.field, one) for one in item.items), *item.also):
            self.lists.setdefault(field_, []).append(found)
        for key, rank, value in item.values:
            if key not in self.singles or rank >= self.singles[key][0]:
                self.singles[key] = (rank, value)

    def values(self) -> dict[str, Any]:
        return {**self.lists, **{key: value for key, (_, value) in self.singles.items()}}


def person_from_bundle(entries: Sequence[Entry], *, source: str, now: datetime) -> PersonFacts:
    """Return the facts of the one patient of a bundle; raise Malformed where there is none."""
    mapped = map_entries(entries, source=source, now=now)
    if mapped.problems:
        raise Malformed("; ".join(f"{p.place}: {p.message}" for p in mapped.problems))
    whole = [person for person in mapped.people if person.whole]
    if len(whole) != 1:
        raise Malformed(f"the bundle has {len(whole)} patients instead of one")
    return whole[0]


def map_entries(
    entries: Iterable[Entry], *, source: str, now: datetime, names: dict[str, str] | None = None
) -> Mapped:
    """Return what the entries say, person by person, in the order in which people appear.

    `names` carries, from group to group of one file, by which other names patients are known.
    """
    gathering = _Gathering(list(entries), source, now, {} if names is None else names)
    for position, entry in enumerate(gathering.entries):
        gathering.take(entry, position)
    return gathering.finish()


class _Gathering:
    """Sorts the resources of one group by the person whom they are about."""

    def __init__(
        self, entries: list[Entry], source: str, now: datetime, names: dict[str, str]
    ) -> None:
        self.entries, self.source, self.now, self.names = entries, source, now, names
        self.mapped_ignored: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.people: dict[str, _Person] = {}
        self.medications = fhir_clinical.medications(entry.resource for entry in entries)
        self._name_patients()

    def _name_patients(self) -> None:
        """Learn every name of each patient first, so that references may come before them."""
        self.names.update(other_names(self.entries))

    def take(self, entry: Entry, position: int) -> None:
        kind = entry.resource.get("resourceType") if isinstance(entry.resource, dict) else None
        if not isinstance(kind, str) or kind not in R4:
            self.problems.append(Problem(entry.place, _unknown(kind), position))
            return
        try:
            if kind == "Patient" or kind in fhir_clinical.MAPPERS:
                refuse_others(entry.resource)
            if kind == "Patient" and fhir_patient.replaced_by(entry.resource):
                self.mapped_ignored["Patient replaced by another"] += 1
            elif kind == "Patient":
                self._take_patient(entry, position)
            elif kind in fhir_clinical.MAPPERS:
                self._take_clinical(kind, entry, position)
            else:
                self.mapped_ignored[kind] += 1
        except Malformed as broken:
            self.problems.append(Problem(entry.place, f"{kind}: {broken}", position))

    def _take_patient(self, entry: Entry, position: int) -> None:
        facts = fhir_patient.facts(
            entry.resource,
            place=entry.place,
            full_url=entry.full_url,
            source=self.source,
            now=self.now,
        )
        person = self._person(facts.references[0], entry.place)
        person.patient = facts
        person.own.append(position)

    def _take_clinical(self, kind: str, entry: Entry, position: int) -> None:
        subjects = fhir_clinical.subjects(entry.resource)
        if not subjects:
            self.mapped_ignored[f"{kind} about no patient"] += 1
            return
        item = fhir_clinical.MAPPERS[kind](entry.resource, self.medications)
        if item.ignored:
            self.mapped_ignored[f"{kind} {item.ignored}"] += 1
        for subject in subjects:
            tail = reference_tail(subject)
            person = self._person(known_as(tail, self.names), entry.place)
            person.add(item)
            person.about.append(position)
            seen = updated_at(entry.resource)
            person.as_of = max(filter(None, (person.as_of, seen)), default=None)

    def _person(self, name: str, place: str) -> _Person:
        return self.people.setdefault(name, _Person(place, reference=name))

    def finish(self) -> Mapped:
        found = [one for person in self.people.values() for one in self._facts(person)]
        people, behind = [one for one, _ in found], [entries for _, entries in found]
        return Mapped(people, behind, self.mapped_ignored, self.problems, len(self.entries))

    def _facts(self, person: _Person) -> list[tuple[PersonFacts, list[int]]]:
        """Return one set of facts, or two where patient and items were known at other times."""
        patient, retracted = person.patient, frozenset(person.retracted)
        if patient is None:
            return [(self._loose(person, ((self.source, person.reference),)), person.about)]
        if person.as_of and patient.as_of and person.as_of != patient.as_of:
            loose = self._loose(person, patient.numbers)
            return [(patient, person.own), (loose, person.about)]
        whole = PersonFacts(
            place=patient.place,
            numbers=patient.numbers,
            values={**patient.values, **person.values()},
            as_of=patient.as_of,
            references=patient.references,
            retracted=retracted,
            points=patient.points,
        )
        return [(whole, [*person.own, *person.about])]

    @staticmethod
    def _loose(person: _Person, numbers: tuple[tuple[str, str], ...]) -> PersonFacts:
        return PersonFacts(
            place=person.place,
            numbers=numbers,
            values=person.values(),
            whole=False,
            as_of=person.as_of,
            references=(person.reference,),
            retracted=frozenset(person.retracted),
        )


def _unknown(kind: object) -> str:
    if kind is None:
        return "this is not a FHIR resource: it has no resourceType"
    shown = "".join(c for c in str(kind)[:40] if c.isalnum())
    return f"unknown resource type {shown}: FHIR R4 has no such type"


def entries_of(bundle: Mapping[str, Any], *, place: str) -> list[Entry]:
    """Return the entries of a whole bundle."""
    return [
        Entry(f"{place}, entry {number}", str(entry.get("fullUrl", "")), entry.get("resource"))
        for number, entry in enumerate(objects(bundle, "entry"), 1)
    ]


def spoken_of(entries: Iterable[Entry]) -> set[str]:
    """Return the names by which the entries speak of patients."""
    found: set[str] = set()
    for entry in entries:
        resource = entry.resource
        if isinstance(resource, dict) and resource.get("resourceType") in fhir_clinical.MAPPERS:
            with suppress(Malformed):
                found.update(map(reference_tail, fhir_clinical.subjects(resource)))
    return found


def known_as(name: str, names: Mapping[str, str]) -> str:
    """Return the first name of the patient called so; one merged with another has the other's."""
    first = names.get(name, name)
    return names.get(first, first)


def other_names(entries: Iterable[Entry]) -> dict[str, str]:
    """Return by which further names the patients among the entries are known."""
    found: dict[str, str] = {}
    for entry in entries:
        resource = entry.resource
        if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
            with suppress(Malformed):
                first, *others = fhir_patient.names(resource, entry.full_url)
                if survivor := fhir_patient.replaced_by(resource):
                    first, others = survivor, [first, *others]
                found.update(dict.fromkeys(others, first))
    return found
