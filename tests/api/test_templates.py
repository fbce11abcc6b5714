"""Templates by machines: written, checked, compiled, previewed; approved by people only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import SCOPES, Permission
from audit.models import Entry
from contacts.models import Contact
from marketing.api.template_forms import EXAMPLE
from tests.api.conftest import Machine, Maker, problem
from tests.messaging.conftest import person

pytestmark = pytest.mark.django_db
WRITES = {Permission.TEMPLATES_VIEW, Permission.TEMPLATES_EDIT}


def made(machine: Machine, **changed: Any) -> str:
    answer = machine.post("templates", EXAMPLE | changed)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_template_is_made_and_read(machine: Machine) -> None:
    number = made(machine)
    assert machine.get(f"templates/{number}").json()["subject"] == EXAMPLE["subject"]
    (row,) = machine.get("templates").json()["templates"]
    assert (row["languages"], row["latest"], row["approved"]) == (["en"], None, None)


def test_a_template_tells_the_short_name_that_one_message_asks_for(machine: Machine) -> None:
    number = made(machine)
    (row,) = machine.get("templates").json()["templates"]
    assert machine.get(f"templates/{number}").json()["slug"] == row["slug"] == "spring-check-up"


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


def test_a_draft_is_previewed_as_a_contact_and_the_trail_says_so(
    harbor: Organisation, machine_for: Maker
) -> None:
    """TR-01"""
    reader = machine_for(harbor)
    number = made(reader)
    with tenancy.acting_for(harbor.pk):
        ada = Contact.objects.get(pk=person("ada"))
    asked = {"draft": True, "contact": str(ada.public_id), "look": "dark"}
    said = reader.post(f"templates/{number}/previews", asked).json()
    assert "Dear Ada," in said["text"]
    assert "invert(1)" in said["html"]
    with tenancy.acting_for(harbor.pk):
        entry = Entry.objects.filter(action="template.previewed").latest("id")
    assert (entry.actor_kind, entry.subject) == ("api_key", f"contact:{ada.pk}")


def test_a_key_that_may_not_see_names_previews_nobody(
    harbor: Organisation, machine_for: Maker
) -> None:
    reader = machine_for(harbor, {*WRITES, Permission.CONTACTS_VIEW})
    number = made(reader)
    with tenancy.acting_for(harbor.pk):
        ada = Contact.objects.get(pk=person("ada"))
    asked = {"draft": True, "contact": str(ada.public_id)}
    body = problem(reader.post(f"templates/{number}/previews", asked), 403, "scope-missing")
    assert "identity" in body["detail"]


def test_a_key_without_contacts_previews_nobody(harbor: Organisation, machine_for: Maker) -> None:
    writer = machine_for(harbor, WRITES)
    asked = {"draft": True, "contact": "018f0000-0000-7000-8000-000000000001"}
    problem(writer.post(f"templates/{made(writer)}/previews", asked), 403, "scope-missing")


def test_a_contact_and_values_together_are_refused_by_place(machine: Machine) -> None:
    asked = {"contact": "018f0000-0000-7000-8000-000000000001", "values": {"given_name": "Ada"}}
    answer = machine.post(f"templates/{made(machine)}/previews", asked)
    body = problem(answer, 422, "invalid")
    assert [each["pointer"] for each in body["errors"]] == ["/values"]


def test_a_translation_that_lags_is_marked(machine: Machine) -> None:
    """AC-02"""
    spanish = {"language": "es", "subject": "Noticias", "mjml": EXAMPLE["mjml"], "text": ""}
    number = made(machine, translations=[spanish])
    changed = EXAMPLE | {"subject": "Other news", "translations": [spanish]}
    (told,) = machine.put(f"templates/{number}", changed).json()["translations"]
    assert (told["language"], told["lags"]) == ("es", True)


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
