"""Segments over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import tenancy, throttle
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.models import Contact
from contacts.segments import asking, catalogue, membership
from contacts.segments.models import Segment
from tests.api.conftest import Machine, Maker, problem
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


ADDICTED = {"field": "conditions", "op": "has_code", "codes": ["66590003"]}
DIABETIC = {"field": "conditions", "op": "has_code", "codes": ["44054006"]}


def made(machine: Machine, tree: object = BOSTON, name: str = "Boston") -> str:
    answer = machine.post("segments", {"name": name, "definition": tree})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_segment_is_made_and_read(machine: Machine) -> None:
    answer = machine.get(f"segments/{made(machine)}")
    assert (answer.json()["definition"], answer["ETag"]) == (BOSTON, '"1"')


def test_a_broken_definition_makes_nothing_and_points_at_its_places(machine: Machine) -> None:
    answer = machine.post("segments", {"name": "X", "definition": {"all": [BOSTON, {"any": []}]}})
    errors = problem(answer, 422, "invalid")["errors"]
    assert [error["pointer"] for error in errors] == ["/definition/all/1/any"]


def test_a_change_names_the_version_that_was_read(machine: Machine) -> None:
    place = f"segments/{made(machine)}"
    body = {"name": "Quincy", "definition": {**BOSTON, "value": "Quincy"}}
    problem(machine.put(place, body), 422, "invalid")
    assert machine.put(place, body, If_Match='"1"').json()["version"] == 2
    problem(machine.put(place, body, If_Match='"1"'), 409, "conflict")


def test_a_segment_that_another_names_is_not_archived(machine: Machine) -> None:
    inner = made(machine)
    made(machine, {"segment": inner}, "Outer")
    problem(machine.delete(f"segments/{inner}"), 409, "conflict")


def test_an_archived_segment_is_gone(machine: Machine) -> None:
    place = f"segments/{made(machine)}"
    assert machine.delete(place).status_code == 204
    problem(machine.get(place), 404, "not-found")


def test_pr30_a_key_without_clinical_sight_reads_neither_name_nor_definition(
    machine: Machine, harbor: Organisation, machine_for: Maker
) -> None:
    place = f"segments/{made(machine, ADDICTED, 'In recovery')}"
    row = machine_for(harbor, scopes=[Permission.SEGMENTS_VIEW]).get(place).json()
    assert (row["definition"], row["name"][:10]) == (None, "Restricted")


def test_pr30_a_key_without_clinical_sight_takes_no_labelled_segment_away(
    machine: Machine, harbor: Organisation, machine_for: Maker
) -> None:
    place = f"segments/{made(machine, ADDICTED, 'In recovery')}"
    key = machine_for(harbor, scopes=[Permission.SEGMENTS_VIEW, Permission.SEGMENTS_EDIT])
    problem(key.delete(place), 403, "scope-missing")
    assert machine.get(place).status_code == 200


def test_pr40_a_key_that_sees_contacts_but_not_clinical_facts_gets_no_small_clinical_count(
    harbor: Organisation, ada: Contact, machine_for: Maker
) -> None:
    scopes = [Permission.SEGMENTS_VIEW, Permission.CONTACTS_VIEW]
    answer = machine_for(harbor, scopes=scopes).post("segments/preview", {"definition": DIABETIC})
    assert (answer.json()["total"], answer.json()["exact"]) == (None, False)


def test_a_saved_segment_is_counted(machine: Machine, ada: Contact) -> None:
    assert machine.post(f"segments/{made(machine, DIABETIC)}/count", {}).json()["total"] == 1


def test_a_person_is_explained_clause_by_clause(machine: Machine, ada: Contact) -> None:
    place = made(machine, {"all": [DIABETIC, BOSTON]})
    answer = machine.post(f"segments/{place}/explain", {"contact": str(ada.public_id)}).json()
    assert answer["in"] is False
    assert [one["holds"] for one in answer["clauses"]] == [False, True, False]
    assert "Diabetes mellitus canary" in answer["clauses"][1]["value"]


def test_an_explanation_holds_back_what_the_key_does_not_open(
    machine: Machine, harbor: Organisation, ada: Contact, machine_for: Maker
) -> None:
    place = made(machine, {"all": [DIABETIC, BOSTON]})
    scopes = [Permission.CONTACTS_VIEW, Permission.CONTACTS_REVEAL_IDENTITY]
    answer = machine_for(harbor, scopes=scopes).post(
        f"segments/{place}/explain", {"contact": str(ada.public_id)}
    )
    assert [one["holds"] for one in answer.json()["clauses"]] == [None, None, False]
    assert answer.json()["in"] is None


def test_two_segments_are_compared(machine: Machine, harbor: Organisation, ada: Contact) -> None:
    first, second = made(machine, DIABETIC), made(machine, {"not": BOSTON}, "Elsewhere")
    with tenancy.acting_for(harbor.pk):
        for segment in Segment.objects.all():
            membership.refresh(segment, now=NOON)
    answer = machine.post(f"segments/{first}/overlap", {"with": second}).json()
    assert (answer["first"], answer["second"], answer["both"]) == (1, 1, 1)


def test_days_are_read(machine: Machine) -> None:
    assert machine.get(f"segments/{made(machine)}/growth").json() == {"days": [], "exact": True}


def test_approval_is_asked_for_and_not_given_by_a_machine(machine: Machine) -> None:
    """SE-20"""
    place = made(machine, ADDICTED)
    assert machine.get(f"segments/{place}/approval").json()["state"] == "none"
    assert machine.post(f"segments/{place}/approval", {}).json()["state"] == "waiting"
    assert machine.get(f"segments/{place}").json()["sendable"] is False


def test_a_segment_without_a_label_needs_no_approval(machine: Machine) -> None:
    problem(machine.post(f"segments/{made(machine)}/approval", {}), 409, "conflict")


def test_se32_counts_are_rationed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "PREVIEWS", throttle.Rate("few", 1, timedelta(hours=1)))
    body = {"definition": BOSTON}
    assert machine.post("segments/preview", body).status_code == 200
    problem(machine.post("segments/preview", body), 429, "too-many")


def test_a_count_that_takes_too_long_is_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(turn: asking.Turn) -> None:
        raise asking.TooSlow

    monkeypatch.setattr(asking.Turn, "__call__", slow)
    problem(machine.post("segments/preview", {"definition": BOSTON}), 503, "too-slow")
