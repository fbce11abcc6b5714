"""The statements that write contacts: COPY for new rows, one UPDATE for changed ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from contacts import events
from contacts.fields import SEALED_CLASSES, DataClass
from contacts.identity import NewNumber
from contacts.models import ordinal_of
from contacts.packing import Record, pack, unpack
from contacts.ready import Ready, form_of, indexes, is_deceased, of_records
from crypto import data_keys
from crypto.ids import uuids7
from crypto.rows import Insert, binary_cursor, insert_rows
from crypto.seal import ClassSealer, Context, seal_classes, unseal

TABLE = "contacts_contact"
CLASSES = tuple(kind.value for kind in SEALED_CLASSES)

_COLUMNS = (
    "id", "organisation_id", "public_id", "ordinal", "email_index", "phone_index", *CLASSES,
    "deceased", "origin_id", "version", "created_at", "updated_at",
)  # fmt: skip
_TYPES = (
    "int8", "int4", "uuid", "int8", "bytea", "bytea", *("bytea" for _ in CLASSES),
    "bool", "int8", "int4", "timestamptz", "timestamptz",
)  # fmt: skip


class Row(NamedTuple):
    """A contact about to be written: the records that differ, and what is said of the change."""

    contact_id: int
    records: Mapping[DataClass, Record]
    source: str
    occurred_at: datetime
    message_id: str = ""
    fields: frozenset[str] = frozenset()
    mapping: str = ""
    ready: Ready | None = None
    """What was made of the records before the row had its turn; of somebody new who came without
    a message it has all, and `records` are empty."""

    @property
    def deceased(self) -> bool:
        return self.ready.deceased if self.ready else is_deceased(self.records)


def create(
    organisation_id: int,
    rows: Sequence[Row],
    *,
    now: datetime,
    origins: Mapping[tuple[str, str], int] | None = None,
    insert: Insert = insert_rows,
) -> None:
    """Write new contacts with their data keys, and the origin of what is known of each."""
    if rows:
        keys = data_keys.create(organisation_id, [row.contact_id for row in rows], insert=insert)
        made = _new_rows(organisation_id, rows, keys, origins or {}, now)
        insert(TABLE, _COLUMNS, _TYPES, made)


def _new_rows(
    organisation_id: int,
    rows: Sequence[Row],
    keys: Mapping[int, bytes],
    origins: Mapping[tuple[str, str], int],
    now: datetime,
) -> Iterator[tuple[Any, ...]]:
    sealer = ClassSealer(organisation_id, TABLE, CLASSES)
    made = _all_ready(organisation_id, rows)
    sealed = sealer.seal_many(
        [(keys[row[0]], row[0], one[0]) for row, one in zip(rows, made, strict=True)]
    )
    public = uuids7(len(rows), now=now)
    for row, one, public_id, classes in zip(rows, made, public, sealed, strict=True):
        yield (
            row.contact_id,
            organisation_id,
            public_id,
            ordinal_of(row.contact_id),
            one.email_index,
            one.phone_index,
            *classes,
            one.deceased,
            origins.get((row.source, row.mapping)),
            1,
            now,
            now,
        )


def _all_ready(organisation_id: int, rows: Sequence[Row]) -> list[Ready]:
    """Return what was made of each row, and make what was not."""
    late = iter(of_records(organisation_id, (row.records for row in rows if row.ready is None)))
    return [row.ready or next(late) for row in rows]


def _indexes(organisation_id: int, rows: Sequence[Row], key: str) -> list[bytes | None]:
    """Return the blind index of each row's e-mail address or phone."""
    return indexes(organisation_id, key, [form_of(row.records, key) for row in rows])


def _seal(organisation_id: int, row: Row, key: bytes) -> dict[str, bytes]:
    packed = {kind.value: pack(record) for kind, record in row.records.items()}
    return seal_classes(
        key, packed, organisation_id=organisation_id, table=TABLE, row=row.contact_id
    )


def open_record(
    organisation_id: int, contact_id: int, kind: str, key: bytes, sealed: bytes
) -> bytes:
    """Return the packed record of one class."""
    return unseal(key, sealed, context=Context(organisation_id, TABLE, contact_id, kind))


def lock_and_open(
    organisation_id: int, ids: Sequence[int], *, lock: bool = True
) -> dict[int, dict[DataClass, Record]]:
    """Lock the contacts, in the order of their ids, and return what is known of each.

    Without `lock` they are only looked at.

    An erased contact is left out: its key is gone, and nothing is written to it again. Keys are
    read under the lock, so that erasing cannot come in between.
    """
    names = ", ".join(CLASSES)
    turn = "FOR UPDATE" if lock else ""
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id, {names} FROM {TABLE}"
            f" WHERE id = ANY(%b::int8[]) AND erased_at IS NULL ORDER BY id {turn}".encode(),
            [list(ids)],
        )
        rows = cursor.fetchall()
    keys = data_keys.load(organisation_id, [row[0] for row in rows])
    return {
        row[0]: {
            kind: unpack(
                open_record(organisation_id, row[0], kind.value, keys[row[0]], bytes(sealed))
            )
            for kind, sealed in zip(SEALED_CLASSES, row[1:], strict=True)
            if sealed is not None
        }
        for row in rows
        if row[0] in keys
    }


