"""Contacts' records opened for machines: to fill columns and to evaluate those who changed.

Nobody sees these values, so no entry for each person stands in the trail: whoever counts or lists
a segment records that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice, repeat
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contacts import packing, registry
from contacts.facts import last_visit
from contacts.fields import FIELDS, STORED_CLASS, Field
from contacts.segments.arrays import Ints, Mask
from contacts.writing import TABLE
from crypto import data_keys
from crypto.models import DataKey
from crypto.rows import STREAMED, Bigints, binary_cursor, streamed

_Row = tuple[Any, ...]
_KEYED = f"""
SELECT c.id, k.wrapped, {{}} FROM {TABLE} c
CROSS JOIN LATERAL (
    SELECT wrapped FROM {DataKey._meta.db_table} d
    WHERE d.organisation_id = %b AND d.subject_id = c.id LIMIT 1
) k
WHERE c.organisation_id = %b AND c.id = ANY(%b) AND c.erased_at IS NULL
"""
"""LATERAL: from some thousand ids on, the planner would read all keys there are for a join."""
_RECORDS = f"""
SELECT c.id, {{}} FROM {TABLE} c
WHERE c.organisation_id = %b AND c.id = ANY(%b) AND c.erased_at IS NULL
"""
_THERE = f"""
{_RECORDS.format("1")} AND EXISTS (
    SELECT FROM {DataKey._meta.db_table} d WHERE d.organisation_id = %b AND d.subject_id = c.id
)
"""


class Opening:
    """Some contacts whose records are opened a class at a time, and only as far as asked.

    Whom the first question is about is fetched with their keys by one statement, and opened while
    the server fetches the next. Later questions may be only about the same contacts.
    """

    def __init__(self, organisation_id: int, contact_ids: Sequence[int]) -> None:
        self._organisation_id = organisation_id
        self._ids = contact_ids
        self._opener = data_keys.Ciphers(organisation_id, TABLE)
        self._ciphers: dict[int, AESGCM] = {}
        """Of those who were asked about and are there."""
        self._begun = False
        self._there = np.zeros(len(contact_ids), np.bool_)
        self._asked = np.zeros(len(contact_ids), np.bool_)

    def columns(
        self, places: Ints, keys: Collection[str], fields: Mapping[str, Field]
    ) -> dict[str, list[Any]]:
        """Return by field the canonical values of those at these places, in their order.

        None stands for what is not known, and for everything of whoever is not there. What a
        derived field is derived from comes along.
        """
        ids = [self._ids[place] for place in places.tolist()]
        stored = _by_class(keys, fields)
        if self._begun:
            found = self._go_on(ids, stored)
        else:
            found, self._begun = self._begin(ids, stored), True
            self._asked[places] = True
            self._there[places] = [id_ in self._ciphers for id_ in ids]
        if any(fields[key].derived_from == "encounters" for key in keys):
            found["last_visit"] = [last_visit(one or ()) for one in found["encounters"]]
        return found

    def there(self) -> Mask:
        """Which of all the contacts are there at all: neither erased nor without a key."""
        open_ = np.flatnonzero(~self._asked)
        if len(open_):
            ids = np.array(self._ids, np.int64)[open_]
            organisation = self._organisation_id
            with binary_cursor() as cursor:
                cursor.execute(_THERE.encode(), [organisation, Bigints(ids), organisation])
                held = np.array([row[0] for row in cursor.fetchall()], np.int64)
            self._there[open_] = np.isin(ids, held)
            self._asked[open_] = True
        return self._there

    def _begin(self, ids: list[int], stored: Mapping[str, Collection[str]]) -> dict[str, list[Any]]:
        """Fetch keys and records; return what they say, opened as they came."""
        found: dict[str, list[Any]] = {key: [] for own in stored.values() for key in own}
        order: list[int] = []
        for some in self._fetched(ids, list(stored)):
            order += [row[0] for row in some]
            for key, values in self._set_up(some, stored).items():
                found[key] += values
        if order == ids:
            return found
        at = {id_: number for number, id_ in enumerate(order)}
        where = [at.get(id_) for id_ in ids]
        return {
            key: [None if number is None else values[number] for number in where]
            for key, values in found.items()
        }

    def _fetched(self, ids: Sequence[int], columns: Sequence[str]) -> Iterator[list[_Row]]:
        """Yield rows as they stream in; at last those whose wrapping key must be asked for."""
        statement = _KEYED.format(", ".join(f"c.{name}" for name in columns) or "NULL::bytea")
        given = [self._organisation_id, self._organisation_id, Bigints(ids)]
        late: list[_Row] = []
        with closing(streamed(statement.encode(), given)) as rows:
            while some := list(islice(rows, STREAMED)):
                if self._opener.asks([row[1] for row in some]):
                    late += some
                else:
                    yield some
        if late:
            yield late

    def _set_up(
        self, rows: Sequence[_Row], stored: Mapping[str, Collection[str]]
    ) -> dict[str, list[Any]]:
        """Keep the ciphers of these rows, and return what their classes say."""
        ids, wrapped, *classes = zip(*rows, strict=True)
        ciphers = self._opener.of(ids, wrapped)
        self._ciphers.update(zip(ids, ciphers, strict=True))
        found: dict[str, list[Any]] = {}
        for (name, own), sealed in zip(stored.items(), classes, strict=False):
            found |= packing.columns(self._opener.open(name, ids, ciphers, sealed), own)
        return found

    def _go_on(
        self, ids: Sequence[int], stored: Mapping[str, Collection[str]]
    ) -> dict[str, list[Any]]:
        """Fetch and open further classes of some of them."""
        there = [id_ for id_ in ids if id_ in self._ciphers]
        ciphers = [self._ciphers[id_] for id_ in there]
        found: dict[str, list[Any]] = {}
        for name, keys in stored.items():
            records = self._records(there, name)
            sealed = [records.get(id_) for id_ in there]
            opened = self._opener.open(name, there, ciphers, sealed)
            packed = dict(zip(there, opened, strict=True))
            found |= packing.columns([packed.get(id_) for id_ in ids], keys)
        return found

    def _records(self, ids: Sequence[int], name: str) -> dict[int, bytes | None]:
        statement = _RECORDS.format(f"c.{name}").encode()
        with binary_cursor() as cursor:
            cursor.execute(statement, [self._organisation_id, Bigints(ids)])
            return dict(cursor.fetchall())


def values_of(
    organisation_id: int, contact_ids: Sequence[int], keys: Collection[str]
) -> dict[int, dict[str, Any]]:
    """Return the canonical values of these fields for each contact that is there."""
    ids = sorted(set(contact_ids))
    if not ids:
        return {}
    opening, fields = Opening(organisation_id, ids), fields_with(organisation_id, keys)
    columns = opening.columns(np.arange(len(ids)), keys, fields)
    people = zip(*columns.values(), strict=True) if columns else repeat(())
    return {
        id_: {key: value for key, value in zip(columns, one, strict=True) if value is not None}
        for id_, one, is_there in zip(ids, people, opening.there().tolist(), strict=False)
        if is_there
    }


def fields_with(organisation_id: int, keys: Collection[str]) -> Mapping[str, Field]:
    """The fields that these are among; an organisation's own are asked for only when named."""
    return FIELDS if FIELDS.keys() >= set(keys) else registry.fields_for(organisation_id)


def class_and_cost(key: str, fields: Mapping[str, Field]) -> tuple[str, bool]:
    """The class that a field's values are in, and whether they are dear to open: lists are."""
    field = fields[key]
    return class_of(key, fields), field.is_list or bool(field.derived_from)


def class_of(key: str, fields: Mapping[str, Field]) -> str:
    """The class in whose sealed record a field's values are found."""
    return str(STORED_CLASS.get(key, fields[key].data_class).value)


def _by_class(keys: Collection[str], fields: Mapping[str, Field]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key in keys:
        found.setdefault(class_of(key, fields), set()).add(fields[key].derived_from or key)
    return found


def contacts_in(first: int, last: int) -> list[int]:
    """The ids of contacts that are there, from `first` to `last`, erased ones left out."""
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {TABLE} WHERE id BETWEEN %b AND %b AND erased_at IS NULL".encode(),
            [first, last],
        )
        return [row[0] for row in cursor.fetchall()]
