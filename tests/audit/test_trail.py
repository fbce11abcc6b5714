"""SE-10, SE-13, SE-14: the entry goes with the act, stays as it is, and holds no PHI."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Organisation
from audit import actions, trail
from audit.actions import NotForTheTrail
from audit.actor import Actor, NobodyActs, acting_as, current
from audit.models import Batch, Disclosure, Entry
from tests.audit.conftest import MARA
from tests.conftest import NOON


@pytest.fixture
def at_desk(at_harbor: Organisation) -> int:
    """In Harbor's scope; entries are counted from here."""
    return Entry.objects.count()


def test_an_entry_says_who_did_what_to_whom(at_harbor: Organisation) -> None:
    with acting_as(MARA):
        trail.record(
            "contact.revealed",
            subject="contact:5",
            detail={"classes": ["identity", "clinical"], "count": 1},
            outcome="refused",
        )
    entry = Entry.objects.get(action="contact.revealed")
    assert (entry.organisation_id, entry.actor_kind, entry.actor_id) == (
        at_harbor.pk,
        MARA.kind,
        MARA.id,
    )
    assert (entry.subject, entry.outcome) == ("contact:5", "refused")
    assert entry.facts() == {"classes": ["identity", "clinical"], "count": 1}


def test_many_entries_go_in_together(at_desk: int) -> None:
    assert trail.record_many(trail.Entry("message.sent", f"message:{n}") for n in range(7)) == 7
    assert Entry.objects.count() == at_desk + 7


def test_an_act_without_an_actor_fails(at_harbor: Organisation) -> None:
    with acting_as(MARA):
        assert current() == MARA
    from audit import actor

    token = actor._current.set(None)
    try:
        with pytest.raises(NobodyActs):
            trail.record("contact.viewed", subject="contact:5")
    finally:
        actor._current.reset(token)


def test_an_act_outside_any_organisation_fails(as_test: None) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        trail.record("contact.viewed", subject="contact:5")


def test_the_act_fails_when_the_trail_cannot_write(at_desk: int) -> None:
    """SE-10: no entry, no act; and no entry without the act."""
    with pytest.raises(DatabaseError), transaction.atomic():
        Disclosure.objects.create(**_disclosure())
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL transaction_read_only = on")
        trail.record("contact.viewed", subject="contact:5")
    assert (Disclosure.objects.count(), Entry.objects.count()) == (0, at_desk)


@pytest.mark.parametrize("table", [Entry, Batch, Disclosure])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_application_cannot_change_or_remove(
    at_desk: int, table: type[Entry], statement: str
) -> None:
    """SE-13, for raw SQL; the ORM goes the same way."""
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table._meta.db_table))


def test_the_orm_cannot_update_an_entry(at_desk: int) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Entry.objects.update(actor_id="somebody-else")


PHI = ["Ada Lovelace", "ada@example.org", "type 2 diabetes", "1950-01-01 00:00", "Elm St 12", ""]


@pytest.mark.parametrize("value", PHI)
def test_a_value_of_a_record_is_refused(at_desk: int, value: str) -> None:
    """SE-14; and the refusal does not repeat the value."""
    with pytest.raises(NotForTheTrail) as refusal:
        trail.record("contact.viewed", detail={"purpose": value})
    assert not value or value not in str(refusal.value)
    assert Entry.objects.count() == at_desk


def test_an_undeclared_fact_is_refused(at_desk: int) -> None:
    with pytest.raises(NotForTheTrail, match="carries no fact 'given_name'"):
        trail.record("contact.viewed", detail={"given_name": "Ada"})


def test_an_unknown_action_is_refused(at_desk: int) -> None:
    with pytest.raises(NotForTheTrail, match="declare it"):
        trail.record("contact.shown")


def test_a_subject_with_words_is_refused(at_desk: int) -> None:
    with pytest.raises(NotForTheTrail, match="subject"):
        trail.record("contact.viewed", subject="contact:Ada Lovelace")


def test_a_mistyped_fact_is_refused(at_desk: int) -> None:
    with pytest.raises(NotForTheTrail):
        trail.record("contact.viewed", detail={"classes": {"a": "b"}})  # type: ignore[dict-item]


def test_a_long_list_asks_for_a_count(at_desk: int) -> None:
    with pytest.raises(NotForTheTrail, match="record a count"):
        trail.record("contact.viewed", detail={"classes": ["x"] * 201})


def test_another_floor_can_declare_an_action(at_desk: int) -> None:
    actions.register("test.done", ["count"])
    trail.record("test.done", detail={"count": 3})
    assert Entry.objects.latest("id").facts() == {"count": 3}


def test_one_refused_entry_stops_all_of_them(at_desk: int) -> None:
    entries = [trail.Entry("contact.viewed"), trail.Entry("contact.shown")]
    with pytest.raises(NotForTheTrail):
        trail.record_many(entries)
    assert Entry.objects.count() == at_desk


def test_actors_nest(at_harbor: Organisation) -> None:
    with acting_as(MARA):
        with acting_as(Actor("system", "dispatch")):
            assert current().id == "dispatch"
        assert current() == MARA


def _disclosure() -> dict[str, object]:
    from accounts import tenancy

    return {
        "organisation_id": tenancy.current(),
        "at": NOON,
        "purpose": "research",
        "basis": "authorization",
        "actor_kind": "staff",
        "actor_id": "x",
        "recipient": "R",
        "address": "A",
        "what": "W",
    }
