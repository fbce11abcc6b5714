"""Files of patients by HTTP."""

from __future__ import annotations

import json
from typing import Any

from accounts import tenancy
from accounts.models import Organisation
from contacts.models import Contact, ImportRun
from tests.api.conftest import Machine, problem

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
