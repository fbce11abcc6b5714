"""Templates by machines: written, checked, compiled, previewed; approved by people only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import Organisation
from accounts.roles import SCOPES, Permission
from marketing.api.template_forms import EXAMPLE
from tests.api.conftest import Machine, Maker, problem

pytestmark = pytest.mark.django_db


def made(machine: Machine, **changed: Any) -> str:
    answer = machine.post("templates", EXAMPLE | changed)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_template_is_made_and_read(machine: Machine) -> None:
    number = made(machine)
    assert machine.get(f"templates/{number}").json()["subject"] == EXAMPLE["subject"]
    (row,) = machine.get("templates").json()["templates"]
    assert (row["languages"], row["latest"], row["approved"]) == (["en"], None, None)


def test_the_example_of_the_reference_is_sound(machine: Machine) -> None:
    checked = machine.get(f"templates/{made(machine)}/checks").json()
    assert checked["sound"]
    assert checked["says"] == ["identity"]
    assert checked["steps"] == ["content"]


def test_checks_name_problems_and_forbidden_flows(machine: Machine) -> None:
    """EM-07, CA-60"""
    number = made(machine, subject="For {{ contact.conditions }}", declared=["conditions"])
    checked = machine.get(f"templates/{number}/checks").json()
    assert not checked["sound"]
    assert {"place": "subject", "field": "conditions", "how": "printed", "line": 1,
            "condition": "", "allowed": False} in checked["flow"]  # fmt: skip
    assert checked["problems"][0]["part"] == "subject"


def test_a_draft_with_problems_makes_no_version(machine: Machine) -> None:
    number = made(machine, subject="For {{ contact.given_name }}")
    body = problem(machine.post(f"templates/{number}/versions", {}), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/subject"
    assert machine.get(f"templates/{number}/versions").json() == {"versions": []}


def test_a_version_waits_for_people(machine: Machine) -> None:
    """SE-20"""
    number = made(machine)
    answer = machine.post(f"templates/{number}/versions", {})
    assert answer.status_code == 201, answer.content
    version = answer.json()
    assert (version["number"], version["approved"], version["next"]) == (1, False, "content")
    assert machine.post(f"templates/{number}/versions", {}).json()["number"] == 1


def test_a_preview_takes_invented_values(machine: Machine) -> None:
    number = made(machine)
    machine.post(f"templates/{number}/versions", {})
    said = machine.post(f"templates/{number}/previews", {"values": {"given_name": "Ada"}})
    assert "Dear Ada," in said.json()["text"]


def test_values_are_printed_literally(machine: Machine) -> None:
    """SE-03"""
    number = made(machine)
    machine.post(f"templates/{number}/versions", {})
    hostile = {"values": {"given_name": "<script>{{ 7 * 7 }}</script>"}}
    said = machine.post(f"templates/{number}/previews", hostile).json()
    assert "<script>" not in said["html"]
    assert "Dear <script>{{ 7 * 7 }}</script>," in said["text"]


def test_languages_and_conditions_are_written_with_it(machine: Machine) -> None:
    """AC-02"""
    spanish = {"language": "es", "subject": "Noticias", "mjml": EXAMPLE["mjml"]}
    asked = {
        "name": "older",
        "label": "Over 65",
        "definition": {"field": "birth_date", "op": "before", "value": "1961-01-01"},
    }
    number = made(machine, translations=[spanish], conditions=[asked])
    machine.post(f"templates/{number}/versions", {})
    said = machine.post(f"templates/{number}/previews", {"language": "es-MX"}).json()
    assert (said["subject"], said["language"]) == ("Noticias", "es")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"declared": ["shoe"]}, "/declared/0"),
        ({"purpose": "spam"}, "/purpose"),
        ({"translations": [{"language": "en", "subject": "x", "mjml": "x"}]}, "/translations"),
    ],
)
def test_a_wrong_body_is_refused_by_place(
    machine: Machine, changed: dict[str, Any], pointer: str
) -> None:
    body = problem(machine.post("templates", EXAMPLE | changed), 422, "invalid")
    assert [each["pointer"] for each in body["errors"]] == [pointer]


def test_the_same_key_makes_one_template(machine: Machine) -> None:
    first, again = (machine.post("templates", EXAMPLE, Idempotency_Key="k-1") for _ in range(2))
    assert json.loads(first.content) == json.loads(again.content)
    assert len(machine.get("templates").json()["templates"]) == 1


def test_a_stranger_finds_none_of_it(machine: Machine, stranger: Machine) -> None:
    """SE-01"""
    number = made(machine)
    for path in ("", "/checks", "/versions"):
        problem(stranger.get(f"templates/{number}{path}"), 404, "not-found")
    assert stranger.get("templates").json() == {"templates": []}


def test_a_key_that_only_reads_writes_nothing(
    harbor: Organisation, machine: Machine, machine_for: Maker
) -> None:
    number = made(machine)
    scopes = set(SCOPES) - {Permission.TEMPLATES_EDIT}
    reader = machine_for(harbor, scopes)
    assert reader.post("templates", EXAMPLE).status_code == 403
    assert reader.put(f"templates/{number}", EXAMPLE).status_code == 403
    assert reader.post(f"templates/{number}/versions", {}).status_code == 403
