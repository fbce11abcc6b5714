"""Files of patients by HTTP."""

from __future__ import annotations

import json
from typing import Any, cast

from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from contacts.importing import accepting, work
from contacts.models import Contact, ImportRun
from tests.api.conftest import Machine, Maker, problem

FHIR = "application/fhir+json"


def bundle(*resources: dict[str, Any]) -> bytes:
    entries = [
        {"fullUrl": f"urn:uuid:{one['id']}", "resource": one, "request": {"method": "POST"}}
        for one in resources
    ]
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return json.dumps(whole).encode()


ADA = {
    "resourceType": "Patient",
    "id": "11111111-1111-4111-8111-111111111111",
    "name": [{"family": "Canarybird", "given": ["Adaline"]}],
    "birthDate": "1961-04-12",
}


def people(organisation: Organisation) -> int:
    with tenancy.acting_for(organisation.pk):
        return Contact.objects.count()


def test_a_bundle_is_imported(machine: Machine, harbor: Organisation) -> None:
    response = machine.post_raw("imports", bundle(ADA), FHIR)
    assert (response.status_code, response.json()["created"]) == (201, 1)
    assert people(harbor) == 1
    again = machine.get(f"imports/{response.json()['id']}").json()
    assert again == response.json()


def test_importing_twice_adds_nobody(machine: Machine, harbor: Organisation) -> None:
    """HD-02."""
    machine.post_raw("imports", bundle(ADA), FHIR)
    assert machine.post_raw("imports", bundle(ADA), FHIR).json()["created"] == 0
    assert people(harbor) == 1


def test_a_dry_run_writes_nobody(machine: Machine, harbor: Organisation) -> None:
    response = machine.post_raw("imports?dry_run=true", bundle(ADA), FHIR)
    assert response.json()["state"] == "checked"
    assert people(harbor) == 0


def test_a_truncated_bundle_is_refused_and_kept_as_refused(
    machine: Machine, harbor: Organisation
) -> None:
    response = machine.post_raw("imports", bundle(ADA)[:-20], FHIR)
    body = problem(response, 422, "invalid")
    assert body["errors"][0]["pointer"].startswith("bundle.json")
    assert b"Canarybird" not in response.content
    with tenancy.acting_for(harbor.pk):
        assert ImportRun.objects.get().state == "refused"
    assert people(harbor) == 0


def test_a_file_over_the_limit_is_refused(machine: Machine, monkeypatch: Any) -> None:
    monkeypatch.setattr("marketing.intake.arriving.held.__wrapped__.__kwdefaults__", {"limit": 10})
    problem(machine.post_raw("imports", bundle(ADA), FHIR), 413, "too-large")


CSV = b"MRN,First name,DOB\nMRN-1,Adaline,1961-04-12\nMRN-2,Ben,never\n"
WHOLE = {"columns": {"MRN": "record_number", "First name": "given_name"}, "dates": "iso"}


def work_off(organisation: Organisation) -> None:
    with tenancy.acting_for(organisation.pk):
        while work.run_once(now=timezone.now()):
            pass


def brought(machine: Machine, organisation: Organisation, query: str = "", **more: str) -> str:
    response = machine.post_raw(f"imports?source=epic&dates=iso{query}", CSV, "text/csv", **more)
    assert response.status_code == 202, response.content
    work_off(organisation)
    return str(response.json()["id"])


def test_a_csv_file_is_kept_and_checked_behind_the_scenes(
    machine: Machine, harbor: Organisation
) -> None:
    run = machine.get(f"imports/{brought(machine, harbor)}").json()
    assert (run["state"], run["foreseen"]["new"], run["refused"]) == ("checked", 1, 1)
    assert run["problems"][0]["place"] == "line 3"
    assert people(harbor) == 0


def test_a_checked_file_is_started(machine: Machine, harbor: Organisation) -> None:
    run = brought(machine, harbor)
    assert machine.post(f"imports/{run}/start", {}).status_code == 200
    work_off(harbor)
    assert (machine.get(f"imports/{run}").json()["state"], people(harbor)) == ("done", 1)


def test_a_file_can_go_through_by_itself(machine: Machine, harbor: Organisation) -> None:
    run = brought(machine, harbor, "&then=run")
    assert machine.get(f"imports/{run}").json()["created"] == 1


def test_a_mapping_is_taken_and_the_file_checked_by_it(
    machine: Machine, harbor: Organisation
) -> None:
    run = brought(machine, harbor, "&then=wait")
    assert machine.get(f"imports/{run}").json()["columns"] == ["MRN", "First name", "DOB"]
    answer = machine.post(f"imports/{run}/mapping", WHOLE)
    assert answer.json()["state"] == "checking"
    work_off(harbor)
    assert machine.get(f"imports/{run}").json()["foreseen"]["new"] == 2


def test_a_mapping_without_record_number_is_a_problem(
    machine: Machine, harbor: Organisation
) -> None:
    run = brought(machine, harbor, "&then=wait")
    answer = machine.post(f"imports/{run}/mapping", {"columns": {"First name": "given_name"}})
    problem(answer, 422, "invalid")


def test_an_upload_that_is_repeated_with_its_key_is_one_import(
    machine: Machine, harbor: Organisation
) -> None:
    again = [brought(machine, harbor, Idempotency_Key="once") for _ in range(2)]
    assert again[0] == again[1]
    with tenancy.acting_for(harbor.pk):
        assert ImportRun.objects.count() == 1


