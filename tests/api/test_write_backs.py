"""HD-16: what workflows tell the record of care, read as a feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact
from messaging.models import Message
from tests.api.conftest import Machine, Maker, problem
from tests.conftest import NOON
from tests.workflows.conftest import mails, publish
from workflows import enrol, runner, writing_back
from workflows.models import WriteBack

__all__ = ["mails", "publish"]


@pytest.fixture
def told(publish: Callable[..., Any], at_harbor: Organisation) -> int:
    """Somebody was refused a mail, and the record is told so."""
    from tests.workflows.conftest import people

    step = {"id": "tell", "kind": "write_back", "event": "outreach.completed", "about": "educate",
            "next": "clicked"}  # fmt: skip
    workflow = publish(extra=step, educate={"next": "tell", "refused": "tell"})
    (one,) = people("MRN-7")
    enrol.enrol(workflow.id, [one], now=NOON)
    runner.run_once(now=NOON)
    return one


def read(machine: Machine, after: int = 0) -> Any:
    return machine.get(f"write-backs?after={after}").json()


def test_a_refused_message_is_told_as_not_done_with_its_reason(told: int, machine: Machine) -> None:
    """HD-16"""
    assert writing_back.release() == 1
    (one,) = read(machine)["communications"]
    assert (one["resourceType"], one["status"]) == ("Communication", "not-done")
    assert one["statusReason"]["coding"][0]["code"] == "no_authorization"
    assert one["reasonCode"] == [{"text": "outreach.completed"}]
    numbers = one["contained"][0]["identifier"]
    assert {"system": "ehr", "value": "MRN-7"} in numbers
    assert "payload" not in one and read(machine, 1) == {"communications": [], "next": 1}


def test_nothing_is_told_before_it_is_known_what_became_of_the_message(told: int) -> None:
    Message.objects.update(state="queued")
    assert writing_back.release() == 0
    Message.objects.update(state="sent", sent_at=NOON + timedelta(hours=1))
    assert writing_back.release() == 1
    assert WriteBack.objects.get().position == 1


def test_a_sent_message_is_told_with_its_time(told: int, machine: Machine) -> None:
    Message.objects.update(state="sent", sent_at=NOON + timedelta(hours=1))
    writing_back.release()
    (one,) = read(machine)["communications"]
    assert one["status"] == "completed" and one["sent"].startswith("2026-03-02T13:00")


def test_without_the_scope_for_identity_no_record_number_is_told(
    told: int, harbor: Organisation, machine_for: Maker
) -> None:
    writing_back.release()
    clinical = machine_for(harbor, [Permission.CONTACTS_REVEAL_CLINICAL])
    assert "MRN-7" not in str(read(clinical))
    public = Contact.objects.get(pk=told).public_id
    assert read(clinical)["communications"][0]["subject"]["identifier"]["value"] == str(public)


def test_without_the_scope_the_feed_is_closed(
    told: int, harbor: Organisation, machine_for: Maker
) -> None:
    problem(
        machine_for(harbor, [Permission.MESSAGES_VIEW]).get("write-backs"), 403, "scope-missing"
    )


def test_another_organisation_reads_its_own_feed(
    told: int, stranger: Machine, hill: Organisation
) -> None:
    """SE-01"""
    writing_back.release()
    assert read(stranger) == {"communications": [], "next": 0}
    with tenancy.acting_for(hill.pk):
        assert writing_back.release() == 0


def test_a_position_that_is_none_is_named(machine: Machine) -> None:
    body = problem(machine.get("write-backs?after=x"), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/after"


def test_a_reader_gets_the_same_page_until_it_is_acknowledged(told: int, machine: Machine) -> None:
    writing_back.release()
    for _ in range(2):
        page = machine.get("write-backs?reader=epic").json()
        assert len(page["communications"]) == 1 and page["next"] == 1
    body = {"reader": "epic", "position": 1}
    said = machine.post("write-backs/acknowledgements", body).json()
    assert said == {"reader": "epic", "position": 1, "behind": 0}
    assert machine.get("write-backs?reader=epic").json()["communications"] == []
    assert len(machine.get("write-backs?reader=other").json()["communications"]) == 1


def test_an_acknowledgement_never_goes_back(told: int, machine: Machine) -> None:
    writing_back.release()
    for position in (1, 0):
        body = {"reader": "epic", "position": position}
        assert machine.post("write-backs/acknowledgements", body).json()["position"] == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"reader": "epic", "position": 2}, "/position"), ({"reader": "E!", "position": 0}, "/reader"),
     ({"reader": "-epic", "position": 0}, "/reader"),
     ({"reader": "epic"}, "/position"), ({"reader": "epic", "position": -1}, "/position")],
)  # fmt: skip
def test_an_acknowledgement_that_cannot_be_is_named(
    told: int, machine: Machine, body: dict[str, Any], pointer: str
) -> None:
    writing_back.release()
    said = problem(machine.post("write-backs/acknowledgements", body), 422, "invalid")
    assert said["errors"][0]["pointer"] == pointer


def test_a_reader_and_a_position_at_once_are_refused(machine: Machine) -> None:
    said = problem(machine.get("write-backs?reader=epic&after=3"), 422, "invalid")
    assert said["errors"][0]["pointer"] == "/after"


def test_another_organisation_has_a_reader_of_its_own(
    told: int, machine: Machine, stranger: Machine
) -> None:
    """SE-01"""
    writing_back.release()
    body = {"reader": "epic", "position": 1}
    machine.post("write-backs/acknowledgements", body)
    problem(stranger.post("write-backs/acknowledgements", body), 422, "invalid")


def test_without_the_scope_nothing_is_acknowledged(
    harbor: Organisation, machine_for: Maker
) -> None:
    body = {"reader": "epic", "position": 0}
    blind = machine_for(harbor, [Permission.MESSAGES_VIEW])
    problem(blind.post("write-backs/acknowledgements", body), 403, "scope-missing")
