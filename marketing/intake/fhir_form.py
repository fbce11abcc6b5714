"""FHIR files among the imports behind the scenes: read, sifted, and what is refused given back.

A part is a group of entries as they came. The parts are gone through once for the patients and
what stands beside them, and, where a file speaks of patients elsewhere in it or known from before
(bulk exports), a second time for that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from accounts import tenancy
from contacts.changes import Change, ChangeRefused, Cleaner
from contacts.facts import PersonFacts
from contacts.fields import FIELDS
from contacts.importing import chunks
from contacts.importing.broken import FileBroken
from contacts.importing.models import ImportChunk, ImportJob
from contacts.importing.sifting import Download, Keep, Refused, Sifted
from crypto import blind_index
from marketing.intake import fhir, reading
from marketing.intake.fhir import Entry, Mapped

MAPPING = "fhir-r4/1"
"""Raise the number whenever the mapping gives other values for the same resource (HD-18)."""
GROUP = 2_000
"""Entries taken together; a bundle stays together up to five times as many."""
CHARACTERS = 8_000_000
"""At which a group ends too; a bundle stays together up to five times as many."""
NOBODY = "its patient is neither in the file nor known; import both"

Opened = Callable[[int, int], BinaryIO]
Address = Callable[[PersonFacts], str | None]


class FhirForm:
    """What is done with a FHIR file (`contacts.importing.sifting.Form`)."""

    def stage(self, job: ImportJob, opened: Opened, keep: Keep) -> None:
        """Read the files into parts; once more where patients turn out to have further names."""
        files = job.reading.get("files") or [[job.name or "file", job.size]]
        names: dict[str, str] = {}
        found = _keep_all(_entries(files, opened), names, keep)
        if names:
            chunks.drop(job.pk, ImportChunk.Kind.ROWS)
            found = _keep_all(_entries(files, opened), names, keep)
        if not found.rows:
            raise FileBroken("there is no resource in it", place=called(files, 0))
        job.rows, job.chunks = found.rows, found.parts
        job.reading = {"files": files, "parts": found.parts}

    def sift(self, job: ImportJob, number: int, *, now: datetime) -> Sifted:
        """Map a part; the second time, only what is about people who come elsewhere."""
        again, place = divmod(number, job.reading["parts"])
        names, *rows = chunks.rows(job.pk, ImportChunk.Kind.ROWS, place)
        entries = [Entry(place, url, json.loads(text), bundle) for place, url, bundle, text in rows]
        mapped = fhir.map_entries(entries, source=job.run.source, now=now, names=names)
        address = addresses(job.mapping.get("email_domain", ""))
        return _sifted(mapped, rows, is_again=bool(again), source=job.run.source, address=address)

    def download(self, refused: Iterator[Refused]) -> Download:
        """Give the refused entries as a bundle that says why; mended, it can be brought again."""
        return Download("json", "application/fhir+json", _as_bundle(refused))


def called(files: Sequence[object], number: int) -> str:
    """Return what places call a file: its number where there are several, else nothing.

    Exports name files after their patients, and places are read by roles that see no names.
    """
    return f"file {number + 1}" if len(files) > 1 else ""


def _entries(files: Sequence[tuple[str, int]], opened: Opened) -> Iterator[Entry]:
    """Yield the entries of files that are kept one behind the other."""
    start, bundles = 0, 0
    for number, (_, size) in enumerate(files):
        name, last = called(files, number), 0
        try:
            with opened(start, size) as file:
                for entry in reading.entries_in(file, name=name):
                    last = entry.bundle
                    yield entry._replace(bundle=bundles + last)
        except reading.FileBroken as broken:
            raise FileBroken(broken.reason, place=broken.place) from None
        start, bundles = start + size, bundles + last


@dataclass(slots=True)
class _Kept:
    parts: int = 0
    rows: int = 0


def _keep_all(entries: Iterator[Entry], names: dict[str, str], keep: Keep) -> _Kept:
    """Keep the entries in groups, each with the further names of patients of whom it speaks.

    `names` are those known so far; those found are added.
    """
    kept = _Kept()
    for group, rows in _together(entries):
        names |= fhir.other_names(group)
        spoken = {
            name: fhir.known_as(name, names) for name in fhir.spoken_of(group) if name in names
        }
        keep(kept.parts, [spoken, *rows])
        kept.parts, kept.rows = kept.parts + 1, kept.rows + len(rows)
    return kept


Rows = list[tuple[str, str, int, str]]
"""Place, address, bundle and text of each entry."""


@dataclass(slots=True)
class _Group:
    entries: list[Entry] = field(default_factory=list)
    rows: Rows = field(default_factory=list)
    length: int = 0

    def add(self, entry: Entry) -> None:
        try:
            text = json.dumps(entry.resource, separators=(",", ":"))
        except RecursionError:
            raise FileBroken("the JSON is nested too deeply", place=entry.place) from None
        self.entries.append(entry)
        self.rows.append((entry.place, entry.full_url, entry.bundle, text))
        self.length += len(text)

    def is_full(self, times: int = 1) -> bool:
        return len(self.rows) >= times * GROUP or self.length >= times * CHARACTERS


def _together(entries: Iterator[Entry]) -> Iterator[tuple[list[Entry], Rows]]:
    """Group entries by thousands, keeping those of one bundle together where they are not many."""
    group = _Group()
    for entry in entries:
        is_new = bool(group.entries) and group.entries[-1].bundle != entry.bundle
        if (is_new and group.is_full()) or group.is_full(5):
            yield group.entries, group.rows
            group = _Group()
        group.add(entry)
    if group.entries:
        yield group.entries, group.rows


def _sifted(
    mapped: Mapped, rows: Sequence[Sequence[Any]], *, is_again: bool, source: str, address: Address
) -> Sifted:
    changes: list[Change] = []
    behind: list[list[Refused]] = []
    names: list[tuple[str, str]] = []
    refused = {} if is_again else {p.position: p.message for p in mapped.problems}
    spoken_of = [
        (person, positions)
        for person, positions in zip(mapped.people, mapped.behind, strict=True)
        if person.whole is not is_again
    ]
    cleaned = Cleaner(FIELDS).each([change_of(person, address) for person, _ in spoken_of])
    for (person, positions), change in zip(spoken_of, cleaned, strict=True):
        if isinstance(change, ChangeRefused):
            refused |= dict.fromkeys(positions, f"{change.field} {change.reason}")
            continue
        changes.append(change)
        if is_again:
            behind.append([_refused(rows[position], NOBODY) for position in positions])
        else:
            names += [(source, name[:200]) for name in person.references if name.isprintable()]
    return Sifted(
        read=0 if is_again else mapped.resources,
        changes=changes,
        refused=[_refused(rows[position], why) for position, why in sorted(refused.items())],
        may_create=not is_again,
        behind=behind,
        names=names,
        ignored=Counter() if is_again else mapped.ignored,
        more=any(not person.whole for person in mapped.people),
    )


def _refused(row: Sequence[Any], reason: str) -> Refused:
    place, url, _, text = row
    return Refused(place, json.dumps([url, text]), reason)


def change_of(person: PersonFacts, address: Address) -> Change:
    (source, number), *also = person.numbers
    values = dict(person.values)
    if person.whole and "email" not in values and (made := address(person)):
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


def addresses(domain: str) -> Address:
    """Return what makes an address from a keyed hash of the record number; none without a domain.

    For test patients only.
    """
    organisation_id = tenancy.current()

    def made(person: PersonFacts) -> str | None:
        if not domain:
            return None
        token = blind_index.token(organisation_id, "test_address", "\x00".join(person.numbers[0]))
        return f"p{token.hex()[:20]}@{domain}"

    return made


def _as_bundle(refused: Iterable[Refused]) -> Iterator[bytes]:
    """Yield a bundle that answers for each entry, the entry in it as it came."""
    yield b'{"resourceType":"Bundle","type":"batch-response","entry":[\n'
    for number, one in enumerate(refused):
        yield (b",\n" if number else b"") + _answer(one).encode()
    yield b"\n]}\n"


def _answer(one: Refused) -> str:
    url, text = json.loads(one.what)
    issue = {"severity": "error", "code": "invalid", "diagnostics": f"{one.place}: {one.reason}"}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    entry = {
        **({"fullUrl": url} if url else {}),
        "resource": json.loads(text),
        "response": {"status": "422 Unprocessable Entity", "outcome": outcome},
    }
    return json.dumps(entry, separators=(",", ":"))
