"""Shared blocks and copies of templates by machines."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation
from accounts.roles import Permission
from marketing.api.template_forms import EXAMPLE
from tests.api.conftest import Machine, Maker, problem

pytestmark = pytest.mark.django_db
GREETING = {
    "name": "Greeting",
    "kind": "personal",
    "mjml": '<mj-text>Dear {{ contact.given_name | default("neighbor") }},</mj-text>',
    "declared": ["given_name"],
}
INCLUDING = str(EXAMPLE["mjml"]).replace("<mj-column>", '<mj-column><mj-include path="greeting" />')


def made(machine: Machine, **changed: Any) -> str:
    answer = machine.post("blocks", GREETING | changed)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_block_is_made_published_and_listed(machine: Machine) -> None:
    number = made(machine)
    assert machine.post(f"blocks/{number}/versions", {}).json() == {"number": 1, "drafts": 0}
    (row,) = machine.get("blocks").json()["blocks"]
    assert (row["slug"], row["published"]) == ("greeting", 1)
    assert row["include"] == '<mj-include path="greeting" />'


def test_publishing_tells_how_many_drafts_take_it_and_versions_stay(machine: Machine) -> None:
    number = made(machine)
    machine.post(f"blocks/{number}/versions", {})
    body = EXAMPLE | {"mjml": INCLUDING, "text": ""}
    template = machine.post("templates", body).json()["id"]
    machine.post(f"templates/{template}/versions", {})
    machine.put(f"blocks/{number}", GREETING | {"mjml": "<mj-text>Hello there,</mj-text>"})
    assert machine.post(f"blocks/{number}/versions", {}).json() == {"number": 2, "drafts": 1}
    (using,) = machine.get(f"blocks/{number}").json()["used_by"]
    assert (using["template"], using["in_draft"], using["holds"]) == (template, True, 1)
    shown = machine.post(f"templates/{template}/previews", {"version": 1}).json()
    assert "Hello there" not in shown["text"]
    draft = machine.post(f"templates/{template}/previews", {"draft": True}).json()
    assert "Hello there" in draft["text"]


def test_a_block_that_no_mail_could_hold_is_refused_by_place(machine: Machine) -> None:
    number = made(machine, mjml="<mj-text>{{ contact.shoe }}</mj-text>")
    body = problem(machine.post(f"blocks/{number}/versions", {}), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/mjml"


def test_a_field_that_there_is_not_is_refused_by_place(machine: Machine) -> None:
    answer = machine.post("blocks", GREETING | {"declared": ["shoe"]})
    assert problem(answer, 422, "invalid")["errors"][0]["pointer"] == "/declared/0"


def test_a_template_is_copied_with_its_languages_once(machine: Machine) -> None:
    spanish = {"language": "es", "subject": "Noticias", "mjml": EXAMPLE["mjml"]}
    template = machine.post("templates", EXAMPLE | {"translations": [spanish]}).json()["id"]
    path, named = f"templates/{template}/copies", {"name": "Fall check-up"}
    first, again = (machine.post(path, named, Idempotency_Key="k").json() for _ in range(2))
    assert first["id"] == again["id"] != template
    assert (first["name"], first["languages"]) == ("Fall check-up", ["en", "es"])
    assert (first["mjml"], first["latest"]) == (EXAMPLE["mjml"], None)


def test_a_stranger_finds_none_of_it(machine: Machine, stranger: Machine) -> None:
    """SE-01"""
    number = made(machine)
    template = machine.post("templates", EXAMPLE).json()["id"]
    assert stranger.get("blocks").json() == {"blocks": []}
    problem(stranger.get(f"blocks/{number}"), 404, "not-found")
    problem(stranger.post(f"blocks/{number}/versions", {}), 404, "not-found")
    problem(stranger.post(f"templates/{template}/copies", {"name": "x"}), 404, "not-found")


def test_a_key_that_only_reads_writes_nothing(
    harbor: Organisation, machine: Machine, machine_for: Maker
) -> None:
    number = made(machine)
    reader = machine_for(harbor, {Permission.TEMPLATES_VIEW})
    for path in ("blocks", f"blocks/{number}/versions"):
        problem(reader.post(path, GREETING), 403, "scope-missing")
