"""A marketer tries a journey before anybody is touched, with the keyboard and at both widths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tests.browser import axe
from tests.browser.conftest import NARROW, WIDE, OpenAs
from tests.browser.test_canvas import journey
from workflows.models import Workflow

__all__ = ["journey"]
SHOTS = os.environ.get("ATTUNE_SHOTS", "")


@pytest.mark.parametrize("width", [WIDE[0], NARROW[0]])
def test_a_version_is_simulated_and_the_result_read(
    open_as: OpenAs, mara: User, journey: Workflow, width: int
) -> None:
    page = open_as(mara, f"/workflows/{journey.id}/", width=width)
    page.get_by_role("link", name="Simulate").click()
    expect(page.get_by_role("heading", name="Simulate Aftercare")).to_be_visible()
    assert axe.findings(page) == []
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"form-{width}.png", full_page=True)
    page.get_by_label("Everybody is out within (days)").fill("2")
    page.get_by_role("button", name="Simulate").press("Enter")
    expect(page.get_by_text("Broken")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("row", name="Exit exit")).to_contain_text("reached the end")
    page.get_by_role("link", name="Person 3", exact=True).click()
    expect(page.get_by_role("group", name="Timeline of person 3")).to_contain_text("finished")
    assert axe.findings(page) == []
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"result-{width}.png", full_page=True)
