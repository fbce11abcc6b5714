"""Text templates and lists of numbers over HTTP."""

from __future__ import annotations

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from consent.models import Suppression
from messaging.models import Template
from tests.api.conftest import Machine, Maker, problem

TEXT = {
    "name": "Visit reminder by text",
    "channel": "sms",
    "purpose": "appointment",
    "text": "{{ organisation.name }}: your visit is near. Call 617-555-0100. STOP to end.",
}


def test_a_text_is_made_and_checked(machine: Machine) -> None:
    made = machine.post("templates", TEXT).json()
    assert made["channel"] == "sms"
    assert machine.get(f"templates/{made['id']}/checks").json()["sound"] is True


def test_a_text_takes_no_body(machine: Machine) -> None:
    problem(machine.post("templates", TEXT | {"mjml": "<mjml></mjml>"}), 422, "invalid")


def test_a_mail_needs_its_body(machine: Machine) -> None:
    problem(machine.post("templates", TEXT | {"channel": "email"}), 422, "invalid")


def test_a_channel_never_changes(machine: Machine, harbor: Organisation) -> None:
    made = machine.post("templates", TEXT).json()
    mail = {"channel": "email", "subject": "News", "mjml": "<mjml></mjml>"}
    problem(machine.put(f"templates/{made['id']}", TEXT | mail), 422, "invalid")
    with tenancy.acting_for(harbor.pk):
        assert Template.objects.get().channel == "sms"


def test_a_draft_is_written_without_naming_its_channel(machine: Machine) -> None:
    made = machine.post("templates", TEXT).json()
    again = {name: value for name, value in TEXT.items() if name != "channel"}
    assert machine.put(f"templates/{made['id']}", again).status_code == 200


def test_tc06_numbers_are_left_out_of_texts(machine: Machine, harbor: Organisation) -> None:
    """TC-06"""
    given = {"reason": "reassigned", "numbers": ["+16175550101", "617-555-0102", "12"]}
    said = machine.post("number-lists", given).json()
    assert (said["added"], [one["place"] for one in said["refused"]]) == (2, [3])
    with tenancy.acting_for(harbor.pk):
        kept = set(Suppression.objects.values_list("channel", "reason"))
    assert kept == {("sms", "reassigned")}


def test_a_key_without_the_scope_lists_no_number(harbor: Organisation, machine_for: Maker) -> None:
    reader = machine_for(harbor, [Permission.CONSENT_VIEW])
    given = {"reason": "reassigned", "numbers": ["+16175550101"]}
    problem(reader.post("number-lists", given), 403, "scope-missing")
