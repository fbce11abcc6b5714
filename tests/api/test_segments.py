"""Segments over HTTP."""

from __future__ import annotations

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.segments import catalogue
from tests.api.conftest import Machine, Maker
from tests.conftest import NOON
from tests.contacts.segments import world

BOSTON = {"field": "city", "op": "equals", "value": "Boston"}


def test_a_preview_counts_each_clause(machine: Machine, harbor: Organisation) -> None:
    with tenancy.acting_for(harbor.pk):
        world.add([{"city": "Boston"}, {"city": "Quincy"}])
    answer = machine.post("segments/preview", {"definition": {"all": [BOSTON]}}).json()
    assert (answer["total"], answer["exact"]) == (1, True)
    assert answer["funnel"] == [{"path": "$.all[0]", "count": 1}]


def test_a_bad_definition_is_a_problem_that_points_at_its_places(
    machine: Machine, harbor: Organisation
) -> None:
    answer = machine.post("segments/preview", {"definition": {"any": [BOSTON, {"field": "x"}]}})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/definition/any/1/field"]


def test_se32_a_key_that_may_not_read_contacts_gets_no_small_counts(
    harbor: Organisation, machine_for: Maker
) -> None:
    with tenancy.acting_for(harbor.pk):
        world.add([{"city": "Boston"}])
    counting = machine_for(harbor, scopes=[Permission.SEGMENTS_VIEW])
    answer = counting.post("segments/preview", {"definition": BOSTON}).json()
    assert (answer["total"], answer["exact"]) == (None, False)


def test_the_segments_are_listed(machine: Machine, harbor: Organisation) -> None:
    with tenancy.acting_for(harbor.pk):
        saved = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    (row,) = machine.get("segments").json()["segments"]
    assert (row["id"], row["name"], row["status"]) == (str(saved.id), "Boston", "valid")


def test_a_key_without_the_scope_is_refused(harbor: Organisation, machine_for: Maker) -> None:
    """SR-01"""
    answer = machine_for(harbor, scopes=[Permission.EVENTS_WRITE]).get("segments")
    assert answer.status_code == 403
