"""Contacts' records opened for machines: to fill columns and to evaluate those who changed.

Nobody sees these values, so no entry for each person stands in the trail: whoever counts or lists
a segment records that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
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
from crypto.rows import Bigints, binary_cursor, streamed

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
    the server fetches the next; `along` are classes that come with them and wait to be opened.
    Later questions may be only about the same contacts.
    """

    def __init__(
        self, organisation_id: int, contact_ids: Sequence[int], *, along: Collection[str] = ()
    ) -> None:
        self._organisation_id = organisation_id
        self._ids = contact_ids
        self._along = along
        self._ciphers = data_keys.Ciphers(organisation_id, TABLE)
        self._keyed: dict[int, tuple[AESGCM, tuple[Any, ...]]] = {}
        self._columns: list[str] | None = None
        """The classes that each row has, behind id and key; None before the first question."""
        self._there = np.zeros(len(contact_ids), np.bool_)
        self._asked = np.zeros(len(contact_ids), np.bool_)

    def values(
        self, places: Ints, keys: Collection[str], fields: Mapping[str, Field]
    ) -> list[dict[str, Any]]:
        """Return the canonical values of these fields for those at these places, in their order.

        Who is not there has none. What a derived field is derived from comes along.
        """
        ids = [self._ids[place] for place in places.tolist()]
        stored = _by_class(keys, fields)
        found: dict[int, dict[str, Any]] = {}
        if self._columns is None:
            self._begin(ids, found, stored)
            self._asked[places] = True
            self._there[places] = [id_ in self._keyed for id_ in ids]
        else:
            self._go_on(ids, found, stored)
        if any(fields[key].derived_from == "encounters" for key in keys):
            for values in found.values():
                values["last_visit"] = last_visit(values.get("encounters", ()))
        return [found.get(id_, {}) for id_ in ids]

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

    def _begin(
        self,
        ids: Sequence[int],
        found: dict[int, dict[str, Any]],
        stored: Mapping[str, Collection[str]],
    ) -> None:
        """Fetch keys and records; open the first class as they come, and then the others."""
        columns = self._columns = list(dict.fromkeys([*stored, *self._along]))
        first = next(iter(stored), "")
        statement = _KEYED.format(", ".join(f"c.{name}" for name in columns) or "NULL::bytea")
        read, keyed = packing.reader(stored.get(first, ())), self._keyed
        organisation = self._organisation_id
        given = [organisation, organisation, Bigints(ids)]
        with closing(streamed(statement.encode(), given)) as rows:
            for row, cipher, packed in self._ciphers.set_up(rows, first):
                keyed[row[0]] = cipher, row
                if packed is not None:
                    found[row[0]] = read(packed)
        self._go_on(ids, found, {name: keys for name, keys in stored.items() if name != first})

    def _go_on(
        self,
        ids: Sequence[int],
        found: dict[int, dict[str, Any]],
        stored: Mapping[str, Collection[str]],
    ) -> None:
        for name, keys in stored.items():
            read = packing.reader(keys)
            for id_, packed in self._ciphers.open(name, self._sealed(ids, name)):
                if id_ in found:
                    found[id_].update(read(packed))
                else:
                    found[id_] = read(packed)

    def _sealed(self, ids: Sequence[int], name: str) -> Iterator[tuple[AESGCM, int, bytes | None]]:
        """Cipher, contact and sealed class of those of these who are there."""
        there = ((id_, *self._keyed[id_]) for id_ in ids if id_ in self._keyed)
        if self._columns is not None and name in self._columns:
            place = 2 + self._columns.index(name)
            return ((cipher, id_, row[place]) for id_, cipher, row in there)
        records = self._records([id_ for id_ in ids if id_ in self._keyed], name)
        return ((cipher, id_, records.get(id_)) for id_, cipher, _ in there)

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
    values = opening.values(np.arange(len(ids)), keys, fields)
    there = opening.there().tolist()
    return {id_: held for id_, held, is_there in zip(ids, values, there, strict=True) if is_there}


def fields_with(organisation_id: int, keys: Collection[str]) -> Mapping[str, Field]:
    """The fields that these are among; an organisation's own are asked for only when named."""
    return FIELDS if FIELDS.keys() >= set(keys) else registry.fields_for(organisation_id)


def cost_of(key: str, fields: Mapping[str, Field]) -> tuple[str, int]:
    """The class that a field's values are in, and how dear it is to open: lists are long."""
    field = fields[key]
    return class_of(key, fields), int(field.is_list or bool(field.derived_from))


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
