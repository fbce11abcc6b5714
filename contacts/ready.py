"""What can be made of a new contact's row before the contact has an id.

It takes most of an import's time, and no lock: many parts can be made ready side by side
(docs/decisions/parts-made-ready-side-by-side.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from contacts.canonical import email_form, phone_form
from contacts.fields import SEALED_CLASSES, DataClass
from contacts.packing import Record, pack
from crypto import blind_index

Records = Mapping[DataClass, Record]

FORMS: Mapping[str, Callable[[str], str]] = {"email": email_form, "phone": phone_form}
"""The fields of which a row has a blind index, and in what form they are compared."""
_NOTHING = pack(Record({}, {}))
"""Every new contact has a record of each class: an absent one would tell who has no coverage."""
_ALIKE = (DataClass.DEMOGRAPHIC, DataClass.COVERAGE)
"""Classes whose records are the same for many people: within a part each is packed once."""


class Ready(NamedTuple):
    """The packed record of every class, and what stands in the clear beside them."""

    classes: Sequence[bytes]
    email_index: bytes | None
    phone_index: bytes | None
    deceased: bool


def ready(organisation_id: int, people: Iterable[Records]) -> list[Ready]:
    """Make these people's rows ready; the records of each are let go when they are packed."""
    seen: dict[Any, bytes] = {}
    classes, emails, phones, deceased = [], [], [], []
    for records in people:
        classes.append(_packed(records, seen))
        emails.append(form_of(records, "email"))
        phones.append(form_of(records, "phone"))
        deceased.append(is_deceased(records))
    return list(
        map(
            Ready,
            classes,
            indexes(organisation_id, "email", emails),
            indexes(organisation_id, "phone", phones),
            deceased,
        )
    )


def _packed(records: Records, seen: dict[Any, bytes]) -> list[bytes]:
    """Return the packed record of every class; `seen` has those of `_ALIKE` that came before."""
    found = []
    for kind in SEALED_CLASSES:
        record = records.get(kind)
        if record is None:
            found.append(_NOTHING)
        elif kind in _ALIKE:
            found.append(_packed_once(record, seen))
        else:
            found.append(pack(record))
    return found


def _packed_once(record: Record, seen: dict[Any, bytes]) -> bytes:
    values, as_of = record
    spelled = (tuple(values), tuple(values.values()), tuple(as_of), tuple(as_of.values()))
    try:
        packed = seen.get(spelled)
    except TypeError:  # a list, which is nobody else's
        return pack(record)
    if packed is None:
        packed = seen[spelled] = pack(record)
    return packed


def form_of(records: Records, key: str) -> str | None:
    """Return the person's e-mail address or phone as it is compared; None where none is known."""
    record = records.get(DataClass.CONTACT_POINT)
    value = None if record is None else record.values.get(key)
    return None if value is None else FORMS[key](value)


def indexes(organisation_id: int, key: str, forms: Sequence[str | None]) -> list[bytes | None]:
    """Return the blind index of each e-mail address or phone; None for None."""
    made = iter(blind_index.tokens(organisation_id, key, [one for one in forms if one is not None]))
    return [None if one is None else next(made) for one in forms]


def is_deceased(records: Records) -> bool:
    known = records.get(DataClass.IDENTITY)
    return known is not None and known.values.get("deceased") is True
