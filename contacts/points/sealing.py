"""The values of addresses: in one form, under the contact's own key, found by a blind index."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

import msgpack

from accounts import tenancy
from contacts.canonical import ValueRefused, canonical, email_form, phone_form
from contacts.points.models import ContactPoint
from crypto import blind_index, data_keys
from crypto.seal import Context, seal, unseal

TABLE = "contacts_contactpoint"
POSTAL_PARTS = ("line", "city", "state", "postal_code", "country")
_PART_FIELD: Mapping[str, str] = {"line": "address_line"}
_FORMS = {"email": email_form, "phone": phone_form}

Value = str | dict[str, str]


class Opened(NamedTuple):
    """What a row's payload holds; shows nothing of itself."""

    value: Value
    categories: frozenset[str]

    def __repr__(self) -> str:
        return "<address>"


def clean(kind: str, value: object) -> Value:
    """Return the stored form of an address, or raise ValueRefused naming the part."""
    if kind != ContactPoint.Kind.POSTAL:
        stored = canonical(kind, value)
        if stored is None:
            raise ValueRefused("value", "is needed")
        return str(stored)
    if not isinstance(value, Mapping) or not value.keys() <= set(POSTAL_PARTS):
        raise ValueRefused("value", f"is an object with {', '.join(POSTAL_PARTS)}")
    parts = {
        part: str(stored)
        for part, given in value.items()
        if (stored := canonical(_PART_FIELD.get(part) or part, given)) is not None
    }
    if not parts.keys() & {"line", "postal_code"}:
        raise ValueRefused("value", "needs a street or a postal code")
    return parts


def form_of(kind: str, value: Value) -> str:
    """Return the form in which two spellings of one address are equal."""
    if isinstance(value, str):
        return _FORMS[kind](value)
    return "\n".join(f"{part}:{value.get(part, '').casefold()}" for part in POSTAL_PARTS)


def index_of(kind: str, value: Value) -> bytes | None:
    """Return the blind index of an e-mail address or phone; postal addresses have none."""
    if kind not in _FORMS or not isinstance(value, str):
        return None
    return blind_index.token(tenancy.current(), kind, _FORMS[kind](value))


def sealed(point: ContactPoint, opened: Opened, *, key: bytes) -> bytes:
    packed: bytes = msgpack.packb([opened.value, sorted(opened.categories)])
    return seal(key, packed, context=_context(point.contact_id, point.pk))


def open_many(points: Collection[ContactPoint]) -> dict[UUID, Opened]:
    """Open the rows with one statement for their keys; a shredded person's are left out."""
    keys = data_keys.load(tenancy.current(), {one.contact_id for one in points}) if points else {}
    return {one.pk: _open(one, keys[one.contact_id]) for one in points if one.contact_id in keys}


def keys_of(contact_ids: Iterable[int]) -> dict[int, bytes]:
    return data_keys.load(tenancy.current(), set(contact_ids))


def _open(point: ContactPoint, key: bytes) -> Opened:
    context = _context(point.contact_id, point.pk)
    value, categories = msgpack.unpackb(unseal(key, bytes(point.payload), context=context))
    return Opened(value, frozenset(categories))


def _context(contact_id: int, point_id: UUID) -> Context:
    return Context(tenancy.current(), TABLE, f"{contact_id}/{point_id}", "payload")