def open_all(
    organisation_id: int, contact_id: int, sealed: Mapping[DataClass, bytes]
) -> dict[DataClass, Record]:
    """Open the sealed records of one contact, wherever a copy of them was kept."""
    key = data_keys.load(organisation_id, [contact_id])[contact_id]
    return {
        kind: unpack(open_record(organisation_id, contact_id, kind.value, key, record))
        for kind, record in sealed.items()
    }


def clear_columns(organisation_id: int, row: Row) -> dict[str, Any]:
    """Return what stands in the clear beside the sealed records of a row."""
    return {
        "email_index": _indexes(organisation_id, [row], "email")[0],
        "phone_index": _indexes(organisation_id, [row], "phone")[0],
        "deceased": row.deceased,
    }


_SET = ", ".join(f"{name} = coalesce(u.{name}, c.{name})" for name in CLASSES)
_UPDATE = f"""
UPDATE {TABLE} c SET {_SET},
    email_index = CASE WHEN u.contact_point IS NULL THEN c.email_index ELSE u.email_index END,
    phone_index = CASE WHEN u.contact_point IS NULL THEN c.phone_index ELSE u.phone_index END,
    deceased = CASE WHEN u.identity IS NULL THEN c.deceased ELSE u.deceased END,
    version = c.version + 1, updated_at = %b::timestamptz
FROM unnest(%b::int8[], %b::bytea[], %b::bytea[], %b::bool[],
            {", ".join("%b::bytea[]" for _ in CLASSES)})
    AS u (id, email_index, phone_index, deceased, {", ".join(CLASSES)})
WHERE c.id = u.id
"""


def update(organisation_id: int, rows: Sequence[Row], *, now: datetime) -> None:
    """Write the records that differ; classes that a row does not name stay as they are."""
    if not rows:
        return
    ids = [row.contact_id for row in rows]
    keys = data_keys.load(organisation_id, ids)
    emails = _indexes(organisation_id, rows, "email")
    phones = _indexes(organisation_id, rows, "phone")
    sealed = [_seal(organisation_id, row, keys[row.contact_id]) for row in rows]
    columns = [[record.get(name) for record in sealed] for name in CLASSES]
    with binary_cursor() as cursor:
        cursor.execute(
            _UPDATE.encode(),
            [
                now,
                ids,
                emails,
                phones,
                [row.deceased for row in rows],
                *columns,
            ],
        )


def remember_numbers(
    organisation_id: int, numbers: Sequence[NewNumber], *, insert: Insert = insert_rows
) -> None:
    """Write the record numbers of contacts; a number that someone has stays theirs."""
    if numbers:
        insert(
            "contacts_identifier",
            ("contact_id", "organisation_id", "source", "value_index", "origin"),
            ("int8", "int4", "text", "bytea", "int8"),
            (
                (one.contact_id, organisation_id, one.source, one.token, one.origin)
                for one in numbers
            ),
            after="ON CONFLICT DO NOTHING",
        )


def announce(
    organisation_id: int,
    created: Sequence[Row],
    updated: Sequence[Row],
    *,
    now: datetime,
    run: UUID | None,
    insert: Insert = insert_rows,
) -> None:
    """Mark the contacts dirty and write what happened to them."""
    mark_dirty(organisation_id, [row.contact_id for row in (*created, *updated)], insert=insert)
    events.write_own(
        [
            *(_happened("contact.created", row, run) for row in created),
            *(_happened("contact.updated", row, run) for row in updated),
            *(_happened("contact.deceased", row, run) for row in created if row.deceased),
            *(
                _happened("contact.deceased" if row.deceased else "contact.alive", row, run)
                for row in updated
                if "deceased" in row.fields
            ),
        ],
        now=now,
        insert=insert,
    )


def mark_dirty(organisation_id: int, ids: Sequence[int], *, insert: Insert = insert_rows) -> None:
    if ids:
        insert(
            "contacts_dirty",
            ("organisation_id", "contact_id"),
            ("int4", "int8"),
            ((organisation_id, id_) for id_ in ids),
        )


def _happened(kind: str, row: Row, run: UUID | None) -> events.NewEvent:
    said: dict[str, Any] = {}
    if row.fields:
        said["fields"] = sorted(row.fields)
    if row.message_id:
        said["message"] = row.message_id
    return events.NewEvent(
        contact_id=row.contact_id,
        kind=kind,
        occurred_at=row.occurred_at,
        source=row.source,
        campaign=run,
        properties=said or None,
    )


def analyze() -> None:
    """Tell the planner about many new rows at once; autovacuum may take a minute to notice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT contacts_analyze()")
