"""Messages over HTTP: their fate, and nothing to change."""

from __future__ import annotations

from contacts.models import Contact
from tests.api.conftest import Machine, problem


def test_without_messages_the_page_is_empty(machine: Machine, ada: Contact) -> None:
    answer = machine.get(f"messages?contact={ada.public_id}").json()
    assert answer == {"messages": [], "next": None}


def test_messages_cannot_be_overwritten(machine: Machine) -> None:
    problem(machine.put("messages", {}), 405, "method")


def test_a_cursor_that_is_none_is_refused(machine: Machine) -> None:
    body = problem(machine.get("messages?after=newest"), 422, "invalid")
    assert body["errors"][0]["pointer"] == "?after"


def test_messages_of_another_organisations_contact_are_not_found(
    stranger: Machine, ada: Contact
) -> None:
    """SE-02."""
    problem(stranger.get(f"messages?contact={ada.public_id}"), 404, "not-found")
