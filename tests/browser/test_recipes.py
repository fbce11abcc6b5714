"""Recipes in a real browser: readable on a phone, and one press opens a draft on the canvas."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from accounts.models import User
from tests.browser.axe import findings
from tests.browser.conftest import OpenAs


def test_the_cards_are_readable_on_a_phone(open_as: OpenAs, mara: User, tmp_path: Path) -> None:
    page = open_as(mara, "/workflows/recipes/", width=320)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.screenshot(path=tmp_path / "phone.png", full_page=True)


def test_one_press_opens_the_draft_on_the_canvas(
    open_as: OpenAs, mara: User, tmp_path: Path
) -> None:
    page = open_as(mara, "/workflows/new/")
    page.get_by_role("link", name="Start from a recipe").click()
    page.screenshot(path=tmp_path / "wide.png")
    card = page.get_by_role("listitem").filter(has_text="Preventive screening by age and sex")
    card.get_by_role("button").click()
    expect(page.get_by_role("button", name="Save the draft")).to_be_visible()
    expect(page.get_by_text("Call about the open screening").first).to_be_visible()
    page.screenshot(path=tmp_path / "canvas.png")
