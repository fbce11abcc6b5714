"""The settings page of who is told, and its doors."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from tests.conftest import NOON
from tests.workflows.test_pages import SignedIn
from tests.workflows.webhooks.conftest import Made, Receiver
from tests.workflows.writing_back.conftest import ALL, Add, Tell
from tests.workflows.writing_back.test_pushing import push
from workflows.models import Endpoint
from workflows.writing_back.models import WriteBackReceiver, WriteBackSetAside

PAGE = "/settings/write-backs/"


@pytest.fixture
def admin(harbor: Organisation, sign_in_as: SignedIn) -> Client:
    with tenancy.acting_for(harbor.pk):
        who = staff.add("a@harbor.example", name="Ann", role=Role.ADMINISTRATOR, now=NOON)
    return sign_in_as(who)


def given(endpoint: Endpoint, **more: str) -> dict[str, Any]:
    return {"endpoint_id": str(endpoint.pk), "form": "mdm", "document": "PN", "start": "first",
            "source": "ehr", **more}  # fmt: skip


def test_a_receiver_is_added_and_listed(admin: Client, endpoint: Made) -> None:
    made = endpoint(classes=ALL)
    assert "Nobody is told yet" in admin.get(PAGE).content.decode()
    said = admin.post(f"{PAGE}new/", given(made), follow=True).content.decode()
    row = WriteBackReceiver.objects.get()
    assert (row.form, row.source, row.document, row.position) == ("mdm", "ehr", "PN", 0)
    assert "It was told everything" in said
    assert "MDM^T02" in admin.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("changes", "classes", "sentence"),
    [
        ({"document": ""}, ALL, "Write the code of the document type"),
        ({}, ["engagement"], "may not be told identity"),
        ({"form": "fhir"}, [], "may not be told engagement"),
        ({"endpoint_id": ""}, ALL, "This field is required"),
    ],
)
def test_what_cannot_be_used_is_named(
    admin: Client, endpoint: Made, changes: dict[str, str], classes: list[str], sentence: str
) -> None:
    said = admin.post(f"{PAGE}new/", given(endpoint(classes=classes), **changes))
    assert said.status_code == 422 and sentence in said.content.decode()
    assert not WriteBackReceiver.objects.exists()


def test_what_was_set_aside_is_shown_with_its_reason_and_sent_again(
    admin: Client, tell: Tell, add: Add, receiver: Receiver
) -> None:
    made = add()
    tell("MRN-1")
    receiver.says(422)
    push()
    page = admin.get(f"{PAGE}{made.pk}/").content.decode()
    assert "it answered with status 422" in page and "Send 1 again" in page
    assert "MRN-1" not in page
    admin.post(f"{PAGE}{made.pk}/again/")
    assert WriteBackSetAside.objects.get().again


def test_what_does_not_go_through_is_set_aside_by_a_press(
    admin: Client, tell: Tell, add: Add, receiver: Receiver
) -> None:
    made = add()
    tell("MRN-1")
    receiver.says(500)
    push()
    assert "Set the next one aside" in admin.get(f"{PAGE}{made.pk}/").content.decode()
    admin.post(f"{PAGE}{made.pk}/pass-over/")
    assert WriteBackSetAside.objects.get().position == 1


def test_a_receiver_is_changed_and_ended(admin: Client, add: Add) -> None:
    made = add()
    admin.post(f"{PAGE}{made.pk}/", {"form": "oru", "facility": "HARBOR"})
    made.refresh_from_db()
    assert (made.form, made.facility) == ("oru", "HARBOR")
    admin.post(f"{PAGE}{made.pk}/archive/")
    assert admin.get(f"{PAGE}{made.pk}/").status_code == 404


def test_an_endpoint_that_is_told_is_not_put_away(admin: Client, add: Add) -> None:
    made = add()
    address = f"/settings/endpoints/{made.endpoint_id}/archive/"
    assert "end that under Write-backs" in admin.post(address, follow=True).content.decode()
    assert Endpoint.objects.get().archived_at is None


def test_home_names_a_receiver_that_does_not_take_them(
    admin: Client, tell: Tell, add: Add, receiver: Receiver
) -> None:
    add()
    tell("MRN-1")
    receiver.says(400)
    push()
    assert "receiver does not take write-backs" in admin.get("/").content.decode()


def test_a_marketer_sees_no_receivers(mara: User, add: Add, sign_in_as: SignedIn) -> None:
    browser = sign_in_as(mara)
    assert browser.get(PAGE).status_code == 403
    assert browser.post(f"{PAGE}{add().pk}/archive/").status_code == 403


def test_who_may_look_may_not_change(omar: User, add: Add, sign_in_as: SignedIn) -> None:
    made, browser = add(), sign_in_as(omar)
    assert browser.get(f"{PAGE}{made.pk}/").status_code == 200
    assert browser.post(f"{PAGE}{made.pk}/", {"form": "oru"}).status_code == 403
    assert browser.post(f"{PAGE}new/", {}).status_code == 403


def test_another_organisation_has_no_such_receiver(
    ivy: User, add: Add, sign_in_as: SignedIn
) -> None:
    """SE-01"""
    made, browser = add(), sign_in_as(ivy)
    assert browser.get(f"{PAGE}{made.pk}/").status_code == 404