def test_what_cannot_be_done_now_is_a_conflict(machine: Machine, harbor: Organisation) -> None:
    problem(machine.post(f"imports/{brought(machine, harbor)}/pause", {}), 409, "conflict")


def test_undo_is_foreseen_and_done(machine: Machine, harbor: Organisation) -> None:
    run = brought(machine, harbor, "&then=run")
    assert machine.get(f"imports/{run}/undo").json()["removed"] == 1
    assert machine.post(f"imports/{run}/undo", {}).json()["state"] == "undoing"
    work_off(harbor)
    assert machine.get(f"imports/{run}").json()["undone"]["removed"] == 1


def test_the_refused_rows_are_given_back(machine: Machine, harbor: Organisation) -> None:
    run = brought(machine, harbor)
    rows = b"".join(machine.get(f"imports/{run}/refused").streaming_content).decode()
    assert rows.splitlines()[1].startswith("MRN-2,Ben,never,3,")


def test_the_refused_rows_need_their_own_scope(
    machine: Machine, harbor: Organisation, machine_for: Maker
) -> None:
    run = brought(machine, harbor)
    narrow = machine_for(harbor, [Permission.IMPORTS_RUN])
    problem(narrow.get(f"imports/{run}/refused"), 403, "scope-missing")


def test_another_organisation_finds_no_import(
    machine: Machine, harbor: Organisation, stranger: Machine
) -> None:
    run = brought(machine, harbor)
    problem(stranger.get(f"imports/{run}"), 404, "not-found")
    problem(stranger.post(f"imports/{run}/start", {}), 404, "not-found")


def test_a_fhir_file_with_then_goes_through_behind_the_scenes(
    machine: Machine, harbor: Organisation
) -> None:
    sent = bundle(ADA) + b'\n{"resourceType":"Pacient"}'
    response = machine.post_raw("imports?then=check", sent, FHIR)
    assert (response.status_code, people(harbor)) == (202, 0)
    work_off(harbor)
    run = response.json()["id"]
    checked = machine.get(f"imports/{run}").json()
    assert (checked["state"], checked["foreseen"]["new"], checked["refused"]) == ("checked", 1, 1)
    assert machine.post(f"imports/{run}/start", {}).status_code == 200
    work_off(harbor)
    assert people(harbor) == 1


def test_a_fhir_upload_that_is_repeated_with_its_key_is_one_import(
    machine: Machine, harbor: Organisation
) -> None:
    for _ in range(2):
        answer = machine.post_raw("imports?then=run", bundle(ADA), FHIR, Idempotency_Key="once")
        assert answer.status_code == 202
    with tenancy.acting_for(harbor.pk):
        assert ImportRun.objects.count() == 1


def test_a_streamed_file_over_the_limit_is_refused(machine: Machine, monkeypatch: Any) -> None:
    monkeypatch.setitem(cast(Any, accepting.accept).__kwdefaults__, "most", 10)
    problem(machine.post_raw("imports?source=a", CSV, "text/csv"), 413, "too-large")


BOTH = "MRN,First name\n1,In\u00eas\n".encode("cp1252")


def test_an_unclear_encoding_is_asked_with_the_letters_and_answered(
    machine: Machine, harbor: Organisation
) -> None:
    run = machine.post_raw("imports?source=crm&then=wait", BOTH, "text/csv").json()["id"]
    work_off(harbor)
    asked = machine.get(f"imports/{run}").json()
    assert asked["state"] == "mapping"
    assert asked["reading"]["encodings"]["cp1252"] == "\u00ea"
    answer = machine.post(f"imports/{run}/reading", {"encoding": "cp1252"})
    assert answer.status_code == 200
    work_off(harbor)
    assert machine.get(f"imports/{run}").json()["columns"] == ["MRN", "First name"]


def test_how_a_file_is_written_may_be_said_with_it(machine: Machine, harbor: Organisation) -> None:
    said = "imports?source=crm&then=check&encoding=cp1252&delimiter=%2C&head=1"
    run = machine.post_raw(said, BOTH, "text/csv").json()["id"]
    work_off(harbor)
    assert machine.get(f"imports/{run}").json()["state"] == "checked"


def test_an_unclear_encoding_refuses_a_file_that_nobody_waits_for(
    machine: Machine, harbor: Organisation
) -> None:
    run = machine.post_raw("imports?source=crm&then=run", BOTH, "text/csv").json()["id"]
    work_off(harbor)
    row = machine.get(f"imports/{run}").json()
    assert row["state"] == "refused"
    assert "encoding" in row["problems"][0]["detail"]


def test_an_encoding_that_there_is_not_is_refused_by_its_parameter(machine: Machine) -> None:
    answer = machine.post_raw("imports?source=crm&encoding=rot13", BOTH, "text/csv")
    assert problem(answer, 422, "invalid")["errors"][0]["pointer"] == "?encoding"


def test_who_may_not_bring_files_cannot_say_how_one_is_written(
    machine: Machine, harbor: Organisation, machine_for: Maker, stranger: Machine
) -> None:
    run = machine.post_raw("imports?source=crm&then=wait", BOTH, "text/csv").json()["id"]
    work_off(harbor)
    said = {"encoding": "cp1252"}
    narrow = machine_for(harbor, [Permission.CONTACTS_VIEW])
    problem(narrow.post(f"imports/{run}/reading", said), 403, "scope-missing")
    problem(stranger.post(f"imports/{run}/reading", said), 404, "not-found")
    assert machine.get(f"imports/{run}").json()["state"] == "mapping"
