"""The fields of the acting organisation: those declared in `contacts.fields`, and its own.

`current()` asks the database once, for the mark of the organisation's fields, and keeps what
belongs to a mark: so a change that another process committed is seen by the next call. Take the
mapping once for a piece of work and hand it on. Work that stores values of an organisation's own
fields takes `held()` instead, inside its transaction: until that ends, no field changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from uuid import UUID, uuid4

from django.db import connection, transaction

from accounts import tenancy
from contacts.declared.models import CustomField, FieldMark
from contacts.fields import FIELDS, Field
from crypto.rows import binary_cursor

SPACE = 0x46494C44  # "FILD": the first half of the advisory lock's key
_KEPT = 64
"""Organisations whose fields a process keeps; one more costs a query."""
_known: OrderedDict[tuple[int, UUID], Mapping[str, Field]] = OrderedDict()


def current() -> Mapping[str, Field]:
    """Return every field of the acting organisation by its key, declared ones first."""
    organisation_id = tenancy.current()
    mark = _mark(organisation_id)
    if mark is None:
        return FIELDS
    found = _known.get((organisation_id, mark))
    if found is None:
        found = _known[organisation_id, mark] = _read()
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found


def fields_for(organisation_id: int) -> Mapping[str, Field]:
    """Return the fields of an organisation, whichever the work is for."""
    with tenancy.acting_for(organisation_id):
        return current()


def held(values: Iterable[Mapping[str, object]]) -> Mapping[str, Field]:
    """Return the fields by which to store values, unchanged until the transaction ends.

    Declared fields do not change, so where only they are spoken of nothing is asked or locked.
    """
    declared = FIELDS.keys()
    if all(declared >= spoken_of.keys() for spoken_of in values):
        return FIELDS
    _lock("pg_advisory_xact_lock_shared")
    return current()


@contextmanager
def changing() -> Iterator[None]:
    """Change the organisation's fields inside: no value is stored meanwhile, and none misses it.

    A new mark before keeps what is read inside apart from what stands if the change is taken back;
    a new mark after keeps it apart from what the change has made.
    """
    with transaction.atomic():
        _lock("pg_advisory_xact_lock")
        _mark_anew()
        yield
        _mark_anew()


def _lock(function: str) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("hold the fields inside a transaction (transaction.atomic)")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [SPACE, tenancy.current()])


def _mark(organisation_id: int) -> UUID | None:
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT mark FROM contacts_fieldmark WHERE organisation_id = %b", [organisation_id]
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _mark_anew() -> None:
    FieldMark.objects.update_or_create(
        organisation_id=tenancy.current(), defaults={"mark": uuid4()}
    )


def _read() -> Mapping[str, Field]:
    rows = CustomField.objects.exclude(state=CustomField.State.DELETED).order_by(
        "created_at", "key"
    )
    return MappingProxyType({**FIELDS, **{row.key: row.as_field() for row in rows}})
