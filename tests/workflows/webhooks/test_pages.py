"""The settings page of endpoints, and its doors."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from tests.conftest import NOON
from tests.workflows.test_pages import SignedIn
from tests.workflows.test_steps_in_depth import LONG, Draw, draw
from tests.workflows.webhooks.conftest import Made, Receiver
from tests.workflows.webhooks.test_delivering import call
from workflows.webhooks.models import Endpoint

__all__ = ["draw"]
GIVEN: dict[str, Any] = {"name": "Desk", "url": "https://ehr.example.org/hook?key=canary",
                         "own": "on", "classes": ["identity"]}  # fmt: skip


@pytest.fixture(autouse=True)
def listed(settings: LazySettings) -> None:
    """Whoever runs Attune has listed the host of the record system."""
    settings.CALL_HOSTS = ["ehr.example.org"]


@pytest.fixture
def admin(harbor: Organisation, sign_in_as: SignedIn) -> Client:
    with tenancy.acting_for(harbor.pk):
        who = staff.add("a@harbor.example", name="Ann", role=Role.ADMINISTRATOR, now=NOON)
    return sign_in_as(who)


def test_an_endpoint_is_added_and_its_secret_is_shown_once(
    admin: Client, at_harbor: Organisation
) -> None:
    page = admin.post("/settings/endpoints/new/", GIVEN).content.decode()
    made = Endpoint.objects.get()
    assert str(made.secret) in page and made.classes == ["identity"]
    again = admin.get(f"/settings/endpoints/{made.pk}/").content.decode()
    assert str(made.secret) not in again and "ehr.example.org" in again
    listed = admin.get("/settings/endpoints/").content.decode()
    assert "canary" not in listed and "ehr.example.org" in listed


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"url": "http://ehr.example.org/"}, "Use https"),
        ({"url": "nowhere"}, "Write a whole address"),
        ({"url": "https://elsewhere.example/"}, "CALL_HOSTS"),
        ({"own": ""}, "agreement counts"),
        ({"agreement_from": "2026-02-02", "agreement_until": "2026-01-01"}, "before it begins"),
    ],
)
def test_what_cannot_be_used_is_named(
    admin: Client, at_harbor: Organisation, changes: dict[str, Any], sentence: str
) -> None:
    said = admin.post("/settings/endpoints/new/", GIVEN | changes)
    assert said.status_code == 422 and sentence in said.content.decode()
    assert not Endpoint.objects.exists()


def test_a_test_call_says_what_came_of_it(
    admin: Client, endpoint: Made, receiver: Receiver, settings: LazySettings
) -> None:
    made = endpoint()
    refused = admin.post(f"/settings/endpoints/{made.pk}/test/", follow=True).content.decode()
    assert "not in CALL_HOSTS" in refused and not receiver.got
    settings.CALL_PRIVATE_HOSTS = ["127.0.0.1"]
    page = admin.post(f"/settings/endpoints/{made.pk}/test/", follow=True).content.decode()
    assert "status 200" in page and receiver.bodies()[0]["type"] == "endpoint.test"
    assert Entry.objects.filter(action="endpoint.tested").count() == 2


def test_an_endpoint_that_a_workflow_calls_is_not_put_away(
    admin: Client, draw: Draw, endpoint: Made
) -> None:
    made = endpoint()
    draw(call(made), LONG)
    page = admin.post(f"/settings/endpoints/{made.pk}/archive/", follow=True).content.decode()
    assert "Workflows call it: W" in page and Endpoint.objects.get().archived_at is None


def test_a_marketer_sees_no_endpoints(mara: User, endpoint: Made, sign_in_as: SignedIn) -> None:
    made = endpoint()
    browser = sign_in_as(mara)
    assert browser.get("/settings/endpoints/").status_code == 403
    assert browser.post(f"/settings/endpoints/{made.pk}/secret/").status_code == 403


def test_who_may_look_and_not_change_does_not_see_the_address(
    omar: User, endpoint: Made, sign_in_as: SignedIn
) -> None:
    made = endpoint(url="https://ehr.example.org/hook?key=canary")
    browser = sign_in_as(omar)
    page = browser.get(f"/settings/endpoints/{made.pk}/").content.decode()
    assert "ehr.example.org" in page and "canary" not in page
    assert browser.post(f"/settings/endpoints/{made.pk}/", GIVEN).status_code == 403


def test_another_organisation_has_no_such_endpoint(
    ivy: User, endpoint: Made, sign_in_as: SignedIn
) -> None:
    """SE-01"""
    made = endpoint()
    assert sign_in_as(ivy).get(f"/settings/endpoints/{made.pk}/").status_code == 404
