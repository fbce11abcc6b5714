"""A campaign made, approved by another person, launched to a hundred people and watched."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts.segments import catalogue, membership
from marketing.campaigns import running
from messaging import dispatch
from messaging.protect import Hop, Onward
from messaging.transports.memory import Memory
from tests.browser.axe import findings
from tests.browser.conftest import OpenAs
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.workflows.conftest import WOMEN, people, sign


@pytest.fixture
def clinic(harbor: Organisation) -> Organisation:
    """Harbor with a hundred women who agreed, and an approved letter."""
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay, Boston", web_origin="https://h.example"
        )
        sign(people(*(f"w{n}" for n in range(100)), gender="female"))
        segment = catalogue.save(name="Women", tree=WOMEN, now=NOON)
        membership.refresh(segment, now=NOON)
        approved(template("letter"))
    return harbor


def _work(clinic: Organisation) -> None:
    """Do what the loops do each second, for a while."""
    memory = Memory(hop=Hop.VERIFIED)
    with tenancy.acting_for(clinic.pk):
        for _ in range(12):
            now = datetime.now(UTC)
            running.run_once(now=now)
            dispatch.run_once(transport=memory, now=now, onward=Onward.ENFORCED)


def test_made_approved_launched_and_watched_to_the_end(
    open_as: OpenAs, clinic: Organisation, mara: User, tmp_path: Path
) -> None:
    with tenancy.acting_for(clinic.pk):
        nora = staff.add("nora@harbor.example", name="Nora Wu", role=Role.APPROVER, now=NOON)
    page = open_as(mara, "/campaigns/")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Name", exact=True).fill("Spring letter")
    page.get_by_label("To the segment").select_option(label="Women")
    page.get_by_label("Message", exact=True).select_option(index=1)
    assert findings(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("of 100 people may be written to now")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Send for approval").click()

    second = open_as(nora, page.url)
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_text("Approved, exactly as it is now.")).to_be_visible()

    page.reload()
    page.get_by_role("button", name="Launch").click()
    page.get_by_role("dialog").get_by_role("button", name="Launch").click()
    _work(clinic)
    page.reload()
    expect(page.get_by_text("100 % dealt with")).to_be_visible()
    assert findings(page) == []
    page.screenshot(path=tmp_path / "campaign.png", full_page=True)


@pytest.mark.parametrize("path", ["/campaigns/", "/campaigns/new/", "/campaigns/calendar/"])
def test_it_is_readable_on_a_phone(
    open_as: OpenAs, clinic: Organisation, mara: User, path: str
) -> None:
    page = open_as(mara, path, width=320)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
