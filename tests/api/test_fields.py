"""Fields over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import SCOPES, Permission
from contacts import matching, registry
from contacts.declared.models import CustomField
from contacts.segments import catalogue
from tests.api.conftest import Machine, Maker, problem
from tests.conftest import NOON

SHOE = {"label": "Shoe size", "type": "decimal", "data_class": "demographic", "labels": []}


def test_a_field_is_added_filled_and_read(machine: Machine) -> None:
    made = machine.post("fields", SHOE)
    assert (made.status_code, made.json()["key"]) == (201, "custom_shoe_size")
    person = {
        "source": "epic", "record_number": "1",
        "values": {"given_name": "Ada", "custom_shoe_size": "042.50"},
    }  # fmt: skip
    contact = machine.post("contacts", person).json()["contacts"][0]["id"]
    values = machine.get(f"contacts/{contact}").json()["values"]
    assert values["demographic"]["custom_shoe_size"] == "42.5"


def test_a_key_without_the_scope_of_the_class_does_not_read_it(
    harbor: Organisation, machine: Machine, machine_for: Maker
) -> None:
    """SR-13."""
    machine.post("fields", SHOE | {"data_class": "clinical"})
    person = {"source": "epic", "record_number": "1", "values": {"custom_shoe_size": 42}}
    contact = machine.post("contacts", person).json()["contacts"][0]["id"]
    scopes = [one for one in SCOPES if one != Permission.CONTACTS_REVEAL_CLINICAL]
    answer = machine_for(harbor, scopes).get(f"contacts/{contact}")
    assert "custom_shoe_size" not in answer.content.decode()


def test_a_value_of_a_field_that_is_not_there_is_refused_at_its_place(machine: Machine) -> None:
    person = {"source": "epic", "record_number": "1", "values": {"custom_shoe_size": 42}}
    body = problem(machine.post("contacts", person), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/values"


def test_a_wrong_value_of_a_field_names_it(machine: Machine) -> None:
    machine.post("fields", SHOE)
    person = {"source": "epic", "record_number": "1", "values": {"custom_shoe_size": "forty"}}
    body = problem(machine.post("contacts", person), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/values/custom_shoe_size"
    assert "forty" not in json.dumps(body)


@pytest.mark.parametrize("missing", ["label", "type", "data_class", "labels"])
def test_sr13_what_is_not_said_is_refused(machine: Machine, missing: str) -> None:
    """SR-13."""
    body = {key: value for key, value in SHOE.items() if key != missing}
    found = problem(machine.post("fields", body), 422, "invalid")
    assert found["errors"][0]["pointer"] == f"/{missing}"


@pytest.mark.parametrize(
    ("part", "given"),
    [
        ("label", "Given name"),
        ("key", "given_name"),
        ("choices", ["a"]),
        ("labels", ["everything"]),
        ("data_class", "engagement"),
        ("type", "codes"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(machine: Machine, part: str, given: Any) -> None:
    body = problem(machine.post("fields", SHOE | {part: given}), 422, "invalid")
    assert body["errors"][0]["pointer"].startswith(f"/{part}")


def test_repeating_a_request_adds_one_field(harbor: Organisation, machine: Machine) -> None:
    """HD-02."""
    for _ in range(2):
        assert machine.post("fields", SHOE, idempotency_key="k1").status_code == 201
    with tenancy.acting_for(harbor.pk):
        assert CustomField.objects.count() == 1


def test_the_catalogue_is_read(machine: Machine) -> None:
    machine.post("fields", SHOE)
    rows = {row["key"]: row for row in machine.get("fields").json()["fields"]}
    assert rows["given_name"]["custom"] is False
    assert rows["custom_shoe_size"]["data_class"] == "demographic"
    assert rows["last_visit"]["derived"] is True


def test_a_field_is_changed_archived_and_deleted(harbor: Organisation, machine: Machine) -> None:
    machine.post("fields", SHOE)
    answer = machine.patch("fields/custom_shoe_size", {"label": "Foot", "labels": ["hiv"]})
    assert (answer.json()["label"], answer.json()["labels"]) == ("Foot", ["hiv"])
    answer = machine.patch("fields/custom_shoe_size", {"state": "archived"})
    assert answer.json()["state"] == "archived"
    assert machine.delete("fields/custom_shoe_size").status_code == 204
    assert machine.get("fields/custom_shoe_size").status_code == 404


def test_a_standard_field_is_not_changed(machine: Machine) -> None:
    assert machine.get("fields/given_name").json()["custom"] is False
    problem(machine.patch("fields/given_name", {"label": "x"}), 404, "not-found")
    problem(machine.delete("fields/given_name"), 404, "not-found")


def test_a_field_in_use_is_a_conflict_that_names_its_users(
    harbor: Organisation, machine: Machine
) -> None:
    machine.post("fields", SHOE)
    with tenancy.acting_for(harbor.pk):
        segment = catalogue.save(name="Big feet", tree={"field": "city", "op": "exists"}, now=NOON)
        segment.definition = {"field": "custom_shoe_size", "op": "exists"}
        segment.save()
    body = problem(machine.delete("fields/custom_shoe_size"), 409, "conflict")
    assert str(segment.pk) in body["detail"]
    (user,) = machine.get("fields/custom_shoe_size").json()["used_by"]
    assert user["kind"] == "segment"


def test_a_stranger_sees_and_changes_nothing(
    harbor: Organisation, machine: Machine, stranger: Machine
) -> None:
    machine.post("fields", SHOE)
    assert stranger.get("fields/custom_shoe_size").status_code == 404
    assert stranger.delete("fields/custom_shoe_size").status_code == 404
    with tenancy.acting_for(harbor.pk):
        assert "custom_shoe_size" in registry.current()


def test_a_key_that_may_only_look_changes_nothing(
    harbor: Organisation, machine: Machine, machine_for: Maker
) -> None:
    machine.post("fields", SHOE)
    looker = machine_for(harbor, [Permission.FIELDS_VIEW])
    assert looker.get("fields").status_code == 200
    problem(looker.patch("fields/custom_shoe_size", {"label": "x"}), 403, "scope-missing")
    problem(looker.delete("fields/custom_shoe_size"), 403, "scope-missing")
    problem(looker.post("fields", SHOE), 403, "scope-missing")


def test_a_lookup_still_finds_who_has_custom_values(harbor: Organisation, machine: Machine) -> None:
    machine.post("fields", SHOE)
    person = {"source": "epic", "record_number": "1", "values": {"custom_shoe_size": 42}}
    machine.post("contacts", person)
    with tenancy.acting_for(harbor.pk):
        assert matching.ids_by_number([("epic", "1")]) != [None]


def test_pr30_a_key_that_sees_no_clinical_facts_reads_no_labelled_names(
    harbor: Organisation, machine: Machine, machine_for: Maker
) -> None:
    machine.post("fields", SHOE | {"label": "Viral load", "labels": ["hiv"]})
    group = machine.post(
        "code-groups",
        {
            "name": "Opioids",
            "codes": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20"}],
        },
    ).json()["id"]
    reader = machine_for(harbor, [Permission.FIELDS_VIEW])
    assert "custom_viral_load" not in reader.get("fields").content.decode()
    assert reader.get("fields/custom_viral_load").status_code == 404
    assert reader.get("code-groups").json() == {"code_groups": []}
    assert reader.get(f"code-groups/{group}").status_code == 404
    assert machine.get(f"code-groups/{group}").json()["name"] == "Opioids"


def test_pr30_a_key_that_sees_no_clinical_facts_reads_no_labelled_values(
    harbor: Organisation, machine: Machine, machine_for: Maker
) -> None:
    machine.post("fields", SHOE | {"label": "Viral load", "labels": ["hiv"]})
    person = {"source": "epic", "record_number": "1", "values": {"custom_viral_load": "7"}}
    contact = machine.post("contacts", person).json()["contacts"][0]["id"]
    machine.post("contacts", person | {"values": {"custom_viral_load": "8"}})
    scopes = [one for one in SCOPES if one != Permission.CONTACTS_REVEAL_CLINICAL]
    for path in (f"contacts/{contact}", f"contacts/{contact}/history"):
        answers = [one.get(path).content for one in (machine_for(harbor, scopes), machine)]
        assert [b"custom_viral_load" in one for one in answers] == [False, True]


def test_a_refused_choice_names_the_choices(machine: Machine) -> None:
    body = problem(machine.post("fields", SHOE | {"type": "canary"}), 422, "invalid")
    (said,) = [one["detail"] for one in body["errors"]]
    assert said.startswith("Use one of text, number, decimal")
    assert "canary" not in said
