"""What erasing a person takes, what it leaves, and what races with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from audit.models import Entry
from consent import gate, ledger, suppression
from consent.gate import GateRequest
from contacts import erase, households, persons, records
from contacts.households import living, representing
from contacts.merge import acts
from contacts.models import Contact, ContactPoint, Household
from contacts.points import keeping
from contacts.points.keeping import NewPoint
from contacts.records import Change
from tests.conftest import NOON
from tests.consent.conftest import person
from tests.messaging.protection.test_encrypted import certificate

pytestmark = pytest.mark.usefixtures("at_harbor")
LATER = NOON + timedelta(hours=1)
FURTHER = "further@patients.example"


def point(contact_id: int, value: str = FURTHER) -> ContactPoint:
    return keeping.add(contact_id, NewPoint(kind="email", value=value), source="test", now=NOON)


def answer(contact_id: int) -> str:
    (found,) = gate.ask([GateRequest(contact_id, "treatment")], now=LATER)
    return getattr(found, "code", "permit")


def test_what_goes_and_what_stays_is_counted_beforehand() -> None:
    ada, ben = person("ada"), person("ben")
    point(ada)
    living.join([ada, ben], now=NOON)
    ledger.opt_out(ada, received_by="one_click", now=NOON)
    told = erase.foresee(ada)
    assert told.gone == {
        "records": 1, "record_numbers": 1, "addresses": 1, "changes": 1, "households": 1,
    }  # fmt: skip
    assert (told.kept["opt_outs"], told.total) == (1, 5)


def test_a_count_that_changed_since_erases_nothing() -> None:
    ada = person("ada")
    shown = erase.foresee(ada).total
    point(ada)
    with pytest.raises(erase.CountChanged):
        erase.erase(ada, now=NOON, expected=shown)
    assert Contact.objects.get(pk=ada).erased_at is None


def test_the_trail_says_why() -> None:
    ada = person("ada")
    erase.erase(ada, now=NOON, reason="mistake")
    assert Entry.objects.get(action="contact.erased").detail == '{"reason":"mistake"}'


def test_cs02_a_no_holds_for_an_address_that_came_after_it() -> None:
    """CS-02: the address alone comes back, from another source."""
    ada = person("ada")
    ledger.opt_out(ada, received_by="one_click", now=NOON)
    point(ada)
    erase.erase(ada, now=NOON)
    assert answer(person("back", email=FURTHER)) == "opted_out"


def test_cs02_a_suppressed_person_stays_refused_at_every_address() -> None:
    """CS-02"""
    ada = person("ada")
    suppression.suppress_person(ada, reason="request", received_by="staff", now=NOON)
    point(ada)
    erase.erase(ada, now=NOON)
    assert answer(person("back", email=FURTHER)) == "opted_out"


def test_hd05_an_address_that_others_have_too_keeps_their_own_word() -> None:
    """HD-05: the mother's no says nothing of the child, because she was erased."""
    ada, child = person("ada"), person("child", email=FURTHER)
    ledger.opt_out(ada, received_by="one_click", now=NOON)
    point(ada)
    erase.erase(ada, now=NOON)
    assert answer(child) == "permit"


def test_hd05_of_many_who_are_forgotten_at_once_each_keeps_an_own_word() -> None:
    """HD-05: one's no is not carried to the address of another who goes with it."""
    ada, ben = person("ada"), person("ben")
    ledger.opt_out(ada, received_by="one_click", now=NOON)
    point(ada)
    point(ben, "other@patients.example")
    with transaction.atomic():
        erase.forget([ada, ben], now=NOON)
    assert answer(person("back", email=FURTHER)) == "opted_out"
    assert answer(person("new", email="other@patients.example")) == "permit"


def test_a_household_of_one_is_none() -> None:
    ada, ben = person("ada"), person("ben")
    living.join([ada, ben], now=NOON)
    erase.erase(ada, now=NOON)
    assert not Household.objects.exists()
    assert households.members_of([ben]) == {}


def test_merged_contacts_go_together() -> None:
    ada, twin = person("ada"), person("twin")
    point(twin)
    acts.merge(ada, twin, now=NOON)
    assert erase.foresee(ada).gone["records"] == 2
    erase.erase(ada, now=NOON)
    assert not ContactPoint.objects.exists()
    assert not Contact.objects.filter(erased_at=None).exists()


def test_an_erased_person_is_not_given_back_by_taking_the_merge_back() -> None:
    ada, twin = person("ada"), person("twin")
    made = acts.merge(ada, twin, now=NOON)
    erase.erase(ada, now=NOON)
    with pytest.raises(acts.CannotUndo, match="erased"):
        acts.undo(made.pk, now=LATER)


