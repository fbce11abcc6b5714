"""Take the values of deleted fields out of every record and its history, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts import tenancy
from audit import trail
from contacts import writing
from contacts.declared.models import CustomField
from contacts.fields import DataClass
from contacts.history import keeping
from contacts.models import Contact
from contacts.packing import Record
from contacts.writing import Row

BATCH = 2_000


def sweep(*, now: datetime, batch: int = BATCH) -> int:
    """Sweep the next contacts for the field deleted longest ago; return how many were looked at.

    Nobody can add a value behind the sweep: whoever stores one holds the fields as they are
    (`contacts.registry.held`), and the deletion waited for them.
    """
    with transaction.atomic():
        field = (
            CustomField.objects.select_for_update(skip_locked=True)
            .filter(swept__isnull=False)
            .order_by("updated_at")
            .first()
        )
        return 0 if field is None else _sweep_one(field, now, batch)


def _sweep_one(field: CustomField, now: datetime, batch: int) -> int:
    ids = list(
        Contact.objects.filter(id__gt=field.swept, erased_at=None)
        .order_by("id")
        .values_list("id", flat=True)[:batch]
    )
    kind = DataClass(field.data_class)
    stored = writing.lock_and_open(tenancy.current(), ids) if ids else {}
    rows = [
        Row(contact_id, {kind: without}, "", now)
        for contact_id, known in stored.items()
        if (without := _without(known, kind, field.key)) is not None
    ]
    writing.update(tenancy.current(), rows, now=now)
    keeping.forget(ids, kind, field.key)
    field.swept = ids[-1] if ids else None
    field.save(update_fields=["swept"])
    if rows:
        trail.record("field.swept", subject=f"field:{field.key}", detail={"count": len(rows)})
    return len(ids)


def _without(known: Mapping[DataClass, Record], kind: DataClass, key: str) -> Record | None:
    record = known.get(kind)
    if record is None or key not in record.as_of:
        return None
    return Record(
        {name: value for name, value in record.values.items() if name != key},
        {name: at for name, at in record.as_of.items() if name != key},
    )
