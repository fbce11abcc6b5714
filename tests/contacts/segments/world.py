"""People put into the database, and what the reference says of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import tenancy
from contacts import events, records
from contacts.fields import DataClass
from contacts.models import Contact, ContactList, Event, ListMember
from contacts.records import Change
from contacts.reveal import reveal
from contacts.segments import building, semantics
from contacts.segments.definition import Definition
from contacts.segments.facts import Facts, Happening
from crypto.ids import uuid7
from tests.conftest import NOON

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
            )
            for one in happenings
        ],
        now=LATE,
    )


def make_list(list_id: UUID) -> None:
    ContactList.objects.create(id=list_id, name="A list", created_at=NOON)


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
    return {
        contact_id: Facts(
            building.facts_values(values[contact_id]),
            tuple(
                Happening(e.kind, e.occurred_at, e.campaign, e.link, e.machine)
                for e in Event.objects.filter(contact_id=contact_id)
            ),
            frozenset(
                ListMember.objects.filter(contact_id=contact_id).values_list("list_id", flat=True)
            ),
        )
        for contact_id in ids
    }


def by_meaning(definition: Definition, known: dict[int, Facts], *, now: datetime) -> set[int]:
    return {i for i, one in known.items() if semantics.matches(definition, one, now=now)}
