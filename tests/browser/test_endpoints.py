"""Calling another system, from its settings to the step on the canvas."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import expect

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from tests.browser import axe
from tests.browser.conftest import NARROW, OpenAs
from tests.browser.test_workflow_editor import draft, kept, panel, save
from workflows.models import Workflow
from workflows.webhooks import tending

__all__ = ["draft"]
SHOTS = os.environ.get("ATTUNE_SHOTS")


def shot(page: object, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)  # type: ignore[attr-defined]


@pytest.fixture
def ann(harbor: Organisation) -> User:
    """An administrator."""
    with tenancy.acting_for(harbor.pk):
        return staff.add(
            "ann@harbor.example", name="Ann Vale", role=Role.ADMINISTRATOR, now=timezone.now()
        )


def test_an_administrator_adds_an_endpoint(
    open_as: OpenAs, ann: User, settings: LazySettings
) -> None:
    settings.CALL_HOSTS = ["ehr.example.org"]
    page = open_as(ann, "/settings/endpoints/")
    shot(page, "endpoints-empty")
    assert axe.findings(page) == []
    page.get_by_role("link", name="Add an endpoint").first.click()
    page.get_by_label("Name", exact=True).fill("Coverage desk")
    page.get_by_label("Address", exact=True).fill("https://ehr.example.org/hook")
    page.get_by_label("It is our own system").check()
    page.get_by_label("Coverage", exact=True).check()
    shot(page, "endpoint-new")
    assert axe.findings(page) == []
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    shot(page, "endpoint-made")
    page.get_by_role("link", name="I have entered it").click()
    expect(page.get_by_role("heading", name="Coverage desk")).to_be_visible()
    assert axe.findings(page) == []
    shot(page, "endpoint")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    shot(page, "endpoint-narrow")


def test_a_marketer_has_a_step_call_it_and_tell_the_record(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    with tenancy.acting_for(harbor.pk):
        given = {"name": "Coverage desk", "url": "https://ehr.example.org/hook", "own": True,
                 "classes": ["coverage"]}  # fmt: skip
        made = tending.add(given, random=os.urandom, now=timezone.now())
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    page.get_by_label("People come in").select_option(label="by a date of theirs")
    panel(page).get_by_label("Date", exact=True).select_option(label="Covered until")
    panel(page).get_by_label("At", exact=True).fill("09:00")
    shot(page, "entry-date")
    page.get_by_role("button", name="Add a step after").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Call another system").click()
    panel(page).get_by_label("Endpoint", exact=True).select_option(label="Coverage desk")
    panel(page).get_by_label("At this place of the answer").first.fill("/eligible")
    panel(page).get_by_label("stands").first.fill("false")
    page.keyboard.press("Tab")
    for way in ("reply 1", "any other good answer", "no good answer"):
        panel(page).get_by_label(f"Leads on: {way}").select_option("end")
    shot(page, "webhook-step")
    expect(page.locator(".editor-state")).to_contain_text("Nothing keeps it from going live")
    save(page)
    step = kept(draft, harbor)["nodes"][0]
    assert step["endpoint"] == str(made.pk)
    assert step["reply1"] == {"at": "/eligible", "is": False} and step["then1"] == "end"
    assert axe.findings(page) == []
