"""An event as it is sent: read, and every fault in it told.

There are two readers of one form. `read` takes a parsed document apart and says what is wrong and
where. `plain_one` and `plain_many` read the bytes in a tenth of the time and say nothing at all
where anything is unusual: then it is `read` that answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import msgspec

from contacts import events
from marketing.api.problems import Fault

Named = UUID | tuple[str, str]
"""Whose event it is: a contact's id, or a source and a record number."""

_KNOWN = frozenset({"contact", "kind", "occurred_at", "idempotency_key", "properties"})
_OURS = ("message.", "contact.", "segment.", "list.", "consent.", "workflow.")
_NO_KEY = (
    "An idempotency_key is needed: a text of 1 to 200 characters that names this event and no "
    "other, so that repeating the request cannot count it twice."
)


class Given(msgspec.Struct, frozen=True):
    """An event in which nothing is wrong; whether there is such a contact is not asked yet."""

    contact: Named
    kind: str
    occurred_at: datetime
    idempotency_key: str
    properties: Mapping[str, Any] | None = None


class _Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    record_number: str


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    contact: UUID | _Number
    kind: str
    occurred_at: str
    idempotency_key: str | msgspec.UnsetType = msgspec.UNSET
    properties: dict[str, Any] | None = None


class _SentMany(msgspec.Struct, forbid_unknown_fields=True):
    events: list[_Sent]


_one = msgspec.json.Decoder(_Sent)
_many = msgspec.json.Decoder(_SentMany)
_NUL = b"\\u0000"


def plain_one(raw: bytes, *, key: str | None) -> list[Given] | None:
    """Return the event of a body, keyed by the header's key where it has none; None in doubt."""
    if _NUL in raw:
        return None
    try:
        sent = _one.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if sent.idempotency_key is msgspec.UNSET and key is not None:
        sent.idempotency_key = key
    return _all_given([sent])


def plain_many(raw: bytes) -> list[Given] | None:
    """Return the events of a batch; None where one of them is in doubt."""
    if _NUL in raw:
        return None
    try:
        sent = _many.decode(raw).events
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return _all_given(sent) if 0 < len(sent) <= events.MAX_BATCH else None


def _all_given(sent: list[_Sent]) -> list[Given] | None:
    given = []
    for one in sent:
        contact, key, moment = one.contact, one.idempotency_key, _moment(one.occurred_at)
        if isinstance(contact, _Number):
            numbered = contact.source, contact.record_number
            whose: Named | None = numbered if all(map(_short, numbered)) else None
        else:
            whose = contact
        if whose is None or moment is None or _key_fault(key) or _wrong_kind(one.kind):
            return None
        given.append(Given(whose, one.kind, moment, cast(str, key), one.properties))
    return given


def read(one: object, place: str, faults: list[Fault]) -> Given | None:
    """Return the event with its types, or add what is wrong to the faults."""
    before = len(faults)
    if not isinstance(one, dict):
        faults.append(Fault(place, "An event is an object."))
        return None
    if not one.keys() <= _KNOWN:
        faults.append(Fault(place, f"An event has only these fields: {', '.join(sorted(_KNOWN))}."))
    for field, wrong in (
        ("idempotency_key", _key_fault(one.get("idempotency_key"))),
        ("kind", _kind_fault(one.get("kind"))),
        ("properties", _properties_fault(one.get("properties"))),
    ):
        if wrong:
            faults.append(Fault(f"{place}/{field}", wrong))
    moment, contact = _moment(one.get("occurred_at")), _contact(one.get("contact"))
    if moment is None:
        faults.append(Fault(f"{place}/occurred_at", _MOMENT))
    if contact is None:
        faults.append(Fault(f"{place}/contact", _WHO))
    if moment is None or contact is None or len(faults) > before:
        return None
    return Given(contact, one["kind"], moment, one["idempotency_key"], one.get("properties"))


_MOMENT = "A time with its zone is needed, such as 2026-03-02T09:30:00-05:00."
_NO_KIND = "A kind is needed: a-z, 0-9, _ and dots, at most 60, such as appointment.missed."
_WHO = "A contact's id is needed, or an object with its source and record_number."


def _key_fault(key: object) -> str:
    return "" if isinstance(key, str) and 0 < len(key) <= 200 else _NO_KEY


def _kind_fault(kind: object) -> str:
    return _wrong_kind(kind) if isinstance(kind, str) else _NO_KIND


@lru_cache(maxsize=1_000)
def _wrong_kind(kind: str) -> str:
    if not events.is_kind(kind):
        return _NO_KIND
    if kind.startswith(_OURS):
        return "Kinds that begin so are recorded by Attune itself."
    return ""


def _properties_fault(properties: object) -> str:
    return "" if properties is None or isinstance(properties, dict) else "This must be an object."


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def _contact(value: object) -> UUID | tuple[str, str] | None:
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            return None
    if isinstance(value, dict) and value.keys() == {"source", "record_number"}:
        source, number = value["source"], value["record_number"]
        if _short(source) and _short(number):
            return source, number
    return None


def _short(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text.strip()) <= 200 and text.isprintable()
