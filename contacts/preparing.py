"""Make changes ready for their turn to be stored: canonical, and packed where they bring somebody.

It reads and locks nothing, so that many parts are made ready side by side; `contacts.records.store`
does the rest in turn.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounts import tenancy
from contacts import identity, merging, registry
from contacts.changes import Change, cleaned
from contacts.facts import CLEAR
from contacts.fields import FIELDS, DataClass, Field
from contacts.packing import Record
from contacts.ready import New, of_values
from contacts.writing import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Canonical changes with the blind indexes of their numbers, the first one first, and by
    number the row of each person whom nobody knew when it was made.

    A row is used where its person is new still, no other change speaks of them, and the fields are
    what they were.
    """

    changes: Sequence[Change]
    tokens: Sequence[Sequence[bytes]]
    rows: Mapping[identity.Number, Row]
    fields: Mapping[str, Field]


def prepare(changes: Sequence[Change], *, now: datetime, is_clean: bool = False) -> Prepared:
    """Do what can be done for `store` before its turn; reads, and locks nothing.

    `is_clean` says that the changes came out of `clean`. Raises ChangeRefused.
    """
    with no_collector():
        if not is_clean:
            changes = cleaned(changes, fields=_fields(changes))
        fields = _fields(changes)
        tokens = identity.tokens_of_each(tenancy.current(), [numbers(c) for c in changes])
        known = identity.known(tenancy.current(), [own[0] for own in tokens]) if changes else {}
        unknown = [
            change for change, own in zip(changes, tokens, strict=True) if own[0] not in known
        ]
        rows = _rows(unknown, now, fields)
    return Prepared(changes, tokens, rows, fields)


def _fields(changes: Sequence[Change]) -> Mapping[str, Field]:
    """Return the fields that the changes speak of, as they are now."""
    declared = FIELDS.keys()
    if all(declared >= change.values.keys() for change in changes):
        return FIELDS
    return registry.current()


def _rows(
    changes: Sequence[Change], now: datetime, fields: Mapping[str, Field]
) -> dict[identity.Number, Row]:
    """Return the rows of new people, without an id yet; with the records that history asks for."""
    said = (New(with_numbers(change), as_of(change, now)) for change in changes)
    made = of_values(tenancy.current(), said, fields=fields)
    return {
        (change.source, change.record_number): Row(
            0,
            _records(change, now, fields) if change.message_id else {},
            change.source,
            change.occurred_at or now,
            change.message_id,
            mapping=change.mapping,
            ready=one,
        )
        for change, one in zip(changes, made, strict=True)
    }


def _records(change: Change, now: datetime, fields: Mapping[str, Field]) -> dict[DataClass, Record]:
    """Return what is known of a person of whom only this was said."""
    return merging.fresh(with_numbers(change), as_of=as_of(change, now), fields=fields)


def numbers(change: Change) -> tuple[identity.Number, ...]:
    """Return every number of the change's person, the one that identifies first."""
    return ((change.source, change.record_number), *change.also)


def with_numbers(change: Change) -> dict[str, Any]:
    """Return the change's values with the person's numbers among them."""
    values = dict(change.values)
    own = [{"source": source, "value": number} for source, number in numbers(change)]
    if values.get("record_numbers") is not CLEAR:
        values["record_numbers"] = [*values.get("record_numbers", ()), *own]
    return values


def as_of(change: Change, now: datetime) -> int:
    """When the source knew it; a clock that runs ahead cannot block what comes tomorrow."""
    return micros(min(change.occurred_at or now, now))


def micros(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@contextmanager
def no_collector() -> Iterator[None]:
    """Keep the collector of cycles away from a batch: it has none, and is walked in vain many
    times over, which takes a third of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
