"""People put into the database, and what the reference says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import tenancy
from contacts import custom_fields, events, households, records, registry
from contacts.declared.models import CodeGroup, CodeGroupVersion
from contacts.fields import DataClass
from contacts.households import living
from contacts.models import Contact, ContactList, Event, ListMember, ordinal_of
from contacts.records import Change
from contacts.reveal import reveal
from contacts.segments import building, semantics
from contacts.segments.definition import Definition
from contacts.segments.facts import Facts, Happening
from crypto import data_keys
from crypto.ids import uuid7
from tests.conftest import NOON
from tests.contacts.segments import generated

LATE = datetime.fromisoformat("2031-01-01T00:00:00+00:00")


def add(people: Sequence[dict[str, Any]], *, now: datetime = NOON) -> list[int]:
    """Store new people with these canonical values; return their ids."""
    changes = [
        Change(
            source="test",
            record_number=str(uuid7()),
            values={key: value for key, value in values.items() if key != "last_visit"},
        )
        for values in people
    ]
    return list(records.upsert(changes, now=now).contact_ids)


def happen(contact_id: int, happenings: Sequence[Happening]) -> None:
    events.append(
        [
            events.NewEvent(
                contact_id=contact_id,
                kind=one.kind,
                occurred_at=one.at,
                campaign=one.campaign,
                link=one.link,
                machine=one.machine,
                properties=one.properties,
            )
            for one in happenings
        ],
        now=LATE,
    )


def make_list(list_id: UUID) -> None:
    ContactList.objects.create(id=list_id, name="A list", created_at=NOON)


def live_together(*contact_ids: int) -> None:
    living.join(contact_ids, now=NOON)


def make_fields() -> None:
    """Give the organisation the fields and the code groups that `generated` asks about."""
    for key, field in generated.FIELDS.items():
        if field.custom:
            custom_fields.add(
                key=key,
                label=field.label,
                type_=field.type.value,
                data_class=field.data_class.value,
                labels=(),
                choices=field.choices,
                now=NOON,
            )
    for group_id, codings in generated.GROUPS.items():
        group = CodeGroup.objects.create(
            id=group_id, name=str(group_id), version=1, created_at=NOON, updated_at=NOON
        )
        codes = [[*one, ""] for one in sorted(codings)]
        CodeGroupVersion.objects.create(group=group, number=1, codes=codes, created_at=NOON)


def put_on(list_id: UUID, contact_id: int) -> None:
    ListMember.objects.create(
        list_id=list_id,
        contact_id=contact_id,
        added_at=NOON,
        organisation_id=tenancy.current(),
    )


def facts() -> dict[int, Facts]:
    """What is known of everyone, read from the records and the event rows."""
    ids = list(Contact.objects.filter(erased_at=None).values_list("pk", flat=True))
    values = reveal(ids, list(DataClass), purpose="test")
    keys = data_keys.load(tenancy.current(), ids)
    alone = {
        contact_id: Facts(
            building.facts_values(values[contact_id], registry.current()),
            tuple(
                happening(row, keys[contact_id])
                for row in Event.objects.filter(contact_id=contact_id).order_by("id")
            ),
            frozenset(
                ListMember.objects.filter(contact_id=contact_id).values_list("list_id", flat=True)
            ),
            ordinal=ordinal_of(contact_id),
        )
        for contact_id in ids
    }
    mates = households.members_of(ids)
    return {
        contact_id: replace(one, household=tuple(alone[mate] for mate in mates.get(contact_id, ())))
        for contact_id, one in alone.items()
    }


def happening(row: Event, key: bytes) -> Happening:
    held = row.properties and events.open_properties(row.contact_id, bytes(row.properties), key=key)
    return Happening(row.kind, row.occurred_at, row.campaign, row.link, row.machine, held or {})


def by_meaning(definition: Definition, known: dict[int, Facts], *, now: datetime) -> set[int]:
    return {i for i, one in known.items() if semantics.matches(definition, one, now=now)}
