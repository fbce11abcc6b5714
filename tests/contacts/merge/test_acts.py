"""Two contacts as one person, and two again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import tenancy
from consent import gate, ledger
from consent.gate import GateRequest
from contacts import amending, erase, events, lists, matching, records
from contacts.events import NewEvent
from contacts.fields import DataClass
from contacts.merge import acts
from contacts.models import (
    BeforeMerge,
    Contact,
    Event,
    Identifier,
    ListMember,
    Merge,
    SinceMerge,
)
from contacts.records import Change
from contacts.reveal import reveal
from crypto import data_keys
from tests.conftest import NOON
from tests.consent.conftest import person

pytestmark = pytest.mark.usefixtures("at_harbor")
LATER = NOON + timedelta(hours=1)


def values(contact_id: int) -> dict[str, object]:
    found = reveal([contact_id], list(DataClass), purpose="test")
    return found.get(contact_id, {})


def say(number: str, at: object = None, **known: object) -> int:
    change = Change(source="ehr", record_number=number, values=known, occurred_at=at)  # type: ignore[arg-type]
    return records.upsert([change], now=LATER).contact_ids[0]


def happened(contact_id: int, **given: object) -> None:
    one = NewEvent(contact_id=contact_id, kind="visited", occurred_at=NOON, **given)  # type: ignore[arg-type]
    events.append([one], now=NOON)


def code(contact_id: int, purpose: str = "treatment") -> str:
    (answer,) = gate.ask([GateRequest(contact_id, purpose)], now=LATER)
    return getattr(answer, "code", "permit")


def test_the_merged_person_knows_what_both_knew() -> None:
    ada, twin = person("ada", city="Boston"), person("twin", given_name="Ada")
    acts.merge(ada, twin, now=NOON)
    known = values(ada)
    assert (known["city"], known["given_name"]) == ("Boston", "Ada")
    assert values(twin) == {}


def test_the_later_word_on_a_value_stays() -> None:
    ada = say("ada", NOON - timedelta(days=2), city="Boston")
    twin = say("twin", NOON - timedelta(days=1), city="Quincy")
    acts.merge(ada, twin, now=NOON)
    assert values(ada)["city"] == "Quincy"


def test_numbers_events_and_lists_of_both_lead_to_the_one_that_stays() -> None:
    ada, twin = person("ada"), person("twin")
    happened(twin)
    both = lists.create("both", now=NOON)
    lists.add(both.id, [twin], now=NOON)
    acts.merge(ada, twin, now=NOON)
    assert matching.ids_by_number([("ehr", "twin")]) == [ada]
    assert Event.objects.get(kind="visited").contact_id == ada
    assert list(ListMember.objects.values_list("contact_id", flat=True)) == [ada]


def test_the_old_id_leads_to_the_one_that_stays() -> None:
    ada, twin = person("ada"), person("twin")
    name = Contact.objects.get(pk=twin).public_id
    acts.merge(ada, twin, now=NOON)
    assert matching.ids_by_public_id([name]) == {name: ada}


def test_properties_of_moved_events_open_for_the_one_that_stays_and_back() -> None:
    ada, twin = person("ada"), person("twin")
    happened(twin, properties={"amount": 5})
    made = acts.merge(ada, twin, now=NOON)
    assert opened(ada) == {"amount": 5}
    acts.undo(made.pk, now=LATER)
    assert opened(twin) == {"amount": 5}


def opened(contact_id: int) -> dict[str, object]:
    event = Event.objects.get(kind="visited", contact_id=contact_id)
    assert event.properties is not None
    key = data_keys.load(tenancy.current(), [contact_id])[contact_id]
    return events.open_properties(contact_id, bytes(event.properties), key=key)


def test_hd04_the_more_restrictive_word_of_either_counts_and_comes_apart_again() -> None:
    """HD-04: A opted out and B consented; merged is refused; taken apart, both are as before."""
    opted_out, agreed = person("a"), person("b")
    ledger.opt_out(opted_out, received_by="test", now=NOON)
    before = code(opted_out), code(agreed)
    made = acts.merge(agreed, opted_out, now=NOON)
    merged = code(agreed)
    acts.undo(made.pk, now=LATER)
    assert merged == "opted_out"
    assert (code(opted_out), code(agreed)) == before == ("opted_out", "permit")


def test_hd06_death_of_either_is_death_of_the_person() -> None:
    """HD-06"""
    ada, twin = person("ada"), person("twin", deceased=True)
    made = acts.merge(ada, twin, now=NOON)
    merged = code(ada)
    acts.undo(made.pk, now=LATER)
    assert (merged, code(ada), code(twin)) == ("deceased", "permit", "deceased")


def test_hd06_death_that_a_merge_brings_is_told_to_whoever_waits() -> None:
    """HD-06: enrolments stop by the event."""
    ada, twin = person("ada"), person("twin", deceased=True)
    acts.merge(ada, twin, now=NOON)
    told = Event.objects.filter(contact_id=ada, kind="contact.deceased", source="merge")
    assert told.exists()


def test_what_named_the_others_number_since_goes_back_to_it() -> None:
    ada, twin = person("ada"), person("twin")
    made = acts.merge(ada, twin, now=NOON)
    say("twin", city="Quincy")
    say("ada", state="MA")
    assert (values(ada)["city"], values(ada)["state"]) == ("Quincy", "MA")
    acts.undo(made.pk, now=LATER)
    assert "city" not in values(ada)
    assert values(ada)["state"] == "MA"
    assert values(twin)["city"] == "Quincy"


def test_what_staff_corrected_since_stays_with_the_one_that_stayed() -> None:
    ada, twin = person("ada"), person("twin", city="Quincy")
    made = acts.merge(ada, twin, now=NOON)
    amending.amend({ada: {"city": "Salem"}}, source="staff", now=LATER)
    acts.undo(made.pk, now=LATER)
    assert (values(ada)["city"], values(twin)["city"]) == ("Salem", "Quincy")


def test_events_that_named_the_other_since_go_back_to_it() -> None:
    ada, twin = person("ada"), person("twin")
    made = acts.merge(ada, twin, now=NOON)
    happened(ada, through=twin, link="theirs")
    happened(ada, link="mine")
    acts.undo(made.pk, now=LATER)
    found = dict(Event.objects.filter(kind="visited").values_list("link", "contact_id"))
    assert found == {"theirs": twin, "mine": ada}


def test_an_event_repeated_after_the_merge_is_a_repeat() -> None:
    ada, twin = person("ada"), person("twin")
    happened(twin, key="k1")
    acts.merge(ada, twin, now=NOON)
    again = NewEvent(contact_id=ada, through=twin, kind="visited", occurred_at=NOON, key="k1")
    assert events.append([again], now=NOON).duplicates == 1


def test_a_number_learned_since_goes_back_with_whom_it_came_through() -> None:
    ada, twin = person("ada"), person("twin")
    made = acts.merge(ada, twin, now=NOON)
    change = Change(source="ehr", record_number="twin", values={}, also=(("lab", "77"),))
    records.upsert([change], now=LATER)
    acts.undo(made.pk, now=LATER)
    assert matching.ids_by_number([("lab", "77")]) == [twin]


def test_who_left_a_list_since_is_on_it_on_neither_side() -> None:
    ada, twin = person("ada"), person("twin")
    chosen = lists.create("x", now=NOON)
    lists.add(chosen.id, [twin], now=NOON)
    made = acts.merge(ada, twin, now=NOON)
    lists.remove(chosen.id, [ada], now=LATER)
    acts.undo(made.pk, now=LATER)
    assert not ListMember.objects.exists()


def test_a_merge_under_a_merge_is_taken_back_from_the_top() -> None:
    ada, twin, third = person("ada"), person("twin"), person("third", city="Lynn")
    inner = acts.merge(twin, third, now=NOON)
    outer = acts.merge(ada, twin, now=LATER)
    with pytest.raises(acts.CannotUndo, match="first"):
        acts.undo(inner.pk, now=LATER)
    acts.undo(outer.pk, now=LATER)
    assert values(twin)["city"] == "Lynn"
    acts.undo(inner.pk, now=LATER)
    assert matching.ids_by_number([("ehr", "third"), ("ehr", "twin")]) == [third, twin]
    assert "city" not in values(twin)


def test_the_first_of_two_merges_can_be_taken_back_alone() -> None:
    ada, one, two = person("ada"), person("one", city="Lynn"), person("two", state="MA")
    first = acts.merge(ada, one, now=NOON)
    acts.merge(ada, two, now=LATER)
    acts.undo(first.pk, now=LATER)
    assert "city" not in values(ada)
    assert values(ada)["state"] == "MA"
    assert values(one)["city"] == "Lynn"


def test_taking_back_leaves_nothing_kept_for_it() -> None:
    ada, twin = person("ada"), person("twin")
    made = acts.merge(ada, twin, now=NOON)
    say("twin", city="Quincy")
    acts.undo(made.pk, now=LATER)
    assert not BeforeMerge.objects.exists()
    assert not SinceMerge.objects.exists()


@pytest.mark.parametrize("other", ["itself", "merged", "erased"])
def test_only_two_living_contacts_are_merged(other: str) -> None:
    ada, twin, third = person("ada"), person("twin"), person("third")
    acts.merge(third, twin, now=NOON)
    gone = person("gone")
    erase.erase(gone, now=NOON)
    wrong = {"itself": ada, "merged": twin, "erased": gone}[other]
    with pytest.raises(acts.CannotMerge):
        acts.merge(ada, wrong, now=NOON)


def test_a_merge_is_taken_back_once() -> None:
    made = acts.merge(person("ada"), person("twin"), now=NOON)
    acts.undo(made.pk, now=LATER)
    with pytest.raises(acts.CannotUndo):
        acts.undo(made.pk, now=LATER)


def test_erasing_the_person_erases_every_contact_of_it() -> None:
    ada, twin = person("ada"), person("twin", city="Quincy")
    acts.merge(ada, twin, now=NOON)
    erase.erase(ada, now=LATER)
    rows = Contact.objects.filter(pk__in=[ada, twin])
    assert [row.sealed() for row in rows] == [{}, {}]
    assert not Identifier.objects.exists()
    assert not BeforeMerge.objects.exists()
    with pytest.raises(acts.CannotUndo, match="erased"):
        acts.undo(Merge.objects.get().pk, now=LATER)
