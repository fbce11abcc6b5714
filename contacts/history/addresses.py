"""What a change of an address replaced: kept like any other value, sealed under the contact's key.

For what an address is reserved is left out: it would outlive the reservation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgpack

from accounts import tenancy
from audit import actor
from contacts.fields import DataClass
from contacts.history.keeping import context
from contacts.history.models import Origin, ValueChange
from crypto import data_keys
from crypto.seal import seal

FIELD = "addresses"
"""Stands where other changes have the key of a field."""

Told = dict[str, Any]


class AddressChange(NamedTuple):
    """An address before and after; None where there was none, or is none."""

    contact_id: int
    before: Told | None
    after: Told | None
    source: str

    def __repr__(self) -> str:
        return f"<a changed address of {self.contact_id}>"


def told(row: Any, value: str | dict[str, str]) -> Told:
    """Return what stands in the history of an address."""
    return {
        "kind": row.kind,
        "value": value,
        "use": row.use,
        "state": row.state,
        "preferred": row.preferred,
        "reserved": row.confidential,
        "starts_on": _day(row.starts_on),
        "ends_on": _day(row.ends_on),
    }


def keep(changes: Iterable[AddressChange], *, now: datetime) -> int:
    """Keep the changes, one row each; return how many differ."""
    real: Sequence[AddressChange] = [one for one in changes if one.before != one.after]
    if not real:
        return 0
    keys = data_keys.load(tenancy.current(), {one.contact_id for one in real})
    origins = _origins({one.source for one in real}, now)
    kind = DataClass.CONTACT_POINT.value
    rows = [
        ValueChange(
            contact_id=one.contact_id,
            data_class=kind,
            origin_id=origins[one.source],
            payload=seal(
                keys[one.contact_id],
                msgpack.packb(["", {FIELD: [one.before, one.after]}]),
                context=context(one.contact_id, kind),
            ),
        )
        for one in real
        if one.contact_id in keys
    ]
    ValueChange.objects.bulk_create(rows, batch_size=1_000)
    return len(rows)


def _origins(sources: Iterable[str], now: datetime) -> dict[str, int]:
    who = actor.current()
    made = Origin.objects.bulk_create(
        Origin(source=source, at=now, actor_kind=who.kind, actor_id=who.id[:100])
        for source in sorted(sources)
    )
    return {origin.source: origin.pk for origin in made}


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
