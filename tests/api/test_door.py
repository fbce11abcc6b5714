"""Every address of the API, tried by those who may not enter (SE-02, SR-01)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from accounts import api_keys, tenancy
from accounts.models import Organisation
from accounts.roles import SCOPES
from audit.models import Entry
from contacts.models import Contact
from marketing.api.urls import urlpatterns
from tests.api.conftest import Machine, Maker, problem

OPEN = {"schema", "reference"}
NOBODY = "00000000-0000-0000-0000-000000000000"


def addresses() -> Iterator[tuple[str, Any]]:
    for pattern in urlpatterns:
        if pattern.name and pattern.name not in OPEN:
            yield str(pattern.pattern), pattern.callback


DOORS = [
    pytest.param(path, method, scope, id=f"{method} {path}")
    for path, view in addresses()
    for method, scope in view.scopes.items()
]

RECORDS = [one for one in DOORS if "<uuid:" in str(one.values[0])]


def knock(machine: Machine, method: str, path: str, public_id: object = NOBODY) -> Any:
    path = re.sub(r"<uuid:\w+>", str(public_id), path)
    path = re.sub(r"<slug:\w+>", "custom_x", path)
    path = re.sub(r"<int:\w+>", "1", path)
    if method == "DELETE":
        return machine.delete(path)
    if method == "PATCH":
        return machine.patch(path, {})
    if method == "PUT":
        return machine.put(path, {})
    return machine.get(path) if method == "GET" else machine.post(path, {})


def test_every_address_declares_its_scopes() -> None:
    """SR-01."""
    assert all(view.scopes for _, view in addresses())


@pytest.mark.parametrize(("path", "method", "scope"), DOORS)
@pytest.mark.django_db
def test_no_key_no_entry(path: str, method: str, scope: str) -> None:
    response = knock(Machine(""), method, path)
    problem(response, 401, "no-key")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("path", "method", "scope"), DOORS)
def test_a_key_without_the_scope_is_refused(
    path: str, method: str, scope: str, harbor: Organisation, machine_for: Maker
) -> None:
    """SE-02: every scope but the one that the address needs."""
    other = machine_for(harbor, [one for one in SCOPES if one != scope])
    assert scope in problem(knock(other, method, path), 403, "scope-missing")["detail"]


@pytest.mark.parametrize(("path", "method", "scope"), DOORS)
def test_an_expired_key_is_refused_in_plain_words(
    path: str, method: str, scope: str, harbor: Organisation, machine_for: Maker
) -> None:
    old = machine_for(harbor, expires=-timedelta(hours=1))
    assert "expired" in problem(knock(old, method, path), 401, "key-refused")["detail"]


@pytest.mark.parametrize(("path", "method", "scope"), RECORDS)
def test_a_record_of_another_organisation_is_no_record(
    path: str, method: str, scope: str, ada: Contact, stranger: Machine
) -> None:
    """SE-02: the id is right, the key opens another clinic."""
    problem(knock(stranger, method, path, ada.public_id), 404, "not-found")


def test_a_revoked_key_is_refused(machine: Machine, harbor: Organisation) -> None:
    assert machine.key is not None
    with tenancy.acting_for(harbor.pk):
        api_keys.revoke(machine.key.pk, now=machine.key.expires_at)
    assert "revoked" in problem(machine.get("lists"), 401, "key-refused")["detail"]


def test_a_refusal_is_in_the_trail(harbor: Organisation, machine_for: Maker) -> None:
    """SR-02: denials too."""
    machine_for(harbor, [SCOPES[0]]).post("events", {})
    with tenancy.acting_for(harbor.pk):
        entry = Entry.objects.get(action="access.refused")
    assert (entry.outcome, entry.actor_kind) == ("refused", "api_key")


def test_a_scheme_that_is_not_bearer_is_no_key(machine: Machine) -> None:
    response = machine.client.get(
        "/api/v1/lists", headers={"Authorization": f"Basic {machine.secret}"}
    )
    problem(response, 401, "no-key")
