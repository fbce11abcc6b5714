"""Several that store at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts import records
from contacts.models import Contact, Event, Identifier
from contacts.records import Change
from tests.conftest import NOON

TOGETHER = 4


def together(organisation: Organisation, changes: list[list[Change]]) -> None:
    """Store each list from a thread and connection of its own, all at the same moment."""
    start = Barrier(len(changes))

    def store(mine: list[Change]) -> None:
        try:
            with tenancy.acting_for(organisation.pk), acting_as(Actor("system", "test")):
                start.wait()
                records.upsert(mine, now=NOON)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(changes)) as pool:
        list(pool.map(store, changes))


def numbered(*numbers: int, **values: str) -> list[Change]:
    return [Change(source="ehr", record_number=str(n), values=values) for n in numbers]


@pytest.mark.usefixtures("committed_db")
def test_hd02_one_person_brought_by_many_at_once_is_one_contact(at_harbor: Organisation) -> None:
    together(at_harbor, [numbered(*range(50), city="Boston") for _ in range(TOGETHER)])
    assert Contact.objects.count() == 50
    assert Identifier.objects.count() == 50
    assert Event.objects.filter(kind="contact.created").count() == 50


@pytest.mark.usefixtures("committed_db")
def test_updates_in_opposite_orders_do_not_block_each_other(at_harbor: Organisation) -> None:
    records.upsert(numbered(*range(50)), now=NOON)
    there, back = list(range(50)), list(reversed(range(50)))
    together(at_harbor, [numbered(*(there if n % 2 else back), city=f"City {n}") for n in range(4)])
    assert Contact.objects.count() == 50
