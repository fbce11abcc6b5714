"""Code groups over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation
from accounts.roles import Permission
from tests.api.conftest import Machine, Maker, problem

E119 = {"system": "ICD-10-CM", "code": "e119", "display": "Type 2 diabetes"}
GROUP = {"name": "Diabetes", "codes": [E119]}


@pytest.fixture
def diabetes(machine: Machine) -> str:
    return str(machine.post("code-groups", GROUP).json()["id"])


def test_a_group_is_made_and_read(machine: Machine, diabetes: str) -> None:
    answer = machine.get(f"code-groups/{diabetes}").json()
    assert (answer["name"], answer["version"], answer["labels"]) == ("Diabetes", 1, [])
    assert answer["codes"][0]["code"] == "E11.9"


def test_a_version_is_made_and_the_old_one_can_be_read(machine: Machine, diabetes: str) -> None:
    hiv = {"system": "ICD-10-CM", "code": "B20"}
    made = machine.post(f"code-groups/{diabetes}/versions", {"since": 1, "codes": [E119, hiv]})
    assert made.json() == {"version": 2, "added": 1, "removed": 0}
    assert machine.get(f"code-groups/{diabetes}").json()["labels"] == ["hiv"]
    assert machine.get(f"code-groups/{diabetes}?version=1").json()["labels"] == []


def test_a_version_from_an_old_one_is_a_conflict(machine: Machine, diabetes: str) -> None:
    body = {"since": 9, "codes": [E119]}
    problem(machine.post(f"code-groups/{diabetes}/versions", body), 409, "conflict")


@pytest.mark.parametrize(
    "code",
    [
        {"system": "ICD-9", "code": "250.00"},
        {"system": "SNOMED CT", "code": "44054007"},
        {"system": "ICD-10-CM", "code": "diabetes"},
        E119,
    ],
)
def test_a_wrong_code_is_pointed_at(machine: Machine, code: Any) -> None:
    body = problem(machine.post("code-groups", GROUP | {"codes": [E119, code]}), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/codes/1"


@pytest.mark.parametrize("version", ["0", "2", "x", "9" * 30, "-1"])
def test_a_version_that_is_not_there_is_not_found(
    machine: Machine, diabetes: str, version: str
) -> None:
    problem(machine.get(f"code-groups/{diabetes}?version={version}"), 404, "not-found")


def test_starters_are_added_once(machine: Machine) -> None:
    assert len(machine.post("code-groups/starters", {}).json()["code_groups"]) == 17
    assert machine.post("code-groups/starters", {}).json()["code_groups"] == []


def test_a_group_is_renamed_and_archived(machine: Machine, diabetes: str) -> None:
    renamed = machine.patch(f"code-groups/{diabetes}", {"name": "Sugar"})
    assert renamed.json()["name"] == "Sugar"
    assert machine.delete(f"code-groups/{diabetes}").status_code == 204
    assert machine.get(f"code-groups/{diabetes}").status_code == 404


def test_a_stranger_finds_nothing(machine: Machine, stranger: Machine, diabetes: str) -> None:
    assert stranger.get("code-groups").json()["code_groups"] == []
    problem(stranger.get(f"code-groups/{diabetes}"), 404, "not-found")
    problem(stranger.delete(f"code-groups/{diabetes}"), 404, "not-found")


def test_a_key_that_may_only_look_changes_nothing(
    harbor: Organisation, machine_for: Maker, diabetes: str
) -> None:
    looker = machine_for(harbor, [Permission.FIELDS_VIEW])
    assert looker.get(f"code-groups/{diabetes}").status_code == 200
    problem(looker.post("code-groups", GROUP), 403, "scope-missing")
    problem(looker.post("code-groups/starters", {}), 403, "scope-missing")
    body = {"since": 1, "codes": [E119]}
    problem(looker.post(f"code-groups/{diabetes}/versions", body), 403, "scope-missing")
    problem(looker.delete(f"code-groups/{diabetes}"), 403, "scope-missing")
