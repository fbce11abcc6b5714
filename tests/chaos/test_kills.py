"""Processes are killed at random moments of a journey: nobody is mailed twice, nobody is lost.

The short form runs with every `make test`. The full one, twenty kills:
`pytest tests/chaos -m full`.
"""

from __future__ import annotations

import pytest

from accounts import tenancy
from contacts.models import Contact
from tests.chaos.clinic import Clinic, nothing_is_left
from tests.chaos.conftest import Opening
from workflows.models import Enrolment


def people_of(clinic: Clinic) -> list[Contact]:
    with tenancy.acting_for(clinic.organisation_id):
        return list(Contact.objects.order_by("id"))


def endure(clinic: Clinic, *, kills: int, pause: tuple[float, float]) -> None:
    """Live through half of the kills while the first mails go, half while the answers come."""
    people = people_of(clinic)
    clinic.watch_until(lambda: bool(clinic.mailbox.store.keys()))
    clinic.live_through(kills // 2, pause=pause)
    clinic.watch_until(lambda: at_step(clinic, "clicked") == len(people))
    for number, contact in enumerate(people[::2]):
        clinic.tell(contact, "class.booked")
        if number % 2 and sum(clinic.kills.values()) < kills:
            clinic.live_through(1, pause=pause)
    clinic.live_through(kills - sum(clinic.kills.values()), pause=pause)
    clinic.mailbox.behaviour.delay = 0.0
    clinic.finish()


def at_step(clinic: Clinic, node: str) -> int:
    with tenancy.acting_for(clinic.organisation_id):
        return Enrolment.objects.filter(node=node).count()


def nobody_was_mailed_twice(clinic: Clinic) -> None:
    """EM-09."""
    assert {m: n for m, n in clinic.arrivals().items() if n > 1} == {}
    assert {m: n for m, n in clinic.mails_to().items() if n > 1} == {}


def nobody_was_lost(clinic: Clinic) -> None:
    """Everybody is in the journey once and has the mails of the steps that she passed."""
    people = [contact.pk for contact in people_of(clinic)]
    booked = people[::2]
    with tenancy.acting_for(clinic.organisation_id):
        enrolled = list(Enrolment.objects.order_by("contact_id").values_list("contact_id", "node"))
    assert [contact for contact, _ in enrolled] == people
    steps = sorted((message.step, message.contact_id) for message in clinic.messages())
    assert steps == sorted(
        [("educate", one) for one in people] + [("invite", one) for one in booked]
    )


def every_fate_is_told_as_it_is(clinic: Clinic) -> None:
    """EM-10: `sent` arrived; what arrived is `sent` or `unknown`; nothing hangs in between."""
    arrived = set(clinic.arrivals())
    assert nothing_is_left(clinic.states(), ("queued", "claimed", "handing_over", "deferred"))
    assert set(clinic.states()) <= {"sent", "unknown"}
    for message in clinic.messages():
        if message.state == "sent":
            assert message.message_id_header in arrived
    assert arrived <= {message.message_id_header for message in clinic.messages()}


@pytest.mark.parametrize(
    ("people", "kills"), [(60, 6), pytest.param(400, 20, marks=pytest.mark.full)]
)
def test_killed_processes_send_nothing_twice_and_lose_nobody(
    open_clinic: Opening, people: int, kills: int
) -> None:
    clinic = open_clinic(people, seed=kills, delay=0.05)
    endure(clinic, kills=kills, pause=(0.3, 2.0))
    assert sum(clinic.kills.values()) == kills
    nobody_was_mailed_twice(clinic)
    nobody_was_lost(clinic)
    every_fate_is_told_as_it_is(clinic)
    clinic.reconcile()
    clinic.finish()
    assert set(clinic.states()) == {"sent"}
    nobody_was_mailed_twice(clinic)


@pytest.mark.parametrize(
    ("people", "seconds"), [(40, 2.0), pytest.param(400, 10.0, marks=pytest.mark.full)]
)
def test_while_the_mail_server_is_away_every_mail_waits_and_then_arrives_once(
    open_clinic: Opening, people: int, seconds: float
) -> None:
    """EM-10."""
    clinic = open_clinic(people, seed=1, delay=0.05)
    clinic.watch_until(lambda: len(clinic.mailbox.store.keys()) > people // 10)
    clinic.mail_server_goes_away(seconds)
    clinic.mailbox.behaviour.delay = 0.0
    clinic.watch_for(2.0)
    clinic.finish()
    clinic.reconcile()
    clinic.finish()
    nobody_was_mailed_twice(clinic)
    assert clinic.states() == {"sent": people}
    assert set(clinic.arrivals()) == {one.message_id_header for one in clinic.messages()}
