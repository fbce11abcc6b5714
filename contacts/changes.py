"""What a source says of a person, and the canonical form in which it is taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contacts import identity
from contacts.canonical import ValueRefused, are_plain, canonical, lists_are_plain
from contacts.deaths import with_death
from contacts.facts import CLEAR, PointFact
from contacts.fields import FIELDS, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one source said of one person at one moment.

    `values` maps field keys to values, or to CLEAR; a field that is absent stays as it is.
    `occurred_at` is when the source knew it; None means that the source did not say, and then
    saying again what is known changes nothing. `also` are further (source, number) of the person,
    kept for later search. `retracted` names list items that the source takes back. `points` are
    addresses beyond the record's own. `same_as` is the one of `also` by which the source itself
    calls this person (a FHIR resource's id): it identifies where nobody has the record number yet.
    """

    source: str
    record_number: str
    values: Mapping[str, Any]
    occurred_at: datetime | None = None
    message_id: str = ""
    also: tuple[tuple[str, str], ...] = ()
    retracted: frozenset[str] = frozenset()
    points: tuple[PointFact, ...] = ()
    same_as: tuple[str, str] | None = None
    mapping: str = ""
    """The version of the rules that made these values of the source's own form."""


class ChangeRefused(ValueError):
    """A change cannot be stored. Names its place in the sequence, the field and the reason."""

    def __init__(self, position: int, reason: ValueRefused) -> None:
        super().__init__(f"change {position + 1}: {reason}")
        self.position = position
        self.field = reason.field
        self.reason = reason.reason


_AT_A_GLANCE = 100
"""Changes whose values are looked at together: so few that they stay in the processor's cache."""


class Cleaner:
    """Brings changes into canonical form, many of them by one cleaner.

    A text that comes again for the same field is not looked at again: of the cells of a file most
    do. What it has seen lives as long as it does: make one for each batch.
    """

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields
        self._seen: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._sources: dict[str, str] = {}

    def each(self, changes: Sequence[Change]) -> Iterator[Change | ChangeRefused]:
        """Yield each change in canonical form, as it is where it has it; or why it has none."""
        for start in range(0, len(changes), _AT_A_GLANCE):
            part = changes[start : start + _AT_A_GLANCE]
            keys = self._canonical_keys(part)
            for place, change in enumerate(part, start):
                try:
                    is_canonical = self._is_canonical(change, keys)
                    yield change if is_canonical else self.clean(change, place, keys)
                except ChangeRefused as refused:
                    yield refused

    def _canonical_keys(self, changes: Sequence[Change]) -> set[str]:
        """Return the fields of which every value of these changes has its canonical form."""
        columns: defaultdict[str, list[Any]] = defaultdict(list)
        for change in changes:
            for key, value in change.values.items():
                columns[key].append(value)
        return {key for key, column in columns.items() if self._are_canonical(key, column)}

    def _are_canonical(self, key: str, column: list[Any]) -> bool:
        kinds = set(map(type, column))
        if kinds == {list}:
            return lists_are_plain(key, column, fields=self._fields)
        if len(kinds) != 1 or not kinds <= {str, bool}:
            return False
        seen, values = self._seen[key], set(column)
        new = values - seen.keys()
        if new and kinds == {str} and are_plain(key, list(new), fields=self._fields):
            seen.update(zip(new, new, strict=True))
        try:
            return all(
                (seen.get(value) or self._looked_at(key, value)) == value for value in values
            )
        except ValueRefused:  # by its own change, which says which one it is
            return False

    def _is_canonical(self, change: Change, keys: Set[str]) -> bool:
        if change.also or change.same_as is not None or not change.values.keys() <= keys:
            return False
        if "deceased_at" in change.values:
            return False
        number = change.source, change.record_number
        try:
            return self._number(number) == number
        except ValueRefused:  # by `clean`, in its turn
            return False

    def clean(self, change: Change, position: int = 0, keys: Set[str] = frozenset()) -> Change:
        """Return the change with canonical values; blank ones say nothing and are left out.

        Values of these `keys` are known to be canonical.
        """
        try:
            return Change(
                source=self._source(change.source),
                record_number=identity.number_form(change.record_number),
                values=self._values(change.values, keys),
                occurred_at=change.occurred_at,
                message_id=change.message_id,
                also=tuple(map(self._number, change.also)) if change.also else (),
                retracted=change.retracted,
                points=change.points,
                mapping=change.mapping,
                same_as=change.same_as and self._number(change.same_as),
            )
        except ValueRefused as refused:
            raise ChangeRefused(position, refused) from None

    def _values(self, given: Mapping[str, Any], keys: Set[str]) -> dict[str, Any]:
        seen, values = self._seen, {}
        for key, value in given.items():
            if key in keys:
                values[key] = value
                continue
            stored = seen[key].get(value) if value.__class__ is str else None
            if stored is None:
                stored = self._looked_at(key, value)
            if stored is not None:
                values[key] = stored
        return with_death(values)

    def _looked_at(self, key: str, value: Any) -> Any:
        if value is CLEAR:
            if key not in self._fields:
                raise ValueRefused(key[:60], "is not a field of contacts")
            return value
        stored = canonical(key, value, fields=self._fields)
        if stored.__class__ is str and value.__class__ is str:
            self._seen[key][value] = stored
        return stored

    def _source(self, source: str) -> str:
        if source not in self._sources:
            self._sources[source] = identity.source_form(source)
        return self._sources[source]

    def _number(self, number: tuple[str, str]) -> tuple[str, str]:
        return self._source(number[0]), identity.number_form(number[1])


def cleaned(changes: Sequence[Change], *, fields: Mapping[str, Field]) -> list[Change]:
    """Return the changes in canonical form, or raise ChangeRefused for the first that has none."""
    found = []
    for one in Cleaner(fields).each(changes):
        if isinstance(one, ChangeRefused):
            raise one
        found.append(one)
    return found


def clean(change: Change, *, fields: Mapping[str, Field]) -> Change:
    """Return one change in canonical form, or raise ChangeRefused."""
    return Cleaner(fields).clean(change)


def check(change: Change, *, fields: Mapping[str, Field] = FIELDS) -> None:
    """Raise ChangeRefused where the change could not be stored; writes nothing."""
    clean(change, fields=fields)