def test_unmerged_and_one_erased_leaves_the_other_whole() -> None:
    ada, twin = person("ada"), person("twin", given_name="Twin")
    made = acts.merge(ada, twin, now=NOON)
    acts.undo(made.pk, now=LATER)
    erase.erase(ada, now=LATER)
    assert Contact.objects.get(pk=twin).identity is not None
    assert answer(twin) == "permit"


def test_se06_the_certificate_and_the_hash_of_its_address_go() -> None:
    """SE-06"""
    from messaging.models import RecipientKey
    from messaging.protection.keys import keeping as keys

    ada = person("ada")
    keys.add(ada, certificate(address="ada@patients.example")[0], source="staff", now=NOON)
    assert erase.foresee(ada).gone["mail_keys"] == 1
    erase.erase(ada, now=NOON)
    assert not RecipientKey.objects.exists()


def test_nothing_is_kept_of_who_was_erased() -> None:
    ada, ben = person("ada"), person("ben")
    erase.erase(ada, now=NOON)
    with pytest.raises(persons.Gone):
        point(ada)
    with pytest.raises(persons.Gone):
        living.join([ada, ben], now=NOON)
    with pytest.raises(persons.Gone):
        representing.appoint(
            ben, kind="representative", name="", authority="Proxy", holder_id=ada,
            source="staff", now=NOON,
        )  # fmt: skip


def beside(organisation: Organisation, work: Callable[[], None]) -> threading.Thread:
    """Begin a piece of work on a connection of its own."""

    def alone() -> None:
        with acting_as(Actor("system", "test")), tenancy.acting_for(organisation.pk):
            work()
        connection.close()

    thread = threading.Thread(target=alone)
    thread.start()
    return thread


@pytest.mark.usefixtures("committed_db")
def test_an_address_that_races_with_the_erasing_does_not_outlive_it(
    at_harbor: Organisation,
) -> None:
    ada, refused = person("ada"), list[str]()

    def add() -> None:
        try:
            point(ada)
        except persons.Gone:
            refused.append("gone")

    with transaction.atomic():
        erase.erase(ada, now=NOON)
        thread = beside(at_harbor, add)
        thread.join(timeout=1)
    thread.join()
    assert refused == ["gone"] and not ContactPoint.objects.exists()


@pytest.mark.usefixtures("committed_db")
def test_two_erasures_at_once_are_one(at_harbor: Organisation) -> None:
    ada, refused = person("ada"), list[str]()

    def again() -> None:
        try:
            erase.erase(ada, now=NOON)
        except erase.AlreadyErased:
            refused.append("erased")

    with transaction.atomic():
        erase.erase(ada, now=NOON)
        thread = beside(at_harbor, again)
        thread.join(timeout=1)
    thread.join()
    assert refused == ["erased"] and Entry.objects.filter(action="contact.erased").count() == 1


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("how", ["merged", "erased"])
def test_what_comes_in_meanwhile_is_not_lost(how: str, at_harbor: Organisation) -> None:
    """An import that found the contact before it was merged or erased looks again."""
    ada, twin = person("ada"), person("twin")
    came: list[int] = []

    def bring() -> None:
        change = Change(source="ehr", record_number="twin", values={"city": "Quincy"})
        came.extend(records.upsert([change], now=LATER).contact_ids)

    with transaction.atomic():
        if how == "merged":
            acts.merge(ada, twin, now=NOON)
        else:
            erase.erase(twin, now=NOON)
        thread = beside(at_harbor, bring)
        thread.join(timeout=1)
    thread.join()
    (found,) = came
    assert (found == ada) is (how == "merged") and found != twin
    assert Contact.objects.get(pk=found).contact_point is not None
    assert told(found)["city"] == "Quincy"


def told(contact_id: int) -> dict[str, object]:
    from contacts.fields import DataClass
    from contacts.reveal import reveal

    return reveal([contact_id], [DataClass.CONTACT_POINT], purpose="test")[contact_id]


@pytest.mark.usefixtures("committed_db")
def test_of_two_merges_at_once_one_is_refused(at_harbor: Organisation) -> None:
    """Each into the other would be a circle."""
    ada, twin = person("ada"), person("twin")
    refused: list[str] = []

    def other_way() -> None:
        try:
            acts.merge(twin, ada, now=NOON)
        except acts.CannotMerge:
            refused.append("merged already")

    with transaction.atomic():
        acts.merge(ada, twin, now=NOON)
        thread = beside(at_harbor, other_way)
        thread.join(timeout=1)
    thread.join()
    assert refused == ["merged already"]
    assert persons.standing_for([ada, twin]) == {ada: ada, twin: ada}
