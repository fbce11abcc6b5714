"""Change what is known of contacts that are known already, by their ids; a workflow's step does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import tenancy
from contacts import merging, registry, writing
from contacts.canonical import ValueRefused, canonical
from contacts.deaths import with_death
from contacts.facts import CLEAR
from contacts.fields import DataClass, Field, FieldType
from contacts.history import keeping
from contacts.merge import since
from contacts.packing import Record
from contacts.records import micros
from contacts.writing import Row


@dataclass(frozen=True, slots=True)
class More:
    """So much more than what is known of a number; nothing known counts as 0."""

    amount: int


def amend(changes: Mapping[int, Mapping[str, Any]], *, source: str, now: datetime) -> int:
    """Store new values, CLEAR, or More, for each contact; return how many contacts differ for it.

    Sums are made under the lock of the contact, so that two at once both count.
    """
    organisation_id = tenancy.current()
    with transaction.atomic():
        fields = registry.held(changes.values())
        clean = {id_: _clean(values, fields) for id_, values in changes.items()}
        stored = writing.lock_and_open(organisation_id, list(clean))
        rows = []
        for id_, before in stored.items():
            clean[id_] = _summed(clean[id_], before, fields)
            merged = merging.merge(before, clean[id_], as_of=micros(now), fields=fields)
            if merged.fields:
                rows.append(Row(id_, merged.records, source, now, fields=merged.fields))
        writing.update(organisation_id, rows, now=now)
        writing.announce(organisation_id, [], rows, now=now, run=None)
        if rows:
            keeping.keep(stored, rows, keeping.origins(rows, run=None, now=now))
        shared = since.merged_among(stored)
        since.keep(since.Said(id_, clean[id_], micros(now)) for id_ in shared)
    return len(rows)


def _clean(values: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    clean = {}
    for key, value in values.items():
        if key not in fields:
            raise ValueRefused(key[:60], "is not a field of contacts")
        if isinstance(value, More):
            if fields[key].type is not FieldType.NUMBER:
                raise ValueRefused(key[:60], "is not a number that something can be added to")
            clean[key] = value
            continue
        stored = value if value is CLEAR else canonical(key, value, fields=fields)
        if stored is not None:
            clean[key] = stored
    return with_death(clean)


def _summed(
    values: Mapping[str, Any], known: Mapping[DataClass, Record], fields: Mapping[str, Field]
) -> dict[str, Any]:
    summed = {}
    for key, value in values.items():
        summed[key] = value
        if isinstance(value, More):
            record = known.get(fields[key].data_class)
            held = record.values.get(key) if record else None
            summed[key] = canonical(key, (held or 0) + value.amount, fields=fields)
    return summed
