"""What can be made of a new contact's row before the contact has an id.

It takes most of an import's time, and no lock: many parts can be made ready side by side
(docs/decisions/parts-made-ready-side-by-side.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from contacts import item_rows, merging, packing
from contacts.canonical import email_form, phone_form
from contacts.facts import CLEAR
from contacts.fields import FIELDS, SEALED_CLASSES, STORED_CLASS, DataClass, Field
from contacts.packing import NUMBERS, Record, pack
from crypto import blind_index

Records = Mapping[DataClass, Record]

FORMS: Mapping[str, Callable[[str], str]] = {"email": email_form, "phone": phone_form}
"""The fields of which a row has a blind index, and in what form they are compared."""
_NOTHING = pack(Record({}, {}))
"""Every new contact has a record of each class: an absent one would tell who has no coverage."""
_ALIKE = (DataClass.DEMOGRAPHIC, DataClass.COVERAGE)
"""Classes whose records are the same for many people: within a part each is packed once."""
_AT = {kind: place for place, kind in enumerate(SEALED_CLASSES)}
_ARE_ALIKE = tuple(kind in _ALIKE for kind in SEALED_CLASSES)


class Ready(NamedTuple):
    """The packed record of every class, and what stands in the clear beside them."""

    classes: Sequence[bytes]
    email_index: bytes | None
    phone_index: bytes | None
    deceased: bool


class New(NamedTuple):
    """What was said of somebody of whom nothing was known, all of it `as_of` one moment."""

    values: Mapping[str, Any]
    as_of: int


Person = tuple[list[bytes], str | None, str | None, bool]
"""A person's packed records, e-mail address and phone as they are compared, and whether dead."""


def of_records(organisation_id: int, people: Iterable[Records]) -> list[Ready]:
    """Make the rows ready of people of whom this is known; records are let go when packed."""
    return _indexed(
        organisation_id,
        (
            (
                [pack(records[kind]) if kind in records else _NOTHING for kind in SEALED_CLASSES],
                form_of(records, "email"),
                form_of(records, "phone"),
                is_deceased(records),
            )
            for records in people
        ),
    )


def of_values(
    organisation_id: int, people: Iterable[New], *, fields: Mapping[str, Field]
) -> list[Ready]:
    """Make the rows ready of new people: what `of_records` makes of `merging.fresh`, but faster."""
    seen: dict[Any, bytes] = {}
    return _indexed(
        organisation_id,
        (
            (
                _packed(new, fields, seen),
                _form(new.values.get("email"), "email"),
                _form(new.values.get("phone"), "phone"),
                new.values.get("deceased") is True,
            )
            for new in people
        ),
    )


def _indexed(organisation_id: int, people: Iterable[Person]) -> list[Ready]:
    """Put the blind indexes in the place of the addresses and phones, all of them together."""
    classes, emails, phones, deceased = [], [], [], []
    for packed, email, phone, is_dead in people:
        classes.append(packed)
        emails.append(email)
        phones.append(phone)
        deceased.append(is_dead)
    return list(
        map(
            Ready,
            classes,
            indexes(organisation_id, "email", emails),
            indexes(organisation_id, "phone", phones),
            deceased,
        )
    )


def _packed(new: New, fields: Mapping[str, Field], seen: dict[Any, bytes]) -> list[bytes]:
    """Return the packed record of every class; `seen` has those of `_ALIKE` that came before."""
    as_of, found = new.as_of, []
    for part, are_alike in zip(_parts(new, fields), _ARE_ALIKE, strict=True):
        if not part:
            found.append(_NOTHING)
        elif are_alike:
            found.append(_packed_once(part, as_of, seen))
        else:
            found.append(packing.whole(as_of, part))
    return found


_PLACES = {
    key: (_AT[STORED_CLASS[key]], number, FIELDS[key].is_list) for key, number in NUMBERS.items()
}
"""Of each declared field: the place of its class, its number, and whether it is a list of items."""


def _parts(new: New, fields: Mapping[str, Field]) -> list[dict[Any, Any]]:
    """Return the values of every class in their stored form. It runs for every value that comes."""
    parts: list[dict[Any, Any]] = [{} for _ in SEALED_CLASSES]
    as_of = new.as_of
    for key, value in new.values.items():
        if value is None or value is CLEAR:
            continue
        place, number, is_list = _PLACES.get(key) or (_AT[fields[key].data_class], key, False)
        if is_list:
            value = item_rows.packed(key, merging.each_once(key, value, as_of), as_of)  # noqa: PLW2901
        parts[place][number] = value
    return parts


def _packed_once(part: dict[Any, Any], as_of: int, seen: dict[Any, bytes]) -> bytes:
    spelled = (as_of, tuple(part), tuple(part.values()))
    try:
        packed = seen.get(spelled)
    except TypeError:  # a list, which is nobody else's
        return packing.whole(as_of, part)
    if packed is None:
        packed = seen[spelled] = packing.whole(as_of, part)
    return packed


def form_of(records: Records, key: str) -> str | None:
    """Return the person's e-mail address or phone as it is compared; None where none is known."""
    record = records.get(DataClass.CONTACT_POINT)
    return None if record is None else _form(record.values.get(key), key)


def _form(value: Any, key: str) -> str | None:
    return FORMS[key](value) if value.__class__ is str else None


def indexes(organisation_id: int, key: str, forms: Sequence[str | None]) -> list[bytes | None]:
    """Return the blind index of each e-mail address or phone; None for None."""
    made = iter(blind_index.tokens(organisation_id, key, [one for one in forms if one is not None]))
    return [None if one is None else next(made) for one in forms]


def is_deceased(records: Records) -> bool:
    known = records.get(DataClass.IDENTITY)
    return known is not None and known.values.get("deceased") is True
