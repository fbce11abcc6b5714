"""Contacts' records opened for machines: to fill columns and to evaluate those who changed.

Nobody sees these values, so no entry for each person stands in the trail: whoever counts or lists
a segment records that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contacts import packing, registry
from contacts.facts import last_visit
from contacts.fields import FIELDS, STORED_CLASS, Field
from contacts.writing import TABLE
from crypto import data_keys
from crypto.rows import binary_cursor


class Opening:
    """Some contacts whose records are opened a class at a time, and only as far as asked.

    `ids` are those who are there, ascending. Their keys are one statement, and each class is one,
    for those asked for; `first` is the class that everyone will be asked for.
    """

    def __init__(
        self, organisation_id: int, contact_ids: Sequence[int], *, first: str = ""
    ) -> None:
        self._ciphers = data_keys.Ciphers(organisation_id, TABLE)
        self._keyed: dict[int, AESGCM] = {}
        self._wrapped = self._ciphers.wrapped(contact_ids)
        held = _records(contact_ids, first or "NULL::bytea")
        self._first = {first: dict(held)} if first else {}
        self.ids = sorted(id_ for id_, _ in held if id_ in self._wrapped)

    def values(
        self, ids: Sequence[int], keys: Collection[str], fields: Mapping[str, Field]
    ) -> list[dict[str, Any]]:
        """Return the canonical values of these fields for each of these, in their order.

        What a derived field is derived from comes along.
        """
        found: list[dict[str, Any]] = [{} for _ in ids]
        for name, stored in _by_class(keys, fields).items():
            read = packing.reader(stored)
            for values, packed in zip(found, self._opened(ids, name), strict=True):
                if packed is not None:
                    values.update(read(packed))
        if any(fields[key].derived_from == "encounters" for key in keys):
            for values in found:
                values["last_visit"] = last_visit(values.get("encounters", ()))
        return found

    def _opened(self, ids: Sequence[int], name: str) -> list[bytes | None]:
        sealed = self._first.pop(name, None) or dict(_records(ids, name))
        return self._ciphers.open(name, ((self._cipher(id_), id_, sealed.get(id_)) for id_ in ids))

    def _cipher(self, contact_id: int) -> AESGCM:
        cipher = self._keyed.get(contact_id)
        if cipher is None:
            cipher = self._ciphers.of(contact_id, self._wrapped[contact_id])
            self._keyed[contact_id] = cipher
        return cipher


def values_of(
    organisation_id: int, contact_ids: Sequence[int], keys: Collection[str]
) -> dict[int, dict[str, Any]]:
    """Return the canonical values of these fields for each contact that is there."""
    fields = fields_with(organisation_id, keys)
    first = next(iter(_by_class(keys, fields)), "")
    opening = Opening(organisation_id, contact_ids, first=first)
    return dict(zip(opening.ids, opening.values(opening.ids, keys, fields), strict=True))


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


def _records(contact_ids: Sequence[int], name: str) -> list[tuple[int, bytes | None]]:
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id, {name} FROM {TABLE}"
            " WHERE id = ANY(%b::int8[]) AND erased_at IS NULL".encode(),
            [list(contact_ids)],
        )
        return cursor.fetchall()


def contacts_in(first: int, last: int) -> list[int]:
    """The ids of contacts that are there, from `first` to `last`, erased ones left out."""
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {TABLE} WHERE id BETWEEN %b AND %b AND erased_at IS NULL".encode(),
            [first, last],
        )
        return [row[0] for row in cursor.fetchall()]
