"""Settings of who is told what workflows write back, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from accounts import tenancy
from accounts.models import Organisation, User
from tests.browser import axe
from tests.browser.conftest import NARROW, OpenAs
from tests.browser.test_endpoints import ann, shot
from tests.conftest import NOON
from workflows.webhooks import tending
from workflows.webhooks.models import Endpoint
from workflows.writing_back import receivers
from workflows.writing_back.models import WriteBackReceiver, WriteBackSetAside

__all__ = ["ann"]


@pytest.fixture
def endpoint(harbor: Organisation) -> Endpoint:
    given = {"name": "Record system", "url": "https://ehr.example.org/hl7", "own": True,
             "classes": ["clinical", "engagement", "identity"]}  # fmt: skip
    with tenancy.acting_for(harbor.pk):
        return tending.add(given, random=lambda size: b"k" * size, now=NOON)


def test_an_administrator_has_the_record_system_told(
    open_as: OpenAs, ann: User, endpoint: Endpoint
) -> None:
    page = open_as(ann, "/settings/write-backs/")
    shot(page, "write-backs-empty")
    assert axe.findings(page) == []
    page.get_by_role("link", name="Add a receiver").first.click()
    page.get_by_label("Endpoint").select_option(label="Record system")
    page.get_by_label("As", exact=True).select_option("mdm")
    page.get_by_role("button", name="Add the receiver").click()
    expect(page.get_by_text("Write the code of the document type").first).to_be_visible()
    assert axe.findings(page) == []
    shot(page, "write-back-new")
    page.get_by_label("Document type (TXA-2)").fill("PN")
    page.get_by_role("button", name="Add the receiver").click()
    expect(page.get_by_role("heading", name="Record system")).to_be_visible()


def test_what_does_not_go_through_is_shown_on_a_narrow_page_too(
    open_as: OpenAs, ann: User, harbor: Organisation, endpoint: Endpoint
) -> None:
    with tenancy.acting_for(harbor.pk):
        made = receivers.add(endpoint, {"form": "oru"}, from_now=True, now=NOON)
        WriteBackReceiver.objects.update(attempts=3, reason="acknowledged_rejected")
        WriteBackSetAside.objects.create(receiver=made, position=7, reason="status_422", at=NOON)
    page = open_as(ann, f"/settings/write-backs/{made.pk}/")
    assert axe.findings(page) == []
    shot(page, "write-back")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    shot(page, "write-back-narrow")
    page.goto(page.url.rsplit("/", 2)[0] + "/")
    assert axe.findings(page) == []
    shot(page, "write-backs-narrow")
