"""Events over HTTP: each counted once (HD-02)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry
from contacts.models import Contact, Event
from tests.api.conftest import Machine, problem


@pytest.fixture(autouse=True, params=["a key's first use", "a key known good"])
def _used(request: pytest.FixtureRequest, machine: Machine, stranger: Machine) -> None:
    """Take every event by the long way and, where nothing is wrong with it, by the short one."""
    if request.param == "a key known good":
        machine.get("purposes")
        stranger.get("purposes")


def missed(contact: Contact, key: str = "visit-1", /, **more: Any) -> dict[str, Any]:
    return {
        "contact": str(contact.public_id),
        "kind": "appointment.missed",
        "occurred_at": "2026-03-01T09:30:00-05:00",
        "idempotency_key": key,
    } | more


def counted(organisation: Organisation) -> int:
    with tenancy.acting_for(organisation.pk):
        return Event.objects.filter(kind="appointment.missed").count()


def test_an_event_is_taken(machine: Machine, ada: Contact, harbor: Organisation) -> None:
    response = machine.post("events", missed(ada))
    assert (response.status_code, response.json()) == (201, {"status": "accepted"})
    assert counted(harbor) == 1


def test_the_same_event_three_times_counts_once(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    """HD-02."""
    answers = [machine.post("events", missed(ada)).json()["status"] for _ in range(3)]
    assert answers == ["accepted", "duplicate", "duplicate"]
    assert counted(harbor) == 1


def test_the_same_key_for_another_event_is_a_conflict(machine: Machine, ada: Contact) -> None:
    """HD-02."""
    machine.post("events", missed(ada))
    other = missed(ada, occurred_at="2026-03-02T09:30:00-05:00")
    body = problem(machine.post("events", other), 409, "key-reused")
    assert body["errors"][0]["pointer"] == "/idempotency_key"


def test_an_event_without_a_key_is_named_by_its_index(machine: Machine, ada: Contact) -> None:
    """HD-02."""
    second = missed(ada)
    del second["idempotency_key"]
    body = problem(machine.post("events/batch", {"events": [missed(ada), second]}), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/events/1/idempotency_key"
    assert "idempotency_key is needed" in body["errors"][0]["detail"]


def test_a_batch_with_a_fault_stores_nothing(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    machine.post("events/batch", {"events": [missed(ada), missed(ada, "b", kind="Not a kind")]})
    assert counted(harbor) == 0


def test_each_event_of_a_batch_has_its_result(machine: Machine, ada: Contact) -> None:
    machine.post("events", missed(ada, "seen"))
    nobody = missed(ada, "who", contact={"source": "epic", "record_number": "none"})
    answer = machine.post(
        "events/batch", {"events": [missed(ada, "seen"), missed(ada, "new"), nobody]}
    ).json()
    statuses = [result["status"] for result in answer["results"]]
    assert statuses == ["duplicate", "accepted", "unknown_contact"]
    assert (answer["accepted"], answer["duplicates"], answer["unknown_contacts"]) == (1, 1, 1)


def test_a_contact_may_be_named_by_its_record_number(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    sent = missed(ada, contact={"source": "epic", "record_number": "MRN-0042"})
    assert machine.post("events", sent).status_code == 201
    assert counted(harbor) == 1


def test_a_contact_of_another_organisation_is_unknown(stranger: Machine, ada: Contact) -> None:
    """SE-02."""
    problem(stranger.post("events", missed(ada)), 422, "invalid")


def test_the_header_may_carry_the_key(machine: Machine, ada: Contact) -> None:
    sent = missed(ada)
    del sent["idempotency_key"]
    assert machine.post("events", sent, Idempotency_Key="h-1").status_code == 201
    assert machine.post("events", sent, Idempotency_Key="h-1").json()["status"] == "duplicate"


def test_more_than_a_thousand_are_refused(machine: Machine, ada: Contact) -> None:
    events = [missed(ada, str(number)) for number in range(1_001)]
    problem(machine.post("events/batch", {"events": events}), 422, "invalid")


def test_our_own_kinds_cannot_be_sent(machine: Machine, ada: Contact) -> None:
    """A machine cannot pretend that a person clicked."""
    body = problem(machine.post("events", missed(ada, kind="message.clicked")), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/kind"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("occurred_at", "2026-03-01T09:30:00"),
        ("occurred_at", "yesterday"),
        ("occurred_at", "2999-01-01T00:00:00Z"),
        ("contact", 7),
        ("contact", {"source": "epic"}),
        ("properties", "text"),
        ("properties", {"note": "x" * 9_000}),
        ("kind", None),
        ("idempotency_key", "x" * 201),
    ],
)
def test_a_wrong_field_is_pointed_at(
    field: str, value: object, machine: Machine, ada: Contact
) -> None:
    body = problem(machine.post("events", missed(ada) | {field: value}), 422, "invalid")
    assert body["errors"][0]["pointer"] == f"/{field}"


def test_taking_events_is_in_the_trail(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    """SR-02."""
    machine.post("events", missed(ada))
    with tenancy.acting_for(harbor.pk):
        assert Entry.objects.filter(action="events.received", actor_kind="api_key").count() == 1
