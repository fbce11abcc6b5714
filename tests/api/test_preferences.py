"""Preferences and replies over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from consent.choices import topics
from consent.models import Entry, OptOut
from contacts.models import Contact
from tests.api.conftest import Machine, Maker, problem
from tests.conftest import NOON


def reply(text: str, **more: str) -> dict[str, Any]:
    now = timezone.now().isoformat()
    sent = {"channel": "email", "address": "ada.canarybird@example.org", "received_at": now}
    return sent | {"text": text} | more


def test_stop_counts_and_is_confirmed_once(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    """TC-02"""
    first = machine.post("replies", reply("Stop!")).json()
    assert first["verdict"] == "stop"
    assert first["confirmation"].startswith("Harbor Clinic: ")
    assert "http" not in first["confirmation"]
    assert machine.post("replies", reply("STOP")).json()["confirmation"] is None
    with tenancy.acting_for(harbor.pk):
        assert OptOut.objects.filter(contact_id=ada.id, channel="email").exists()


def test_free_text_waits_and_holds(machine: Machine, ada: Contact) -> None:
    """TC-02"""
    assert machine.post("replies", reply("please leave me alone")).json() == {
        "verdict": "review",
        "confirmation": None,
    }
    asked = {"contacts": [str(ada.public_id)], "purpose": "appointment"}
    (one,) = machine.post("decisions", asked).json()["decisions"]
    assert (one["answer"], one["code"]) == ("hold", "in_review")


def test_a_reply_from_the_future_is_refused(machine: Machine, ada: Contact) -> None:
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    problem(machine.post("replies", reply("STOP", received_at=later)), 422, "invalid")


def test_a_key_without_the_scope_hands_in_nothing(harbor: Organisation, machine_for: Maker) -> None:
    weak = machine_for(harbor, [Permission.CONTACTS_VIEW])
    problem(weak.post("replies", reply("STOP")), 403, "scope-missing")


def test_preferences_are_changed_in_part_and_read_back(
    machine: Machine, ada: Contact, harbor: Organisation
) -> None:
    with tenancy.acting_for(harbor.pk):
        topics.add("heart", {"en": {"name": "Heart"}}, now=NOON)
    path = f"contacts/{ada.public_id}/preferences"
    machine.patch(path, {"frequency": "monthly", "topics_off": ["heart"], "measured": False})
    machine.patch(path, {"language": "es"})
    found = machine.get(path).json()
    assert (found["frequency"], found["topics_off"], found["measured"], found["language"]) == (
        "monthly",
        ["heart"],
        False,
        "es",
    )
    assert machine.get("topics").json()["topics"][0]["key"] == "heart"


@pytest.mark.parametrize(("field", "kind"), [("everything_off", "opted_out")])
def test_everything_off_and_on_again_stand_in_the_ledger(
    machine: Machine, ada: Contact, harbor: Organisation, field: str, kind: str
) -> None:
    path = f"contacts/{ada.public_id}/preferences"
    assert machine.patch(path, {field: True}).json()[field] is True
    assert machine.patch(path, {field: False}).json()[field] is False
    with tenancy.acting_for(harbor.pk):
        assert Entry.objects.filter(contact_id=ada.id, kind=kind).exists()


def test_a_pause_needs_a_moment_in_the_future(machine: Machine, ada: Contact) -> None:
    path = f"contacts/{ada.public_id}/preferences"
    problem(machine.patch(path, {"paused_until": "2020-01-01T00:00:00Z"}), 422, "invalid")
    until = (timezone.now() + timedelta(days=9)).isoformat()
    assert machine.patch(path, {"paused_until": until}).json()["paused_until"]
    assert machine.patch(path, {"paused_until": None}).json()["paused_until"] is None


def test_another_clinics_machine_reads_nothing(stranger: Machine, ada: Contact) -> None:
    problem(stranger.get(f"contacts/{ada.public_id}/preferences"), 404, "not-found")


def test_a_person_is_suppressed_found_and_released(machine: Machine, ada: Contact) -> None:
    """CS-02, TC-03"""
    sent = {"contact": str(ada.public_id), "reason": "request"}
    made = machine.post("suppressions", sent).json()["ids"]
    asked = {"contacts": [str(ada.public_id)], "purpose": "appointment"}
    assert machine.post("decisions", asked).json()["decisions"][0]["code"] == "suppressed"
    found = machine.post("suppressions/lookup", {"address": "Ada.Canarybird@example.org"}).json()
    assert [one["id"] for one in found["suppressions"]] == made[1:]
    for one in made:
        assert machine.post(f"suppressions/{one}/release", {}).json() == {"released": True}
    assert machine.post("decisions", asked).json()["decisions"][0]["code"] != "suppressed"


@pytest.mark.parametrize("more", [{}, {"address": "a@b.example", "contact": str(UUID(int=7))}])
def test_a_suppression_is_of_an_address_or_of_a_person(
    machine: Machine, more: dict[str, str]
) -> None:
    problem(machine.post("suppressions", {"reason": "request"} | more), 422, "invalid")
