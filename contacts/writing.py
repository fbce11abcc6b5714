"""The statements that write contacts: COPY for new rows, one UPDATE for changed ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from contacts import events
from contacts.canonical import email_form, phone_form
from contacts.fields import SEALED_CLASSES, DataClass
from contacts.identity import NewNumber
from contacts.models import ordinal_of
from contacts.packing import Record, pack, unpack
from crypto import blind_index, data_keys
from crypto.ids import uuids7
from crypto.rows import Insert, binary_cursor, insert_rows
from crypto.seal import ClassSealer, Context, seal_classes, unseal

TABLE = "contacts_contact"
CLASSES = tuple(kind.value for kind in SEALED_CLASSES)
_FORMS = {"email": email_form, "phone": phone_form}

_COLUMNS = (
    "id", "organisation_id", "public_id", "ordinal", "email_index", "phone_index", *CLASSES,
    "deceased", "origin_id", "version", "created_at", "updated_at",
)  # fmt: skip
_TYPES = (
    "int8", "int4", "uuid", "int8", "bytea", "bytea", *("bytea" for _ in CLASSES),
    "bool", "int8", "int4", "timestamptz", "timestamptz",
)  # fmt: skip


_NOTHING = pack(Record({}, {}))
"""Every new contact has a record of each class: an absent one would tell who has no coverage."""


class Row(NamedTuple):
    """A contact about to be written: the records that differ, and what is said of the change."""

    contact_id: int
    records: Mapping[DataClass, Record]
    source: str
    occurred_at: datetime
    message_id: str = ""
    fields: frozenset[str] = frozenset()
    mapping: str = ""
    packed: Sequence[bytes] = ()
    """The packed record of every class, where it was made before the row had its turn."""


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
    emails = _indexes(organisation_id, rows, "email")
    phones = _indexes(organisation_id, rows, "phone")
    sealer = ClassSealer(organisation_id, TABLE, CLASSES)
    seen: dict[Any, bytes] = {}
    sealed = sealer.seal_many(
        [(keys[row[0]], row[0], row.packed or packed(row, seen)) for row in rows]
    )
    public = uuids7(len(rows), now=now)
    for row, public_id, classes in zip(rows, public, sealed, strict=True):
        yield (
            row.contact_id,
            organisation_id,
            public_id,
            ordinal_of(row.contact_id),
            emails.get(row.contact_id),
            phones.get(row.contact_id),
            *classes,
            _deceased(row),
            origins.get((row.source, row.mapping)),
            1,
            now,
            now,
        )


_ALIKE = (DataClass.DEMOGRAPHIC, DataClass.COVERAGE)
"""Classes whose records are the same for many people: within a part each is packed once."""


def packed(row: Row, seen: dict[Any, bytes]) -> list[bytes]:
    """Return the packed record of every class; `seen` has those of `_ALIKE` that came before."""
    found = []
    for kind in SEALED_CLASSES:
        record = row.records.get(kind)
        if record is None:
            found.append(_NOTHING)
        elif kind in _ALIKE:
            found.append(_packed_once(record, seen))
        else:
            found.append(pack(record))
    return found


def _packed_once(record: Record, seen: dict[Any, bytes]) -> bytes:
    spelled = (*record.values.items(), *record.as_of.items())
    try:
        packed = seen.get(spelled)
    except TypeError:  # a list, which is nobody else's
        return pack(record)
    if packed is None:
        packed = seen[spelled] = pack(record)
    return packed


def _indexes(organisation_id: int, rows: Iterable[Row], key: str) -> dict[int, bytes]:
    """Return the blind index of each row's e-mail address or phone."""
    form = _FORMS[key]
    held = {
        row.contact_id: form(value)
        for row in rows
        if (record := row.records.get(DataClass.CONTACT_POINT)) is not None
        and (value := record.values.get(key)) is not None
    }
    made = blind_index.tokens(organisation_id, key, list(held.values()))
    return dict(zip(held, made, strict=True))


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
        "email_index": _indexes(organisation_id, [row], "email").get(row.contact_id),
        "phone_index": _indexes(organisation_id, [row], "phone").get(row.contact_id),
        "deceased": _deceased(row),
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
                [emails.get(i) for i in ids],
                [phones.get(i) for i in ids],
                [_deceased(row) for row in rows],
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
            *(_happened("contact.deceased", row, run) for row in created if _deceased(row)),
            *(
                _happened("contact.deceased" if _deceased(row) else "contact.alive", row, run)
                for row in updated
                if "deceased" in row.fields
            ),
        ],
        now=now,
        insert=insert,
    )


def _deceased(row: Row) -> bool:
    known = row.records.get(DataClass.IDENTITY)
    return known is not None and known.values.get("deceased") is True


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
