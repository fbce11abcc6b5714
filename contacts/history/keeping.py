"""Write down where values come from and what they replace, in the transaction of the change.

A contact that comes in costs one number: the origin of its batch. Only what changes later, or came
with a message of its own, costs a row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgpack

from accounts import tenancy
from audit import actor
from contacts import merging
from contacts.fields import DataClass
from contacts.history.models import Origin, ValueChange
from contacts.packing import Record
from contacts.writing import Row
from crypto import data_keys
from crypto.rows import insert_rows
from crypto.seal import Context, seal, unseal

TABLE = "contacts_valuechange"
Known = Mapping[int, Mapping[DataClass, Record]]
Origins = Mapping[tuple[str, str], int]


class Said(Protocol):
    """A row or a change: whose word it is, and by which mapping."""

    @property
    def source(self) -> str: ...
    @property
    def mapping(self) -> str: ...


def origins(rows: Iterable[Said], *, run: UUID | None, now: datetime) -> Origins:
    """Make the origins of a batch: one for each source and mapping in it."""
    who = actor.current()
    wanted = list(dict.fromkeys((row.source, row.mapping) for row in rows))
    made = Origin.objects.bulk_create(
        Origin(
            source=source, mapping=mapping, run=run, at=now,
            actor_kind=who.kind, actor_id=who.id[:100],
        )
        for source, mapping in wanted
    )  # fmt: skip
    return {name: origin.pk for name, origin in zip(wanted, made, strict=True)}


def keep(before: Known, rows: Sequence[Row], by: Origins) -> None:
    """Keep what each row changed; `before` has what stood, nothing for somebody new."""
    if not rows:
        return
    here = tenancy.current()
    keys = data_keys.load(here, [row.contact_id for row in rows])
    insert_rows(
        ValueChange._meta.db_table,
        ("organisation_id", "contact_id", "data_class", "origin_id", "payload"),
        ("int4", "int8", "text", "int8", "bytea"),
        (
            (here, row.contact_id, kind.value, by[row.source, row.mapping], payload)
            for row in rows
            for kind, payload in _sealed(before.get(row.contact_id, {}), row, keys[row.contact_id])
        ),
    )


def forget(contact_ids: Collection[int], kind: DataClass, name: str) -> None:
    """Take what is known of one field out of the changes of these people."""
    keys = data_keys.load(tenancy.current(), contact_ids)
    rows = ValueChange.objects.filter(contact_id__in=keys.keys(), data_class=kind.value)
    rewritten: list[ValueChange] = []
    emptied: list[ValueChange] = []
    for row in rows.order_by("id"):
        key, sealed_for = keys[row.contact_id], context(row.contact_id, kind.value)
        message, fields = msgpack.unpackb(unseal(key, bytes(row.payload), context=sealed_for))
        if name not in fields:
            continue
        del fields[name]
        row.payload = seal(key, msgpack.packb([message, fields]), context=sealed_for)
        (rewritten if fields else emptied).append(row)
    ValueChange.objects.bulk_update(rewritten, ["payload"], batch_size=1_000)
    ValueChange.objects.filter(pk__in=[row.pk for row in emptied]).delete()


def _sealed(
    before: Mapping[DataClass, Record], row: Row, key: bytes
) -> Iterator[tuple[DataClass, bytes]]:
    for kind, after in row.records.items():
        known = before.get(kind, Record({}, {}))
        changed = {
            name: difference
            for name in dict.fromkeys([*known.values, *after.values])
            if (difference := _difference(name, known.values.get(name), after.values.get(name)))
        }
        if changed:
            packed = msgpack.packb([row.message_id, changed])
            yield kind, seal(key, packed, context=context(row.contact_id, kind.value))


def _difference(name: str, before: Any, after: Any) -> list[Any] | None:
    """Return what gave way and what came; of lists, only the items that differ."""
    if merging.is_list(name):
        old, new = _items(before), _items(after)
        before, after = [x for x in old if x not in new], [x for x in new if x not in old]
        return [before, after] if before or after else None
    return None if before == after else [before, after]


def _items(value: Any) -> list[dict[str, Any]]:
    return [{name: part for name, part in item.items() if name != "as_of"} for item in value or ()]


def context(contact_id: int, kind: str) -> Context:
    return Context(tenancy.current(), TABLE, contact_id, kind)
