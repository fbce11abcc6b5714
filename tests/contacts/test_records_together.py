"""Several that store at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connections, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts import custom_fields, records, registry, sweeping, writing
from contacts.fields import DataClass
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


def elsewhere(organisation: Organisation, act: Callable[[], object]) -> object:
    """Do something over a connection of its own, as another process would."""
    try:
        with tenancy.acting_for(organisation.pk), acting_as(Actor("system", "test")):
            return act()
    finally:
        connections.close_all()


@pytest.mark.usefixtures("committed_db")
def test_a_field_waits_for_writers_and_leaves_no_value_behind(at_harbor: Organisation) -> None:
    """Deleted while values of it come in: what came before is swept, what comes after refused."""
    custom_fields.add(label="Site", type_="text", data_class="demographic", labels=[], now=NOON)
    deleting = partial(custom_fields.delete, "custom_site", now=NOON)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            records.upsert(numbered(*range(5), custom_site="North"), now=NOON)
            deleted = pool.submit(elsewhere, at_harbor, deleting)
            with pytest.raises(TimeoutError):
                deleted.result(timeout=0.3)
        deleted.result(timeout=10)
    with pytest.raises(records.ChangeRefused):
        records.upsert(numbered(9, custom_site="North"), now=NOON)
    while sweeping.sweep(now=NOON):
        pass
    ids = list(Contact.objects.values_list("id", flat=True))
    with transaction.atomic():
        stored = writing.lock_and_open(at_harbor.pk, ids)
    assert len(stored) == 5
    assert not any(
        "custom_site" in record[DataClass.DEMOGRAPHIC].values
        for record in stored.values()
        if DataClass.DEMOGRAPHIC in record
    )


@pytest.mark.usefixtures("committed_db")
def test_a_field_added_by_another_process_is_known_at_once(at_harbor: Organisation) -> None:
    assert "custom_site" not in registry.current()
    adding = partial(
        custom_fields.add, label="Site", type_="text", data_class="clinical", labels=[], now=NOON
    )
    with ThreadPoolExecutor(1) as pool:
        pool.submit(elsewhere, at_harbor, adding).result(timeout=10)
    assert registry.current()["custom_site"].data_class is DataClass.CLINICAL
    assert records.upsert(numbered(1, custom_site="North"), now=NOON).created == 1
